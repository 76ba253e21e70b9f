"""One transaction a work: committed before the answer, whole or not at all, and usable after a failure."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, event, exc, select, text

from store import inbox, tables
from store.engine import Database, Unavailable

DAY = date(2026, 11, 22)


def _put(key: str, value: str = "x") -> Any:
    def work(tx: Connection) -> int:
        tx.execute(tables.meta.insert().values(key=key, value=value))
        return 1

    return work


def _keys(db: Database) -> set[str]:
    mine = select(tables.meta.c.key).where(tables.meta.c.key.like("t%"))
    return set(db.read(lambda tx: tx.scalars(mine).all()))


def test_a_work_that_fails_leaves_nothing(store: Any) -> None:
    def work(tx: Connection) -> None:
        _put("t1")(tx)
        raise KeyError("no")

    with pytest.raises(KeyError):
        store.db.write(work)
    assert _keys(store.db) == set()


def test_reading_cannot_write(store: Any) -> None:
    with pytest.raises((exc.OperationalError, Unavailable)):  # PostgreSQL says it as a standby does
        store.db.read(_put("t1"))
    assert store.db.write(_put("t1")) == 1


@pytest.mark.databases("sqlite", because="these are its settings")
def test_every_connection_is_durable_and_scrubs(store: Any) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    found = store.db.write(lambda tx: [tx.scalar(text(f"PRAGMA {name}")) for name in names])
    assert found == ["wal", 2, 1, 1]


@pytest.mark.databases("sqlite", because="PostgreSQL has no single writer")
def test_a_second_writer_waits_its_turn(place: Any, store: Any) -> None:
    other = Database(place.url)
    inside = threading.Event()

    def slowly(tx: Connection) -> None:
        _put("t1")(tx)
        inside.set()
        time.sleep(0.4)

    first = threading.Thread(target=store.db.write, args=(slowly,))
    first.start()
    inside.wait()
    other.write(_put("t2"))
    first.join()
    other.close()
    assert _keys(store.db) == {"t1", "t2"}


@pytest.mark.databases("sqlite", because="PostgreSQL locks a row: test_postgresql")
def test_a_locked_database_says_try_again_and_then_works(place: Any, store: Any) -> None:
    hurried = Database(place.url, patience=0.1)

    def meanwhile(_: Connection) -> None:
        with pytest.raises(Unavailable, match="réessayez"):
            hurried.write(_put("t1"))

    store.db.write(meanwhile)
    assert hurried.write(_put("t1")) == 1
    hurried.close()


def test_readers_do_not_wait_for_a_writer(store: Any) -> None:
    def writing(tx: Connection) -> set[str]:
        _put("t1")(tx)
        return _keys(store.db)

    assert store.db.write(writing) == set()
    assert _keys(store.db) == {"t1"}


def _room(db: Database, pages: int | None) -> None:
    """Leave this many pages on the disk, or all of it back."""

    def limit(tx: Connection) -> None:
        now = tx.scalar(text("PRAGMA page_count"))
        assert now is not None
        tx.execute(text(f"PRAGMA max_page_count = {4294967294 if pages is None else now + pages}"))

    db.write(limit)


@pytest.mark.databases("sqlite", because="a small disk is feigned by its page count")
def test_a_full_disk_saves_nothing_says_so_and_then_works(store: Any) -> None:
    _room(store.db, 2)

    def work(tx: Connection) -> None:
        _put("t1")(tx)
        _put("t2", "x" * 100_000)(tx)

    with pytest.raises(Unavailable, match="full"):
        store.db.write(work)
    assert _keys(store.db) == set()
    _room(store.db, None)
    store.db.write(work)
    assert _keys(store.db) == {"t1", "t2"}


@pytest.mark.databases("sqlite", because="a small disk is feigned by its page count")
def test_a_full_disk_that_a_work_hides_is_still_not_acknowledged_as_saved(store: Any) -> None:
    _room(store.db, 2)

    def work(tx: Connection) -> None:
        _put("t1")(tx)
        with pytest.raises(exc.OperationalError):
            _put("t2", "x" * 100_000)(tx)
        raw = tx.connection.driver_connection
        assert raw is not None
        raw.rollback()  # what SQLite does by itself on some errors

    with pytest.raises(Unavailable):
        store.db.write(work)
    assert _keys(store.db) == set()


async def _busy(db: Database) -> tuple[threading.Event, asyncio.Future[bool]]:
    """Keep the writer busy with a work of its own, until the event given back is set."""
    inside, gate = threading.Event(), threading.Event()

    def wait(_: Connection) -> bool:
        inside.set()
        return gate.wait(10)

    first = asyncio.ensure_future(db.submit(wait))
    assert await asyncio.to_thread(inside.wait, 10)
    return gate, first


async def _together(db: Database, works: list[Any]) -> list[Any]:
    """Submit works while the writer is busy, so that they wait together for the same COMMIT."""
    gate, first = await _busy(db)
    rest = [asyncio.ensure_future(db.submit(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await first
    return list(await asyncio.gather(*rest, return_exceptions=True))


@pytest.mark.databases("sqlite", because="only there do works share a COMMIT")
def test_works_that_wait_together_share_one_commit_and_are_answered_after_it(store: Any) -> None:
    commits: list[set[str]] = []
    event.listen(store.db.writer, "commit", lambda _: commits.append(_keys(store.db)))
    answers = asyncio.run(_together(store.db, [_put(f"t{n}") for n in range(5)]))
    assert answers == [1] * 5
    assert commits == [set(), set()]  # the gate's, then one for the five, unseen until then
    assert _keys(store.db) == {"t0", "t1", "t2", "t3", "t4"}


def test_one_that_fails_does_not_spoil_the_others(store: Any) -> None:
    def bad(tx: Connection) -> None:
        _put("t-bad")(tx)
        raise KeyError("no")

    answers = asyncio.run(_together(store.db, [_put("t1"), bad, _put("t1"), _put("t2")]))
    outcomes = [type(answer) for answer in answers]
    assert outcomes[1::2] == [KeyError, int]
    assert set(outcomes[::2]) == {int, exc.IntegrityError}  # on PostgreSQL, the second to come may be the first to end
    assert _keys(store.db) == {"t1", "t2"}


@pytest.mark.databases("sqlite", because="a small disk is feigned by its page count")
def test_when_the_disk_is_full_nobody_of_the_batch_is_told_saved(store: Any) -> None:
    _room(store.db, 2)
    answers = asyncio.run(_together(store.db, [_put("t1"), _put("t2", "x" * 100_000), _put("t3")]))
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert _keys(store.db) == set()
    _room(store.db, None)
    assert asyncio.run(store.db.submit(_put("t1"))) == 1


@pytest.mark.databases("sqlite", because="only there do works share a COMMIT")
def test_when_the_disk_breaks_in_the_middle_of_a_batch_nothing_of_it_is_trusted(store: Any) -> None:
    def broken(_: Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise error

    answers = asyncio.run(_together(store.db, [_put("t1"), broken, _put("t2")]))
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert _keys(store.db) == set()


def test_nobody_is_answered_when_the_commit_itself_fails(store: Any) -> None:
    def refuse(_: Connection) -> None:
        raise exc.OperationalError("COMMIT", None, ConnectionError("gone"))

    event.listen(store.db.writer, "commit", refuse)

    async def two() -> list[Any]:
        return list(
            await asyncio.gather(store.db.submit(_put("t1")), store.db.submit(_put("t2")), return_exceptions=True)
        )

    assert [type(answer) for answer in asyncio.run(two())] == [Unavailable] * 2
    event.remove(store.db.writer, "commit", refuse)
    assert _keys(store.db) == set()
    assert store.db.write(_put("t1")) == 1


@pytest.mark.databases("sqlite", because="only there do works share a COMMIT")
def test_a_caller_who_gives_up_before_its_turn_changes_nothing(store: Any) -> None:
    async def story() -> None:
        gate, first = await _busy(store.db)
        gone = asyncio.ensure_future(store.db.submit(_put("t1")))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        gate.set()
        await first
        await store.db.submit(_put("t2"))

    asyncio.run(story())
    assert _keys(store.db) == {"t2"}


def test_a_closed_database_refuses_kindly(place: Any) -> None:
    opened = place.open()
    asyncio.run(opened.db.submit(_put("t1")))
    assert asyncio.run(
        opened.db.query(lambda tx: tx.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "t1")))
    )
    opened.close()
    opened.close()
    with pytest.raises(Unavailable):
        asyncio.run(opened.db.submit(_put("t2")))


def test_a_message_is_claimed_once_even_by_many_at_a_time(store: Any) -> None:
    async def story() -> list[bool]:
        def claim(tx: Connection) -> bool:
            return inbox.claim(tx, store.keyring, "telegram", "42", DAY)

        return list(await asyncio.gather(*[store.db.submit(claim) for _ in range(50)]))

    assert sum(asyncio.run(story())) == 1
