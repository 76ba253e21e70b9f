"""Calls to the Bot API, each with Telegram's answer told as one of four: done, later, never, blocked.

Nothing raised here carries an address or a token: an error of the library is never let through, only its name.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import httpx
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.settings import Telegram
from bot.telegram.pace import Pace
from bot.worker import Later, Never

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_UNREACHABLE = ("chat not found", "user is deactivated", "peer_id_invalid", "chat_id_invalid")
_CONNECTING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TALKATIVE = ("httpx", "httpcore", "telegram")
"""Libraries that log addresses, and an address holds the token."""
_WRONG_TOKEN_AGAIN = 60.0


class Blocked(Exception):
    """The chat takes no more messages: blocked, deactivated, or not there."""


class Post:
    """The bot's own calls. One for a process and its event loop."""

    def __init__(self, settings: Telegram, pace: Pace) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")  # read one by one: see poll.py
        self.pace = pace
        self.bot = Bot(
            settings.token.get_secret_value(),
            base_url=f"{settings.api}/bot",
            request=HTTPXRequest(connection_pool_size=16, pool_timeout=10),
        )

    async def close(self) -> None:
        """Let go of the connections."""
        for request in (self.bot.request, self.bot._request[0]):  # noqa: SLF001 — the library closes them only if it opened
            await request.shutdown()

    async def name(self) -> str:
        """The bot's public name, without @. Raises Later or Never."""
        with _told():
            me = await self.bot.get_me()
        return me.username or ""

    async def send(self, chat: int, html: str, keyboard: InlineKeyboardMarkup | None = None) -> int:
        """A message; its number."""
        async with self.pace.message(chat):
            with _told():
                sent = await self.bot.send_message(
                    chat, html, parse_mode=ParseMode.HTML, reply_markup=keyboard, link_preview_options=_NO_PREVIEW
                )
        return sent.message_id

    async def photo(self, chat: int, png: bytes, html: str, keyboard: InlineKeyboardMarkup | None) -> int:
        """A picture with its caption; its number."""
        async with self.pace.message(chat):
            with _told():
                sent = await self.bot.send_photo(
                    chat, png, caption=html, parse_mode=ParseMode.HTML, reply_markup=keyboard, filename="resultat.png"
                )
        return sent.message_id

    async def document(self, chat: int, data: bytes, name: str, html: str) -> int:
        """A file with its caption; its number."""
        async with self.pace.message(chat):
            with _told():
                sent = await self.bot.send_document(chat, data, caption=html, parse_mode=ParseMode.HTML, filename=name)
        return sent.message_id

    async def edit(self, chat: int, message: int, html: str, keyboard: InlineKeyboardMarkup | None) -> bool:
        """Change a message in place; False when it can't be: deleted, too old, not a text."""
        try:
            async with self.pace.message(chat):
                with _told():
                    await self.bot.edit_message_text(
                        html,
                        chat,
                        message,
                        parse_mode=ParseMode.HTML,
                        reply_markup=keyboard,
                        link_preview_options=_NO_PREVIEW,
                    )
        except Never as never:
            return str(never) == "not_modified"
        return True

    async def strip(self, chat: int, message: int) -> None:
        """Take a message's buttons away; one that is gone has none."""
        await self.pace.call()
        with suppress(Never), _told():
            await self.bot.edit_message_reply_markup(chat, message, reply_markup=None)

    async def delete(self, chat: int, message: int) -> None:
        """Delete one of our messages, if Telegram still lets us."""
        with suppress(Never, Later, Blocked), _told():
            await self.bot.delete_message(chat, message)

    async def leave(self, chat: int) -> None:
        """Leave a group or a channel."""
        with suppress(Never, Later, Blocked), _told():
            await self.bot.leave_chat(chat)

    async def heard(self, callback: str) -> None:
        """Stop the waiting sign of a pressed button; too late is not an error, and neither is no network."""
        with suppress(Never, Later, Blocked), _told():
            await self.bot.answer_callback_query(callback)


@contextmanager
def _told() -> Iterator[None]:
    """Turn the library's errors into Later, Never or Blocked."""
    try:
        yield
    except RetryAfter as error:
        wait: timedelta = error._retry_after  # noqa: SLF001 — the public name warns until the library changes its type
        raise Later("retry_after", after=wait.total_seconds()) from None
    except Forbidden:
        raise Blocked from None
    except InvalidToken:
        raise Later("wrong_token", after=_WRONG_TOKEN_AGAIN) from None
    except BadRequest as error:  # before NetworkError, of which the library makes it a kind
        said = error.message.lower()
        if any(word in said for word in _UNREACHABLE):
            raise Blocked from None
        raise Never("not_modified" if "not modified" in said else "bad_request") from None
    except (TimedOut, NetworkError) as error:
        raise Later(_name(error), maybe=not isinstance(error.__cause__, _CONNECTING)) from None
    except TelegramError as error:
        raise Later(_name(error), maybe=True) from None


def _name(error: TelegramError) -> str:
    """What may be logged of it: names of types, never a message, which may hold the address and so the token."""
    cause = error.__cause__
    return f"{type(error).__name__}/{type(cause).__name__}" if cause else type(error).__name__
