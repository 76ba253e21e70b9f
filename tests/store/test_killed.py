"""kill -9 between any two writes leaves the whole turn or nothing, and what was acknowledged is there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from store import conversations, inbox, outbox, ways

FORK = multiprocessing.get_context("fork")


def _dies(place: Any, work: Callable[[Any, Connection], Any], nth: int, acknowledged: Path) -> None:
    """In a child: run `work` in one transaction and die of SIGKILL at the n-th point around a statement or COMMIT."""
    store = place.open()
    left = nth

    def point(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.db.writer, name, point)
    store.db.write(lambda tx: work(store, tx))
    acknowledged.touch()
    point()
    os._exit(0)


def _kill_everywhere(place: Any, work: Callable[[Any, Connection], Any], check: Callable[[bool], None]) -> int:
    """Run the story once for every point, from the same start; give back how many points there were."""
    with place.backed_up() as restore:
        for nth in range(1, 200):
            restore()
            acknowledged = place.folder / f"acknowledged-{nth}"
            child = FORK.Process(target=_dies, args=(place, work, nth, acknowledged))
            child.start()
            child.join(20)
            assert child.exitcode in (0, -signal.SIGKILL)
            if not place.server:
                _is_sound(place.base)
            check(acknowledged.exists())
            if child.exitcode == 0:
                return nth - 1
    pytest.fail("the story never ends")


def _is_sound(base: Path) -> None:
    with closing(sqlite3.connect(base)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []


def _count(store: Any, *tables: str) -> tuple[int, ...]:
    return store.db.read(  # type: ignore[no-any-return]
        lambda tx: tuple(tx.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables)
    )


def test_a_turn_killed_anywhere_is_whole_or_absent(place: Any, begin: Any, noon: Any) -> None:
    store = place.open()
    name = begin(store).id
    store.close()
    seen: set[str] = set()

    def turn(store: Any, tx: Connection) -> None:
        assert inbox.claim(tx, store.keyring, "web", "7", noon.date())
        now = conversations.load(tx, store.keyring, name, lock=True)
        assert now is not None
        saved = conversations.save(tx, now, snapshot=b"answered", facts=[b"a", b"b"], status="done")
        sealed = saved.key.seal(b"thanks", table="outbox", row="1", column="payload")
        outbox.enqueue(tx, conversation=name, revision=saved.revision, n=0, kind="send", due_at=noon, payload=sealed)
        ways.issue(tx, store.keyring, name, "device", noon.date())

    def check(acknowledged: bool) -> None:
        again = place.open()
        found = again.db.read(lambda tx: conversations.load(tx, again.keyring, name, lock=False))
        assert found is not None
        rows = (found.revision, found.snapshot, *_count(again, "inbox", "facts", "outbox", "ways"))
        again.close()
        absent, whole = (1, b"{}", 0, 1, 0, 0), (2, b"answered", 1, 3, 1, 1)
        assert rows == whole if acknowledged else rows in (absent, whole)
        seen.add("whole" if rows == whole else "absent")

    points = _kill_everywhere(place, turn, check)
    assert points >= 14  # six statements, before and after each, COMMIT and after it
    assert seen == {"whole", "absent"}


def test_an_erasure_killed_anywhere_is_finished_at_the_next_start(place: Any, begin: Any, noon: Any) -> None:
    store = place.open()
    name = begin(store).id
    begin(store)
    store.db.write(lambda tx: ways.issue(tx, store.keyring, name, "link", noon.date() + timedelta(days=1)))
    journal = store.journal.path
    store.close()

    def erase(store: Any, tx: Connection) -> None:
        conversations.erase(tx, store.keyring, store.journal, name)

    def check(_: bool) -> None:
        written = journal.exists()
        again = place.open()
        assert _count(again, "conversations", "facts", "ways") == ((1, 1, 0) if written else (2, 2, 1))
        again.close()
        journal.unlink(missing_ok=True)

    assert _kill_everywhere(place, erase, check) >= 4  # its statement, before and after, COMMIT and after it
