"""Telegram's pace, kept by construction: one message a second in a chat, thirty a second in all.

Holds for one process; where several send, Telegram's own refusal (retry_after) evens them out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

GAP = 1.0
"""Seconds between two messages in a chat, from the end of one to the start of the next."""
A_SECOND = 28
"""Messages a second in all: a little under the limit, since the network bunches them."""
_REMEMBERED = 10_000


class Pace:
    """Whoever sends passes through here."""

    def __init__(self, gap: float = GAP, a_second: float = A_SECOND) -> None:
        self._gap, self._step = gap, 1 / a_second
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._free: dict[int, float] = {}
        self._next = 0.0

    @asynccontextmanager
    async def message(self, chat: int) -> AsyncIterator[None]:
        """Wait for this chat's turn, then for everybody's; the chat is held until the message is sent."""
        lock = self._locks.setdefault(chat, asyncio.Lock())
        async with lock:
            await _until(self._free.get(chat, 0.0))
            await self.call()
            try:
                yield
            finally:
                self._free[chat] = time.monotonic() + self._gap
                self._forget()

    async def call(self) -> None:
        """Wait for everybody's turn: what counts in all, without being a message of the chat."""
        at = max(time.monotonic(), self._next)
        self._next = at + self._step
        await _until(at)

    def _forget(self) -> None:
        if len(self._free) > _REMEMBERED:
            now = time.monotonic()
            self._free = {chat: free for chat, free in self._free.items() if free > now}


async def _until(moment: float) -> None:
    if (wait := moment - time.monotonic()) > 0:
        await asyncio.sleep(wait)
