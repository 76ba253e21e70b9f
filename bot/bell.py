"""A bell that wakes the worker when something was just put in the outbox, so that it leaves in the same second.

Only a comfort: the worker also looks by itself, and what is rung for is committed already.
"""

from __future__ import annotations

import asyncio


class Bell:
    """Rung by whoever has committed a job; heard once, by the loop that listens."""

    def __init__(self) -> None:
        self._heard: asyncio.Event | None = None

    def ring(self) -> None:
        """Say that there is something to do. From the event loop's thread."""
        if self._heard is not None:
            self._heard.set()

    def listen(self) -> None:
        """Belong to the running event loop from now on."""
        self._heard = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or this long."""
        if self._heard is None:
            self.listen()
        assert self._heard is not None  # noqa: S101 — made just above
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            return
        self._heard.clear()
