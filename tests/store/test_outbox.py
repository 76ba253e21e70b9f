"""The outbox: oldest first on a line, one at a time there; what may have left is marked so; what is over stays over."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from store import conversations, outbox
from store.conversations import Conversation
from store.keys import Tampered
from store.open import Store
from store.outbox import Job
from store.tables import outbox as table

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEASE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
Begin = Callable[..., Conversation]


def put(store: Store, conversation: Conversation, *payloads: bytes, at: datetime = NOON, **more: Any) -> None:
    def work(tx: Connection) -> None:
        for payload in payloads:
            outbox.append(
                tx,
                conversation.key,
                conversation=conversation.id,
                revision=conversation.revision,
                kind="send",
                due_at=at,
                payload=payload,
                **{"line": conversation.id, **more},
            )

    store.db.write(work)


def claim(store: Store, at: datetime = NOON) -> Job | None:
    return store.db.write(lambda tx: outbox.claim(tx, at, LEASE, kinds=["send", "reach"]))


def taken(store: Store, at: datetime = NOON) -> Job:
    job = claim(store, at)
    assert job
    return job


def finish(store: Store, job: Job, at: datetime = NOON) -> None:
    store.db.write(lambda tx: outbox.done(tx, job, at))


def rows(store: Store, *names: str) -> list[tuple[Any, ...]]:
    wanted = select(*(table.c[name] for name in names)).order_by(table.c.id)
    return [tuple(row) for row in store.db.read(lambda tx: tx.execute(wanted).all())]


def test_jobs_of_a_line_leave_in_order_and_one_at_a_time(store: Store, begin: Begin) -> None:
    one, other = begin(store), begin(store)
    put(store, one, b"a", b"b")
    put(store, other, b"c", at=NOON + SECOND)
    later = NOON + timedelta(seconds=2)
    first, second = taken(store, later), taken(store, later)
    assert outbox.opened(one.key, first) == b"a"
    assert second.conversation == other.id
    assert claim(store, later) is None
    finish(store, first)
    assert outbox.opened(one.key, taken(store, later)) == b"b"


def test_a_timer_blocks_nobody_and_nobody_blocks_it(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"in a week", at=NOON + timedelta(days=7), line=None)
    put(store, here, b"a", b"b")
    put(store, here, b"timer", line=None)
    found = [outbox.opened(here.key, taken(store)) for _ in range(2)]
    assert found == [b"a", b"timer"]
    assert claim(store) is None


def test_a_retry_holds_what_is_behind_it(store: Store, begin: Begin) -> None:
    put(store, begin(store), b"a", b"b")
    first = taken(store)
    store.db.write(lambda tx: outbox.retry(tx, first, NOON + LEASE, maybe=False, reason="closed"))
    assert claim(store) is None
    assert store.db.read(lambda tx: outbox.next_due(tx, ["send"])) == NOON + LEASE
    assert rows(store, "next_at") == [(NOON + LEASE,), (NOON + LEASE,)]  # the next is not even looked at
    again = taken(store, NOON + LEASE)
    assert (again.id, again.attempts, again.maybe_done) == (first.id, 2, False)


@pytest.mark.parametrize("how", [outbox.fail, outbox.doubt])
def test_giving_up_lets_the_next_one_go_and_keeps_what_was_to_be_said_sealed(
    store: Store, begin: Begin, how: Callable[..., None]
) -> None:
    here = begin(store)
    put(store, here, b"a", b"b")
    first = taken(store)
    store.db.write(lambda tx: how(tx, first, NOON, "refused"))
    assert outbox.opened(here.key, taken(store)) == b"b"
    state, reason, payload = rows(store, "state", "reason", "payload")[0]
    assert (state, reason) == ({outbox.fail: "failed", outbox.doubt: "unknown"}[how], "refused")
    assert payload == first.payload


@pytest.mark.parametrize("how", ["lease", "release", "retry", "retry, then refused"])
def test_what_may_have_left_is_marked_so(store: Store, begin: Begin, how: str) -> None:
    put(store, begin(store), b"a")
    first = taken(store)
    assert not first.maybe_done
    at = NOON
    if how == "lease":
        at = NOON + LEASE
    elif how == "release":
        assert store.db.write(lambda tx: outbox.release(tx, NOON)) == 1
    else:
        store.db.write(lambda tx: outbox.retry(tx, first, NOON, maybe=True))
    if how == "retry, then refused":  # that the second try surely did not leave says nothing of the first
        second = taken(store)
        store.db.write(lambda tx: outbox.retry(tx, second, NOON, maybe=False))
    assert taken(store, at).maybe_done


def test_whoever_was_overtaken_settles_nothing(store: Store, begin: Begin) -> None:
    put(store, begin(store), b"a")
    slow = taken(store)
    quick = taken(store, NOON + LEASE)
    settled: list[Callable[[Connection], None]] = [
        lambda tx: outbox.done(tx, slow, NOON),
        lambda tx: outbox.retry(tx, slow, NOON, maybe=True),
        lambda tx: outbox.fail(tx, slow, NOON, "late"),
        lambda tx: outbox.doubt(tx, slow, NOON, "late"),
    ]
    for settle in settled:
        with pytest.raises(outbox.Overtaken):
            store.db.write(settle)
    assert rows(store, "state", "claims") == [("taken", 2)]
    finish(store, quick)
    with pytest.raises(outbox.Overtaken):
        finish(store, slow)


def test_what_was_saved_with_a_mark_that_came_too_late_is_not_saved(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"a")
    slow = taken(store)
    taken(store, NOON + LEASE)

    def settle(tx: Connection) -> None:
        conversations.forget_facts(tx, here)
        tx.execute(text("UPDATE conversations SET step = 'written'"))
        outbox.done(tx, slow, NOON)

    with pytest.raises(outbox.Overtaken):
        store.db.write(settle)
    assert store.db.read(lambda tx: tx.scalar(text("SELECT step FROM conversations"))) != "written"


def test_a_job_still_under_way_here_is_not_taken_again_when_its_lease_ends(store: Store, begin: Begin) -> None:
    put(store, begin(store), b"a")
    job = taken(store)
    late = NOON + timedelta(days=1)
    assert store.db.write(lambda tx: outbox.claim(tx, late, LEASE, but=[job.id])) is None
    assert store.db.read(lambda tx: outbox.next_due(tx, ["send"], but=[job.id])) is None


def test_a_job_whose_time_has_passed_is_settled_and_never_done(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"a", expires_at=NOON + LEASE)
    put(store, here, b"b", expires_at=NOON + timedelta(days=1))
    first = taken(store, NOON + LEASE)
    assert first.expired
    assert rows(store, "state", "payload", "settled_at")[0] == ("expired", None, NOON + LEASE)
    second = taken(store, NOON + LEASE)
    assert not second.expired
    assert outbox.opened(here.key, second) == b"b"


def test_a_payload_opens_at_its_own_place_only(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"canary-payload")
    job = taken(store)
    assert job.payload
    assert b"canary" not in job.payload
    moved = Job(**{name: getattr(job, name) for name in Job.__slots__} | {"n": 7})
    with pytest.raises(Tampered):
        outbox.opened(here.key, moved)


def test_behind_a_job_stand_the_next_of_its_line(store: Store, begin: Begin) -> None:
    one, other = begin(store), begin(store)
    put(store, one, b"a", b"b", b"c")
    put(store, one, b"elsewhere", line="other")
    put(store, other, b"d")
    job = taken(store)
    behind = store.db.read(lambda tx: outbox.after(tx, job))
    assert [outbox.opened(one.key, each) for each in behind] == [b"b", b"c"]
    store.db.write(lambda tx: outbox.absorb(tx, [each.id for each in behind], NOON))
    assert store.db.read(lambda tx: outbox.after(tx, job)) == []
    finish(store, job)
    assert {taken(store).line, taken(store).line} == {"other", other.id}


def test_one_timer_a_key_moves_earlier_and_later_and_is_armed_again(store: Store, begin: Begin) -> None:
    here = begin(store)

    def timer(due_at: datetime | None) -> None:
        store.db.write(lambda tx: outbox.schedule(tx, kind="reach", key=here.id, due_at=due_at, conversation=here.id))

    timer(None)
    assert rows(store, "id") == []
    timer(NOON + LEASE)
    timer(NOON)
    job = taken(store)
    finish(store, job)
    assert claim(store, NOON + timedelta(days=9)) is None
    timer(NOON + timedelta(days=1))
    timer(NOON + timedelta(days=2))
    assert claim(store, NOON + timedelta(days=1)) is None
    again = taken(store, NOON + timedelta(days=2))
    assert (again.id, again.attempts, again.claims) == (job.id, 1, 2)
    timer(None)
    assert rows(store, "state", "conversation") == [("done", here.id)]


@pytest.mark.parametrize("again_at", [NOON + timedelta(days=1), None])
def test_a_timer_set_while_it_is_being_done_stays_as_it_was_set(
    store: Store, begin: Begin, again_at: datetime | None
) -> None:
    here = begin(store)
    store.db.write(lambda tx: outbox.schedule(tx, kind="reach", key=here.id, due_at=NOON, conversation=here.id))
    job = taken(store)
    store.db.write(lambda tx: outbox.schedule(tx, kind="reach", key=here.id, due_at=again_at))
    finish(store, job)
    store.db.write(lambda tx: outbox.retry(tx, job, NOON, maybe=True))
    assert store.db.read(lambda tx: outbox.next_due(tx, ["reach"])) == again_at


def test_a_clock_that_went_back_holds_nothing_that_was_to_leave_at_once(store: Store, begin: Begin) -> None:
    here, tomorrow = begin(store), NOON + timedelta(days=1)
    put(store, here, b"a", at=tomorrow)
    put(store, here, b"timer", at=tomorrow, line=None)
    store.db.write(lambda tx: outbox.bring_back(tx, NOON))
    assert outbox.opened(here.key, taken(store)) == b"a"
    assert claim(store) is None


def test_what_is_over_is_forgotten_what_was_given_up_later(store: Store, begin: Begin) -> None:
    for _ in range(3):
        put(store, begin(store), b"a")
    one, other = taken(store), taken(store)
    finish(store, one)
    store.db.write(lambda tx: outbox.fail(tx, other, NOON, "refused"))
    week, month = NOON - timedelta(days=7), NOON - timedelta(days=30)
    assert store.db.write(lambda tx: outbox.forget(tx, week, month)) == 0
    assert store.db.write(lambda tx: outbox.forget(tx, NOON + SECOND, month)) == 1
    assert rows(store, "state") == [("failed",), ("waiting",)]
    assert store.db.write(lambda tx: outbox.forget(tx, NOON + SECOND, NOON + SECOND)) == 1


def test_an_id_is_never_given_twice(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"a")
    first = taken(store)
    store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, here.id))
    put(store, begin(store), b"b")
    assert taken(store).id > first.id


@pytest.mark.databases("sqlite", because="it reads SQLite's plans")
def test_taking_a_job_looks_through_neither_what_is_done_nor_what_waits(store: Store) -> None:
    row = {"kind": "send", "due_at": NOON, "next_at": NOON, "attempts": 1, "claims": 1, "state": "done"}
    store.db.write(lambda tx: tx.execute(insert(table), [{**row, "settled_at": NOON}] * 50))

    def plans(tx: Connection) -> list[str]:
        asked: list[str] = []
        raw = tx.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(asked.append)
        outbox.claim(tx, NOON, LEASE, kinds=["send"])
        outbox.next_due(tx, ["send"])
        raw.set_trace_callback(None)
        return [row[3] for one in asked for row in raw.execute(f"EXPLAIN QUERY PLAN {one}")]

    steps = store.db.write(plans)
    read = [step for step in steps if "outbox" in step or "older" in step]
    assert len(read) > 3
    assert not [step for step in read if not re.search(r"ix_outbox_(next_at|line)_id|PRIMARY KEY", step)]
    assert not [step for step in steps if "TEMP B-TREE" in step]
