"""Chats open on a screen right now, and how they hear that the bot spoke first, wherever the worker is.

One rule: the rows are the truth, and this only wakes who looks at them. On PostgreSQL a NOTIFY of a conversation's
opaque id reaches every process that serves; on SQLite there is one process. Never for an ordinary turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select

from store.engine import Unavailable

if TYPE_CHECKING:
    from bot.house import House

CHANNEL = "autodiag_open_chats"
MOST = 500
"""Chats that one process listens for at most; the others see what is new at their next page."""
EACH = 4
"""Screens of one conversation."""
ALIVE = 30.0
"""Seconds without news after which the connection that hears is tried."""
AGAIN = 5.0
"""Seconds before it is opened again."""

log = structlog.get_logger("open_chats")


class Ear:
    """One screen that listens."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.closed = False

    async def wait(self, seconds: float) -> bool:
        """Until something may be new, or this long; False when the process stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()
        return not self.closed

    def ring(self) -> None:
        """Wake it."""
        self._rung.set()


class OpenChats:
    """The ears of this process, by conversation. For the event loop's thread."""

    def __init__(self, *, most: int = MOST, each: int = EACH) -> None:
        self._most, self._each = most, each
        self._ears: dict[str, list[Ear]] = {}
        self._closed = False

    def __len__(self) -> int:
        return sum(len(ears) for ears in self._ears.values())

    def may_open(self, conversation: str) -> bool:
        """Whether one more screen of this conversation may listen."""
        return not self._closed and len(self) < self._most and len(self._ears.get(conversation, ())) < self._each

    @contextmanager
    def listening(self, conversation: str) -> Iterator[Ear]:
        """One more ear, while a stream is open."""
        ear = Ear()
        ear.closed = self._closed
        self._ears.setdefault(conversation, []).append(ear)
        try:
            yield ear
        finally:
            self._ears[conversation].remove(ear)
            if not self._ears[conversation]:
                del self._ears[conversation]

    def ring(self, conversation: str) -> None:
        """Wake the screens of a conversation, if any are here."""
        for ear in self._ears.get(conversation, ()):
            ear.ring()

    def ring_all(self) -> None:
        """Wake everybody: something may have been missed."""
        for ears in self._ears.values():
            for ear in ears:
                ear.ring()

    def close(self) -> None:
        """End every stream: the process stops."""
        self._closed = True
        for ears in self._ears.values():
            for ear in ears:
                ear.closed = True
                ear.ring()


async def announce(house: House, conversation: str) -> None:
    """Say that something new stands in a conversation, once it is committed. Not said, it is seen a little later."""
    if house.store.db.is_sqlite:
        house.open_chats.ring(conversation)
        return
    try:
        await house.store.db.submit(lambda tx: tx.execute(select(func.pg_notify(CHANNEL, conversation))))
    except Unavailable as error:
        log.warning("not_announced", reason=str(error))


async def hear_for_ever(house: House) -> None:
    """On PostgreSQL, hear what other processes announce, until cancelled; a lost connection is opened again."""
    if house.store.db.is_sqlite:
        return
    import psycopg  # the driver of PostgreSQL, where there is one

    address = house.store.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True, connect_timeout=10) as hearing:
                await hearing.execute(f"LISTEN {CHANNEL}")
                house.open_chats.ring_all()  # what was said while nobody heard
                while True:
                    async for heard in hearing.notifies(timeout=ALIVE):
                        house.open_chats.ring(heard.payload)
                    await hearing.execute("SELECT 1")
        except (psycopg.Error, OSError) as error:
            log.warning("hears_nothing", reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 — a fault of ours must not make every screen deaf for good
            log.error("hearing_failed", reason=type(error).__name__)
        await asyncio.sleep(AGAIN)
