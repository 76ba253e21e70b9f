"""A conversation is saved whole, erased for good, and does not come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from store import codes, conversations, flows, inbox, outbox, tables, ways
from store.conversations import Moved
from store.engine import Database, Unavailable
from store.keys import Tampered


def _load(store: Any, name: str) -> Any:
    return store.db.read(lambda tx: conversations.load(tx, store.keyring, name, lock=False))


def test_a_turn_saves_the_snapshot_and_adds_facts(store: Any, begin: Any) -> None:
    first = begin(store, snapshot=b"one")
    second = store.db.write(
        lambda tx: conversations.save(tx, first, snapshot=b"two", facts=[b"a", b"b"], status="done", branch="optique")
    )
    assert (second.revision, second.snapshot, second.status, second.branch) == (2, b"two", "done", "optique")
    found = _load(store, first.id)
    assert (found.revision, found.snapshot, found.status, found.branch, found.entry) == (
        2,
        b"two",
        "done",
        "optique",
        "web",
    )
    assert store.db.read(lambda tx: conversations.facts_of(tx, found)) == [b"started", b"a", b"b"]


def test_a_stale_conversation_is_not_saved_over_a_newer_one(store: Any, begin: Any) -> None:
    old = begin(store)
    store.db.write(lambda tx: conversations.save(tx, old, snapshot=b"newer"))
    with pytest.raises(Moved):
        store.db.write(lambda tx: conversations.save(tx, old, snapshot=b"stale", facts=[b"lost"]))
    assert _load(store, old.id).snapshot == b"newer"


def test_nothing_said_stands_in_clear_anywhere(place: Any, store: Any, begin: Any) -> None:
    canary = b"Boulangerie Martin, mot de passe 1234"
    first = begin(store, snapshot=canary, facts=[canary])
    store.db.write(lambda tx: conversations.save(tx, first, snapshot=canary + b"!", facts=[canary]))
    assert first.id.encode() in place.everything()
    assert b"Boulangerie Martin" not in place.everything()
    assert canary.decode() not in repr(_load(store, first.id))


def test_a_snapshot_copied_into_another_conversation_is_refused(store: Any, begin: Any) -> None:
    mine, theirs = begin(store), begin(store)
    row = tables.conversations
    for column in ("snapshot", "wrapped_key"):
        stolen = store.db.read(lambda tx, c=column: tx.scalar(select(row.c[c]).where(row.c.id == theirs.id)))
        kept = store.db.read(lambda tx, c=column: tx.scalar(select(row.c[c]).where(row.c.id == mine.id)))
        store.db.write(
            lambda tx, c=column, v=stolen: tx.execute(row.update().where(row.c.id == mine.id).values({c: v}))
        )
        with pytest.raises(Tampered):
            _load(store, mine.id)
        store.db.write(lambda tx, c=column, v=kept: tx.execute(row.update().where(row.c.id == mine.id).values({c: v})))
    assert _load(store, mine.id) is not None


def test_a_revision_turned_back_in_sql_is_noticed(store: Any, begin: Any) -> None:
    first = begin(store)
    store.db.write(lambda tx: conversations.save(tx, first, snapshot=b"2"))
    store.db.write(lambda tx: tx.execute(tables.conversations.update().values(revision=1)))
    with pytest.raises(Tampered):
        _load(store, first.id)


def test_snapshots_of_different_lengths_look_alike(store: Any, begin: Any) -> None:
    for size in (0, 10, 1500):
        begin(store, snapshot=b"x" * size, facts=[b"y" * (size // 10)])
    for column in (tables.conversations.c.snapshot, tables.facts.c.payload):
        lengths = store.db.read(lambda tx, c=column: set(tx.scalars(select(func.length(c))).all()))
        assert len(lengths) == 1


def _everything(store: Any, noon: Any, conversation: Any) -> None:
    """Give a conversation a row in every table that can hold one."""

    def work(tx: Any) -> None:
        ways.issue(tx, store.keyring, conversation.id, "device", noon.date())
        codes.issue_code(tx, store.keyring, conversation.id, noon)
        sealed = conversation.key.seal(b"hello", table="outbox", row="1", column="payload")
        outbox.enqueue(tx, conversation=conversation.id, revision=1, n=0, kind="send", due_at=noon, payload=sealed)

    store.db.write(work)


def _rows(store: Any) -> dict[str, int]:
    names = ("conversations", "facts", "ways", "codes", "outbox")
    return store.db.read(lambda tx: {n: tx.scalar(text(f"SELECT count(*) FROM {n}")) for n in names})  # type: ignore[no-any-return]


@pytest.mark.databases("sqlite", because="PostgreSQL keeps deleted rows until its VACUUM and its log is recycled")
def test_erasing_leaves_no_trace_in_any_file(place: Any, store: Any, begin: Any, noon: Any) -> None:
    canary = "CANARI-campagne-7"
    gone = begin(store, snapshot=b"secret", campaign=canary, branch=canary)
    _everything(store, noon, gone)
    table = tables.conversations
    key, snapshot = store.db.read(
        lambda tx: tx.execute(select(table.c.wrapped_key, table.c.snapshot).where(table.c.id == gone.id)).one()
    )
    traces = [canary.encode(), gone.id.encode(), key, snapshot[:64]]
    everywhere = place.everything()
    assert all(trace in everywhere for trace in traces)
    assert all(count == 1 for count in _rows(store).values())

    assert store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, gone.id))
    assert store.db.scrub()

    assert not any(_rows(store).values())
    for file in [*place.data.iterdir(), store.journal.path]:
        assert not [trace for trace in traces if trace in file.read_bytes()], file
    assert store.journal.holds(store.keyring, gone.id)
    assert not store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, gone.id))


@pytest.mark.databases("sqlite", because="there is nothing to scrub on PostgreSQL")
def test_scrubbing_says_when_a_reader_was_in_the_way(place: Any, store: Any, begin: Any) -> None:
    hurried = Database(place.url, patience=0.1)

    def reading(tx: Any) -> bool:
        tx.execute(select(tables.meta)).all()
        begin(store)
        return hurried.scrub()

    assert store.db.read(reading) is False
    assert hurried.scrub() is True
    hurried.close()


def test_a_restored_backup_does_not_bring_the_erased_back(place: Any, store: Any, begin: Any) -> None:
    gone, kept = begin(store), begin(store)
    store.close()
    with place.backed_up() as restore:
        again = place.open()
        again.db.write(lambda tx: conversations.erase(tx, again.keyring, again.journal, gone.id))
        again.close()
        place.open().close()  # the journal is replayed, and marked as such, on the database of today
        restore()

    restored = place.open()
    assert _load(restored, gone.id) is None
    assert _load(restored, kept.id) is not None
    if restored.db.is_sqlite:
        assert gone.id.encode() not in place.everything()
    restored.close()


def test_a_journal_line_cut_by_a_crash_spoils_no_other(store: Any, begin: Any) -> None:
    first, second = begin(store), begin(store)
    store.journal.write(store.keyring, first.id)
    with store.journal.path.open("ab") as file:
        file.write(b"\n0a1b")
    store.journal.write(store.keyring, second.id)
    assert store.db.write(lambda tx: store.journal.replay(tx, store.keyring)) == 2
    assert store.db.write(lambda tx: store.journal.replay(tx, store.keyring)) == 0


def test_without_a_journal_nothing_is_erased(store: Any, begin: Any) -> None:
    kept = begin(store)
    store.journal.path.mkdir()  # where a file is written
    with pytest.raises(Unavailable, match="Rien n'a été effacé"):
        store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, kept.id))
    assert _load(store, kept.id) is not None


def test_the_purge_takes_what_is_due_and_nothing_else(store: Any, begin: Any, noon: Any) -> None:
    day = timedelta(days=1)
    due, later = begin(store, purge_on=noon.date()), begin(store, purge_on=noon.date() + day)
    tried = begin(store, trial=True, trial_until=noon + day)
    assert store.db.write(lambda tx: conversations.purge(tx, noon)) == 1
    assert _load(store, due.id) is None
    assert store.db.write(lambda tx: conversations.purge(tx, noon + day - timedelta(minutes=1))) == 1
    assert _load(store, later.id) is None
    assert _load(store, tried.id) is not None
    assert store.db.write(lambda tx: conversations.purge(tx, noon + day)) == 1
    assert not any(_rows(store).values())


def test_a_message_seen_before_is_known_until_forgotten(store: Any, today: Any) -> None:
    def claim(door: str, name: str) -> bool:
        return store.db.write(lambda tx: inbox.claim(tx, store.keyring, door, name, today))  # type: ignore[no-any-return]

    assert [claim("web", "1"), claim("web", "1"), claim("telegram", "1"), claim("web", "2")] == [
        True,
        False,
        True,
        True,
    ]
    assert store.db.write(lambda tx: inbox.forget(tx, today)) == 0
    assert store.db.write(lambda tx: inbox.forget(tx, today + timedelta(days=1))) == 3
    assert claim("web", "1")


def test_a_pinned_flow_stays_as_it_was(store: Any) -> None:
    store.db.write(lambda tx: flows.pin(tx, "abc", "autodiag", "1", "content"))
    store.db.write(lambda tx: flows.pin(tx, "abc", "autodiag", "1", "other"))
    assert store.db.read(lambda tx: flows.pinned(tx, "abc")) == ("autodiag", "content")
    assert store.db.read(lambda tx: flows.pinned(tx, "xyz")) is None


def test_a_recurring_job_is_taken_once_and_again_if_its_taker_died(store: Any, noon: Any) -> None:
    minute = timedelta(minutes=1)
    tomorrow = noon + timedelta(days=1)
    write = store.db.write
    for _ in range(2):
        write(lambda tx: outbox.arm(tx, kind="purge", key="2026-11-23", due_at=tomorrow))
    assert write(lambda tx: outbox.claim(tx, noon, minute)) is None
    job = write(lambda tx: outbox.claim(tx, tomorrow, minute))
    assert (job.kind, job.dedup, job.attempts) == ("purge", "purge/2026-11-23", 1)
    assert write(lambda tx: outbox.claim(tx, tomorrow, minute)) is None
    assert write(lambda tx: outbox.claim(tx, tomorrow + minute, minute)).attempts == 2
    with pytest.raises(outbox.Overtaken):
        write(lambda tx: outbox.done(tx, job, tomorrow))
    again = write(lambda tx: outbox.claim(tx, tomorrow + 2 * minute, minute))
    write(lambda tx: outbox.done(tx, again, tomorrow))
    assert write(lambda tx: outbox.claim(tx, tomorrow + timedelta(days=9), minute)) is None
    assert write(lambda tx: outbox.forget(tx, tomorrow, tomorrow)) == 0
    assert write(lambda tx: outbox.forget(tx, tomorrow + minute, tomorrow)) == 1


def test_a_moment_without_a_time_zone_is_refused(store: Any, noon: Any) -> None:
    with pytest.raises(Exception, match="time zone"):
        store.db.write(lambda tx: outbox.arm(tx, kind="purge", key="x", due_at=noon.replace(tzinfo=None)))
