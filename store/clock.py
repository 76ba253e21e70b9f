"""The time that everything is decided by: the database's, so that several machines agree on what is due.

On PostgreSQL its clock is read now and then and followed in between, whatever happens to this machine's own. On SQLite
the process that owns the file is on the machine of the file: its clock is the database's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

READ_EVERY = 30.0
"""Seconds between two readings; two quartz clocks drift a millisecond apart meanwhile."""
_QUICK = 1.0
"""Seconds that a reading may take: a slower one says too little, when there is one already."""


def _nothing() -> timedelta:
    return timedelta(0)


class Clock:
    """Called, it gives the time, aware and in UTC. `offset` is for tests of real processes, and nothing else."""

    def __init__(self, offset: Callable[[], timedelta] = _nothing) -> None:
        self._offset = offset
        self._read: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        if self._read is None:
            return datetime.now(UTC) + self._offset()
        at, ticks = self._read
        return at + timedelta(seconds=time.monotonic() - ticks) + self._offset()

    def follow(self, tx: Connection) -> None:
        """Set it by the database's clock, if that was long ago."""
        before = time.monotonic()
        if tx.dialect.name == "sqlite" or (self._read and before - self._read[1] < READ_EVERY):
            return
        at = tx.scalar(select(func.clock_timestamp()))
        after = time.monotonic()
        if at is not None and (self._read is None or after - before < _QUICK):
            self._read = (at.astimezone(UTC), (before + after) / 2)
