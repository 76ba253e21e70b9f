"""The smallest world of the store: a fresh SQLite file, a key, and one conversation when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from store import conversations
from store.conversations import Conversation
from store.open import Store, open_store

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where one shop's server keeps its things."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def base(self) -> Path:
        return self.data / "base.db"

    @property
    def key(self) -> Path:
        return self.folder / "key" / "master.key"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.base}"

    def open(self, *, own: bool = False) -> Store:
        return open_store(self.url, self.key, own=own)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    opened = place.open()
    yield opened
    opened.close()


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def begin() -> Callable[..., Conversation]:
    """Open a conversation in a store: `begin(store)`."""

    def _begin(store: Store, *, snapshot: bytes = b"{}", **columns: object) -> Conversation:
        given: dict[str, object] = {
            "flow": "f1",
            "entry": "web",
            "facts": [b"started"],
            "today": TODAY,
            "purge_on": TODAY + timedelta(days=1095),
        }
        given |= columns
        return store.db.write(
            lambda tx: conversations.create(tx, store.keyring, snapshot=snapshot, **given)  # type: ignore[arg-type]
        )

    return _begin
