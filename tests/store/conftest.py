"""The smallest world of the store: a fresh database, a key, and one conversation when asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from store import conversations
from store.conversations import Conversation
from store.open import Store, open_store
from tests import postgresql

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where one shop's server keeps its things. `server`: on PostgreSQL."""

    folder: Path
    url: str
    server: postgresql.Server | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def base(self) -> Path:
        """The file of the database, on SQLite."""
        found = make_url(self.url)
        assert found.get_backend_name() == "sqlite"
        assert found.database
        return Path(found.database)

    @property
    def name(self) -> str:
        """The name of the database, on PostgreSQL."""
        return str(make_url(self.url).database)

    @property
    def key(self) -> Path:
        return self.folder / "key" / "master.key"

    def everything(self) -> bytes:
        """All that the database keeps, as it stands on the disk."""
        files = self.server.files(self.name) if self.server else self.data.iterdir()
        return b"".join(file.read_bytes() for file in files)

    def open(self, *, own: bool = False) -> Store:
        return open_store(self.url, self.key, own=own)

    @contextmanager
    def backed_up(self) -> Iterator[Callable[[], None]]:
        """Keep the database as it stands; what is given back restores it. Nobody may be connected."""
        if self.server:
            server, kept = self.server, f"{self.name}_kept"
            server.copy(self.name, kept)

            def restore() -> None:
                server.drop(self.name)
                server.copy(kept, self.name)

            yield restore
            server.drop(kept)
        else:
            backup = self.folder / "backup"
            shutil.copytree(self.data, backup)

            def restore_files() -> None:
                shutil.rmtree(self.data)
                shutil.copytree(backup, self.data)

            yield restore_files
            shutil.rmtree(backup)


@pytest.fixture
def place(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Place:
    on_postgresql = database.startswith("postgresql")
    return Place(tmp_path, database, request.getfixturevalue("postgresql_server") if on_postgresql else None)


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
