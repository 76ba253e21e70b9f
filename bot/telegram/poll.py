"""Polling: fetch updates and take them, for a machine without a public address. One process does it for a bot.

An update is forgotten by Telegram once a later one is asked for: so only after what it did is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, RetryAfter, TelegramError

from bot.telegram.door import Door
from bot.telegram.receive import parsed, receive
from store.engine import Unavailable

WANTED = ["message", "edited_message", "callback_query", "my_chat_member", "channel_post"]
PATIENCE = 25
"""Seconds that Telegram may hold a request without news."""
SLOWEST = 30.0
_BREATH = 0.05
"""Seconds left to a server that does not hold the request as it was asked to."""

log = structlog.get_logger("telegram")


async def poll(door: Door, *, patience: int = PATIENCE) -> None:
    """Fetch and take until cancelled; nothing that comes, or does not, ends it."""
    offset, wait = 0, 1.0
    while True:
        try:
            updates = await _fetched(door, offset, patience)
            if not updates:
                await asyncio.sleep(_BREATH)
            elif await _taken(door, updates):
                offset = updates[-1]["update_id"] + 1
            wait = 1.0
        except TelegramError as error:
            _explain(error)
            await asyncio.sleep(SLOWEST if isinstance(error, RetryAfter) else wait)
            wait = min(SLOWEST, wait * 2)
        except Exception as error:  # noqa: BLE001 — a fault of ours must not close the door
            log.error("telegram_poll_failed", reason=type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(SLOWEST, wait * 2)


async def _fetched(door: Door, offset: int, patience: int) -> list[dict[str, Any]]:
    """Updates as they came: the library would refuse them all for one that it can't read."""
    wanted = {"offset": offset, "timeout": patience, "allowed_updates": WANTED}
    found: list[dict[str, Any]] = await door.post.bot.do_api_request(
        "getUpdates", api_kwargs=wanted, read_timeout=patience + 10
    )
    return found


async def _taken(door: Door, came: Sequence[dict[str, Any]]) -> bool:
    """Take a batch, chats side by side, each in order; False if it must come again."""
    updates = [update for data in came if (update := parsed(data, door.post.bot))]

    def chat(update: Update) -> int:
        return update.effective_chat.id if update.effective_chat else 0

    async def in_order(mine: list[Update]) -> None:
        for update in mine:
            await receive(door, update)

    by_chat = [list(mine) for _, mine in groupby(sorted(updates, key=chat), key=chat)]
    for ended in await asyncio.gather(*map(in_order, by_chat), return_exceptions=True):
        if isinstance(ended, Unavailable):
            log.warning("telegram_waits", reason="database")
            await asyncio.sleep(1)
            return False
        if isinstance(ended, Exception):
            log.error("telegram_update_failed", reason=type(ended).__name__)
        elif ended is not None:
            raise ended
    return True


def _explain(error: TelegramError) -> None:
    """Names only: a message may hold the address, and so the token."""
    if isinstance(error, Conflict):
        log.error("telegram_conflict", advice="webhook posé, ou autre processus : lancez « autodiag telegram setup »")
    else:
        cause = error.__cause__
        log.warning("telegram_silent", reason=type(error).__name__, cause=type(cause).__name__ if cause else "")
