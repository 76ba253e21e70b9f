"""A small programme: one or two consultants who work in the office's hours, and firms that want them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from store import conversations
from store.open import Store, open_store
from visits import consultants
from visits.consultants import Card, Consultant
from visits.slots import Rules, Weekly

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
RULES = Rules(
    on_site=timedelta(hours=2),
    remote=timedelta(hours=1),
    travel=timedelta(minutes=30),
    notice=timedelta(days=1),
    horizon=timedelta(days=30),
    day_off=lambda _: False,
)
LEA = Card("Léa Martin", "Cabinet Exemple", "01 99 00 11 22", "lea@cabinet.example", ("75", "92"))
OFFICE = [Weekly(day, 9 * 60, 17 * 60) for day in range(5)]


@pytest.fixture
def store(tmp_path: Path, database: str) -> Iterator[Store]:
    opened = open_store(database, tmp_path / "key" / "master.key")
    yield opened
    opened.close()


@pytest.fixture
def lea(store: Store) -> Consultant:
    """Goes to Paris and Hauts-de-Seine, from Monday to Friday."""
    return employ(store, LEA)


def employ(store: Store, card: Card, hours: list[Weekly] = OFFICE) -> Consultant:
    def work(tx: Connection) -> Consultant:
        made = consultants.add(tx, store.keyring, card)
        consultants.set_hours(tx, made.id, hours)
        return made

    return store.db.write(work)


@pytest.fixture
def firm(store: Store) -> Callable[[], str]:
    """Opens a conversation; its id."""

    def begin() -> str:
        made = store.db.write(
            lambda tx: conversations.create(
                tx,
                store.keyring,
                snapshot=b"{}",
                flow="f1",
                entry="direct",
                today=date(2026, 11, 23),
                purge_on=date(2027, 11, 23),
            )
        )
        return made.id

    return begin
