"""The same store on PostgreSQL, in a private server that lives as long as these tests."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from store import codes, conversations, flows, inbox, outbox, tables, ways
from store.codes import Refusal
from store.conversations import Moved
from store.engine import Database, Unavailable
from store.keys import KeyProblem
from store.open import Store, open_store


def _tool(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else pytest.skip(f"{name} is not installed"))


def _account() -> str | None:
    """PostgreSQL refuses to run as root: an account to run it as, or None to run it as ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()} & {"postgres", "nobody"}
    return max(known) if known else pytest.skip("PostgreSQL refuses to run as root, and there is no other account")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a fresh server, on a socket only, stopped and removed at the end."""
    initdb, ctl = _tool("initdb"), _tool("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="autodiag-pg-", dir="/tmp"))
    user = _account()
    if user:
        shutil.chown(folder, user)

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(initdb, "-D", folder / "d", "-A", "trust", "-U", "autodiag", "--no-sync")
    run(ctl, "-D", folder / "d", "-o", options, "-l", folder / "log", "-w", "start")
    yield f"postgresql://autodiag@/postgres?host={folder}"
    run(ctl, "-D", folder / "d", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key") / "master.key"


@pytest.fixture
def store(server: str, key: Path) -> Iterator[Store]:
    opened = open_store(server, key, own=True)
    yield opened
    opened.close()


def test_the_migrations_make_exactly_the_tables_declared(store: Store) -> None:
    def differences(tx: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(tx), tables.metadata))

    assert store.db.read(differences) == []


def test_a_conversation_lives_and_is_erased(store: Store, begin: Any, noon: Any) -> None:
    ring, write, read = store.keyring, store.db.write, store.db.read
    first = begin(store, snapshot=b"one")
    write(lambda tx: conversations.save(tx, first, snapshot=b"two", facts=[b"a", b"b"], branch="optique"))
    with pytest.raises(Moved):
        write(lambda tx: conversations.save(tx, first, snapshot=b"stale"))
    found = read(lambda tx: conversations.load(tx, ring, first.id, lock=False))
    assert found is not None
    assert (found.revision, found.snapshot, found.branch) == (2, b"two", "optique")
    assert read(lambda tx: conversations.facts_of(tx, found)) == [b"started", b"a", b"b"]
    write(lambda tx: ways.issue(tx, ring, first.id, "link", noon.date()))
    write(lambda tx: outbox.enqueue(tx, conversation=first.id, revision=2, n=0, kind="send", due_at=noon))
    assert write(lambda tx: conversations.erase(tx, ring, store.journal, first.id))
    assert store.db.scrub()
    left = (tables.conversations, tables.facts, tables.ways, tables.outbox)
    assert read(lambda tx: [tx.scalar(select(func.count()).select_from(one)) for one in left]) == [0, 0, 0, 0]


def test_the_ways_in_open_as_on_sqlite(store: Store, begin: Any, noon: Any) -> None:
    ring, write = store.keyring, store.db.write
    name, today = begin(store).id, noon.date()
    token = write(lambda tx: ways.issue(tx, ring, name, "link", today))
    write(lambda tx: ways.extend(tx, name, today + timedelta(days=200)))
    assert write(lambda tx: ways.find(tx, ring, token, today + timedelta(days=199))) == name
    assert write(lambda tx: ways.revoke_all(tx, name)) == 1
    code = write(lambda tx: codes.issue_code(tx, ring, name, noon))
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert write(lambda tx: codes.redeem(tx, ring, wrong, noon)) == Refusal("wrong", 4)
    assert write(lambda tx: codes.redeem(tx, ring, code, noon)) == name


def test_what_must_happen_once_happens_once(store: Store, noon: Any) -> None:
    db = store.db

    async def many(work: Any) -> list[Any]:
        return list(await asyncio.gather(*[db.submit(work) for _ in range(30)]))

    claims = asyncio.run(many(lambda tx: inbox.claim(tx, store.keyring, "web", "1", noon.date())))
    assert claims.count(True) == 1
    added = asyncio.run(many(lambda tx: outbox.enqueue_unique(tx, "purge", "day", noon)))
    assert added.count(True) == 1
    jobs = asyncio.run(many(lambda tx: outbox.claim(tx, noon, timedelta(minutes=1))))
    assert len([job for job in jobs if job]) == 1
    asyncio.run(many(lambda tx: flows.pin(tx, "f", "autodiag", "1", "content")))
    assert asyncio.run(db.query(lambda tx: flows.pinned(tx, "f"))) == "content"


def test_a_locked_conversation_and_a_lost_connection_say_try_again(server: str, store: Store, begin: Any) -> None:
    name = begin(store).id
    other = Database(server, patience=1)

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


def test_a_restored_backup_does_not_bring_the_erased_back(server: str, key: Path, store: Store, begin: Any) -> None:
    gone = begin(store).id
    store.journal.write(store.keyring, gone)
    again = open_store(server, key)
    assert again.db.read(lambda tx: conversations.load(tx, again.keyring, gone, lock=False)) is None
    again.close()


def test_a_lost_key_is_never_replaced_by_a_new_one(server: str, store: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="introuvable"):
        open_store(server, tmp_path / "other.key")
    assert not list(tmp_path.iterdir())
