"""The outbox: oldest first in a conversation, one at a time there, and what may have left is marked so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from store import outbox
from store.conversations import Conversation
from store.keys import Tampered
from store.open import Store
from store.outbox import Job
from store.tables import outbox as table

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEASE = timedelta(minutes=1)
Begin = Callable[..., Conversation]


def put(store: Store, conversation: Conversation, *payloads: bytes, at: datetime = NOON) -> None:
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
            )

    store.db.write(work)


def claim(store: Store, at: datetime = NOON) -> Job | None:
    return store.db.write(lambda tx: outbox.claim(tx, at, LEASE, kinds=["send"]))


def test_jobs_of_a_conversation_leave_in_order_and_one_at_a_time(store: Store, begin: Begin) -> None:
    one, other = begin(store), begin(store)
    put(store, one, b"a", b"b")
    put(store, other, b"c", at=NOON + timedelta(seconds=1))
    later = NOON + timedelta(seconds=2)
    first, second = claim(store, later), claim(store, later)
    assert first
    assert second
    assert outbox.opened(one.key, first) == b"a"
    assert second.conversation == other.id
    assert claim(store, later) is None
    store.db.write(lambda tx: outbox.done(tx, first.id))
    third = claim(store, later)
    assert third
    assert outbox.opened(one.key, third) == b"b"


def test_a_retry_holds_what_is_behind_it(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"a", b"b")
    first = claim(store)
    assert first
    store.db.write(lambda tx: outbox.retry(tx, first.id, NOON + LEASE, maybe=False))
    assert claim(store) is None
    assert store.db.read(lambda tx: outbox.next_due(tx, ["send"])) == NOON + LEASE
    again = claim(store, NOON + LEASE)
    assert again
    assert (again.id, again.attempts, again.maybe_done) == (first.id, 2, False)


def test_giving_up_lets_the_next_one_go(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"a", b"b")
    first = claim(store)
    assert first
    store.db.write(lambda tx: outbox.fail(tx, first.id))
    following = claim(store)
    assert following
    assert outbox.opened(here.key, following) == b"b"
    state = store.db.read(lambda tx: tx.execute(select(table.c.state, table.c.payload).order_by(table.c.id)).first())
    assert state is not None
    assert tuple(state) == ("failed", None)


@pytest.mark.parametrize("how", ["lease", "release", "retry"])
def test_what_may_have_left_is_marked_so(store: Store, begin: Begin, how: str) -> None:
    put(store, begin(store), b"a")
    first = claim(store)
    assert first
    assert not first.maybe_done
    if how == "release":
        assert store.db.write(outbox.release) == 1
    if how == "retry":
        store.db.write(lambda tx: outbox.retry(tx, first.id, NOON, maybe=True))
    again = claim(store, NOON + LEASE if how == "lease" else NOON)
    assert again
    assert again.maybe_done


def test_a_payload_opens_at_its_own_place_only(store: Store, begin: Begin) -> None:
    here = begin(store)
    put(store, here, b"canary-payload")
    job = claim(store)
    assert job
    assert job.payload
    assert b"canary" not in job.payload
    moved = Job(**{name: getattr(job, name) for name in Job.__slots__} | {"n": 7})
    with pytest.raises(Tampered):
        outbox.opened(here.key, moved)


def test_behind_a_job_stand_the_next_of_its_conversation(store: Store, begin: Begin) -> None:
    one, other = begin(store), begin(store)
    put(store, one, b"a", b"b", b"c")
    put(store, other, b"d")
    job = claim(store)
    assert job
    behind = store.db.read(lambda tx: outbox.after(tx, job))
    assert [outbox.opened(one.key, each) for each in behind] == [b"b", b"c"]
