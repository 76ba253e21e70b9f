"""The time is the database's: whatever this machine's own clock says, on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import clock as clocks
from store.clock import Clock
from store.open import Store


class Wrong(datetime):
    """A machine whose clock is two days late."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) - timedelta(days=2)


def test_a_machine_with_a_wrong_clock_takes_the_database_s(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "datetime", Wrong)
    clock = Clock()
    assert datetime.now(UTC) - clock() > timedelta(days=1)
    store.db.read(clock.follow)
    late = datetime.now(UTC) - clock()
    assert abs(late - timedelta(days=2 if store.db.is_sqlite else 0)) < timedelta(seconds=2)


@pytest.mark.databases("postgresql", because="on SQLite nothing is read")
def test_the_database_is_asked_the_time_now_and_then_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    store.db.read(clock.follow)
    first = clock._read
    store.db.read(clock.follow)
    assert clock._read is first
    monkeypatch.setattr(clocks, "READ_EVERY", 0.0)
    store.db.read(clock.follow)
    assert clock._read is not first


def test_the_offset_is_added_whatever_was_read(store: Store) -> None:
    offset = timedelta(0)
    clock = Clock(lambda: offset)
    store.db.read(clock.follow)
    offset = timedelta(days=30)
    assert abs(clock() - datetime.now(UTC) - offset) < timedelta(seconds=2)
