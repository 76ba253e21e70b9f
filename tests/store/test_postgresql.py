"""What happens on PostgreSQL only: many transactions at once, a row locked, a connection lost."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store import conversations, flows, inbox, outbox
from store.engine import Database, Unavailable
from store.keys import KeyProblem
from store.open import Store, open_store
from tests import postgresql

pytestmark = pytest.mark.databases("postgresql", because="on SQLite one writer works at a time")


def test_what_must_happen_once_happens_once(store: Store, noon: Any) -> None:
    db = store.db

    async def many(work: Any) -> list[Any]:
        return list(await asyncio.gather(*[db.submit(work) for _ in range(30)]))

    claims = asyncio.run(many(lambda tx: inbox.claim(tx, store.keyring, "web", "1", noon.date())))
    assert claims.count(True) == 1
    asyncio.run(many(lambda tx: outbox.arm(tx, kind="purge", key="every", due_at=noon)))
    jobs = asyncio.run(many(lambda tx: outbox.claim(tx, noon, timedelta(minutes=1))))
    assert len([job for job in jobs if job]) == 1
    asyncio.run(many(lambda tx: flows.pin(tx, "f", "autodiag", "1", "content")))
    assert asyncio.run(db.query(lambda tx: flows.pinned(tx, "f"))) == ("autodiag", "content")


def test_a_locked_conversation_and_a_lost_connection_say_try_again(place: Any, store: Store, begin: Any) -> None:
    name = begin(store).id
    other = Database(place.url, patience=1)

    def load(tx: Connection) -> bool:
        return conversations.load(tx, store.keyring, name, lock=True) is not None

    def meanwhile(tx: Connection) -> None:
        load(tx)
        with pytest.raises(Unavailable, match="réessayez"):
            other.write(load)

    def cut(tx: Connection) -> None:
        backend = tx.scalar(text("SELECT pg_backend_pid()"))
        other.write(lambda t: t.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend}))
        time.sleep(0.1)
        load(tx)

    store.db.write(meanwhile)
    assert other.write(load)
    with pytest.raises(Unavailable, match="réessayez"):
        store.db.write(cut)
    assert store.db.write(load)
    other.close()


def test_two_first_starts_at_once_migrate_once_and_keep_one_key(
    postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    with postgresql_server.database("template0") as url, ThreadPoolExecutor() as pool:
        opened = list(pool.map(lambda _: open_store(url, tmp_path / "key"), range(4)))
        assert len({store.keyring.digest("x", "y") for store in opened}) == 1
        for store in opened:
            store.close()


def test_of_two_first_starts_at_once_with_two_keys_one_is_refused(
    postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    def start(url: str, key: Path) -> str:
        try:
            open_store(url, key).close()
        except KeyProblem:
            return "refused"
        return "open"

    for n in range(3):
        with postgresql_server.database() as url, ThreadPoolExecutor() as pool:
            starts = [pool.submit(start, url, tmp_path / f"{n}-{name}") for name in "ab"]
            assert sorted(found.result() for found in starts) == ["open", "refused"]
