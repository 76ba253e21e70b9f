"""What must be done after COMMIT: rows written with the turn, taken when due under a lease.

Minimal for now: the table, the recurring jobs (the purge) and one taker. Order within a conversation, retries and
giving up loudly come with the worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from store.tables import insert_once, outbox

WAITING, DONE = "waiting", "done"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do. `payload` is sealed; `attempts` counts this one."""

    id: int
    kind: str
    conversation: str | None
    revision: int | None
    n: int | None
    dedup: str | None
    payload: bytes | None = field(repr=False)
    due_at: datetime
    attempts: int


def enqueue(
    tx: Connection,
    *,
    conversation: str,
    revision: int,
    n: int,
    kind: str,
    due_at: datetime,
    payload: bytes | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Add the n-th thing that this revision of a conversation must do."""
    row = {
        "conversation": conversation,
        "revision": revision,
        "n": n,
        "kind": kind,
        "payload": payload,
        "due_at": due_at,
        "expires_at": expires_at,
        "attempts": 0,
        "state": WAITING,
    }
    tx.execute(insert(outbox).values(row))


def enqueue_unique(tx: Connection, kind: str, key: str, due_at: datetime) -> bool:
    """Add a job of no conversation (the purge of a day) unless it is known under this key; True if added."""
    return insert_once(tx, outbox, dedup=f"{kind}/{key}", kind=kind, due_at=due_at, attempts=0, state=WAITING)


def claim(tx: Connection, now: datetime, lease: timedelta, *, kind: str | None = None) -> Job | None:
    """Take the oldest due job for the time of a lease, or None. Commit before doing it."""
    free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now)
    wanted = select(outbox).where(outbox.c.state == WAITING, outbox.c.due_at <= now, free)
    wanted = wanted.where(or_(outbox.c.expires_at.is_(None), outbox.c.expires_at > now))
    if kind is not None:
        wanted = wanted.where(outbox.c.kind == kind)
    oldest = wanted.order_by(outbox.c.due_at, outbox.c.id).limit(1).with_for_update(skip_locked=True)
    row = tx.execute(oldest).one_or_none()
    if row is None:
        return None
    tx.execute(update(outbox).where(outbox.c.id == row.id).values(attempts=row.attempts + 1, leased_until=now + lease))
    return Job(
        id=row.id,
        kind=row.kind,
        conversation=row.conversation,
        revision=row.revision,
        n=row.n,
        dedup=row.dedup,
        payload=row.payload,
        due_at=row.due_at,
        attempts=row.attempts + 1,
    )


def done(tx: Connection, job: int) -> None:
    """Mark the job of this id done and drop its payload; the row stays, so that its key is not taken twice."""
    tx.execute(update(outbox).where(outbox.c.id == job).values(state=DONE, payload=None, leased_until=None))


def forget(tx: Connection, before: datetime) -> int:
    """Delete the jobs done that were due before this moment; how many."""
    return tx.execute(delete(outbox).where(outbox.c.state == DONE, outbox.c.due_at < before)).rowcount
