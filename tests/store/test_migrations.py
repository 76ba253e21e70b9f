"""What a database of an earlier version holds is still there, and still works, after the migrations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text

from store import migrations, outbox
from store.engine import Database
from store.migrations import run as running
from store.migrations.run import config
from tests import postgresql

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def bare(database: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database that nobody has migrated."""
    if database.startswith("sqlite"):
        db = Database(database)
        yield db
        db.close()
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with server.database("template0") as url:
        db = Database(url)
        yield db
        db.close()


def at(db: Database, revision: str) -> None:
    settings = config(Path(migrations.__file__).parent)
    with db.migrating() as tx:
        settings.attributes["connection"] = tx
        command.upgrade(settings, revision)


def add(tx: Connection, **given: Any) -> None:
    row = {"payload": b"sealed", "due_at": NOON, "attempts": 1, **given}
    names = ", ".join(row)
    tx.execute(text(f"INSERT INTO outbox ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)


def test_an_outbox_of_before_lines_keeps_its_jobs_and_their_order(bare: Database) -> None:
    at(bare, "0003")

    def before(tx: Connection) -> None:
        tx.execute(
            text(
                "INSERT INTO conversations "
                "(id, wrapped_key, revision, snapshot, flow, entry, trial, status, purge_on, last_on) VALUES "
                "('one', :key, 1, :key, 'f', 'direct', false, 'open', '2027-01-01', '2026-11-22')"
            ),
            {"key": b"k"},
        )
        shows = {"kind": "telegram.show", "conversation": "one", "revision": 1}
        add(tx, state="taken", n=0, leased_until=NOON + timedelta(minutes=1), **shows)
        add(tx, state="waiting", n=1, **shows)
        add(tx, kind="purge", state="done", dedup="purge/2026-11-22T11")
        add(tx, kind="purge", state="waiting", dedup="purge/2026-11-22T12")

    bare.write(before)
    assert migrations.upgrade(bare)

    def take(now: datetime) -> outbox.Job | None:
        return bare.write(lambda tx: outbox.claim(tx, now, timedelta(hours=1)))

    first = take(NOON)
    assert first
    assert (first.dedup, first.line, first.claims) == ("purge/2026-11-22T12", None, 2)
    assert take(NOON) is None
    second = take(NOON + timedelta(minutes=1))
    assert second
    assert (second.line, second.n, second.maybe_done, second.payload) == ("one", 0, True, b"sealed")
    assert take(NOON + timedelta(minutes=1)) is None
    bare.write(lambda tx: outbox.done(tx, second, NOON))
    third = take(NOON + timedelta(minutes=1))
    assert third
    assert third.n == 1
    assert bare.write(lambda tx: outbox.forget(tx, NOON + timedelta(days=1), NOON)) == 2


@pytest.mark.databases("postgresql", because="one process owns a SQLite file")
@pytest.mark.parametrize("stands_at", ["head", "0003"])
def test_rows_that_others_write_meanwhile_do_not_look_lost(
    bare: Database, monkeypatch: pytest.MonkeyPatch, stands_at: str
) -> None:
    """Two first starts at once; a new version that starts while the one before still serves."""
    at(bare, stands_at)
    count, others = running._counts, create_engine(bare.url)

    def write() -> None:
        with others.begin() as tx:
            tx.execute(
                text("INSERT INTO flows (fingerprint, flow, version, content) VALUES ('f', 'autodiag', '1', '')")
            )

    writing = threading.Thread(target=write)

    def counted(tx: Connection) -> dict[str, int]:
        found = count(tx)
        if not writing.ident:
            writing.start()
            writing.join(0.2)
        return found

    monkeypatch.setattr(running, "_counts", counted)
    running.run(bare, Path(migrations.__file__).parent)
    if writing.ident:
        writing.join(5)
        assert bare.read(lambda tx: tx.scalar(text("SELECT count(*) FROM flows"))) == 1
    assert bare.read(migrations.stored_revision) == migrations.HEAD
    others.dispose()
