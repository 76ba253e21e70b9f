"""What must be done after COMMIT: rows written with the turn, taken when due under a lease.

One rule: oldest first within a conversation, and its next job waits until the one before is settled. A job taken is
marked as being done before anything leaves: one found so after its lease may have been done already (`maybe_done`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, or_, select, update

from store.keys import DataKey
from store.tables import insert_once, outbox

WAITING, TAKEN, MAYBE, DONE, FAILED = "waiting", "taken", "maybe", "done", "failed"
"""`taken`: somebody is at it; `maybe`: tried, and the outside may have got it; `failed`: given up, loudly."""
_OPEN = (WAITING, TAKEN, MAYBE)


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do. `payload` is sealed; `attempts` counts this one; `maybe_done`: a try of it may have worked."""

    id: int
    kind: str
    conversation: str | None
    revision: int | None
    n: int | None
    dedup: str | None
    payload: bytes | None = field(repr=False)
    due_at: datetime
    attempts: int
    maybe_done: bool = False


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


def append(
    tx: Connection, key: DataKey, *, conversation: str, revision: int, kind: str, due_at: datetime, payload: bytes
) -> None:
    """Seal one more thing that this revision must do, after those it has. The caller holds the conversation's lock."""
    mine = and_(outbox.c.conversation == conversation, outbox.c.revision == revision)
    n = tx.scalar(select(func.coalesce(func.max(outbox.c.n) + 1, 0)).where(mine)) or 0
    sealed = key.seal(payload, table="outbox", row=_at(conversation, revision, n), column="payload")
    enqueue(tx, conversation=conversation, revision=revision, n=n, kind=kind, due_at=due_at, payload=sealed)


def opened(key: DataKey, job: Job) -> bytes:
    """The payload that `append` sealed. Raises store.keys.Tampered."""
    row = _at(job.conversation or "", job.revision or 0, job.n or 0)
    return key.unseal(job.payload or b"", table="outbox", row=row, column="payload")


def claim(
    tx: Connection, now: datetime, lease: timedelta, *, kind: str | None = None, kinds: Collection[str] | None = None
) -> Job | None:
    """Take the oldest due job for the time of a lease, or None. Commit before doing it."""
    wanted = select(outbox).where(outbox.c.due_at <= now, _head())
    wanted = wanted.where(or_(outbox.c.expires_at.is_(None), outbox.c.expires_at > now))
    only = [kind] if kind is not None else kinds
    if only is not None:
        wanted = wanted.where(outbox.c.kind.in_(only))
    oldest = wanted.order_by(outbox.c.due_at, outbox.c.id).limit(1).with_for_update(skip_locked=True)
    found = [row for free in _free(now) if (row := tx.execute(oldest.where(free)).one_or_none())]
    if not found:
        return None
    row = min(found, key=lambda row: (row.due_at, row.id))
    mark = {"attempts": row.attempts + 1, "leased_until": now + lease, "state": TAKEN}
    tx.execute(update(outbox).where(outbox.c.id == row.id).values(mark))
    return _job(row, attempts=row.attempts + 1)


def next_due(tx: Connection, kinds: Collection[str]) -> datetime | None:
    """When the next job of these kinds may be taken; None if none waits. Reads only."""
    at = func.coalesce(outbox.c.leased_until, outbox.c.due_at)
    wanted = select(outbox.c.leased_until, outbox.c.due_at).where(outbox.c.state.in_(_OPEN), _head())
    row = tx.execute(wanted.where(outbox.c.kind.in_(kinds)).order_by(at).limit(1)).one_or_none()
    found: datetime | None = None if row is None else row.leased_until or row.due_at
    return found


def after(tx: Connection, job: Job) -> list[Job]:
    """The jobs of the same conversation that wait behind this one, oldest first."""
    behind = (outbox.c.conversation == job.conversation) & (outbox.c.id > job.id) & (outbox.c.state == WAITING)
    return [_job(row) for row in tx.execute(select(outbox).where(behind).order_by(outbox.c.id))]


def done(tx: Connection, job: int) -> None:
    """Mark the job of this id done and drop its payload; the row stays, so that its key is not taken twice."""
    tx.execute(update(outbox).where(outbox.c.id == job).values(state=DONE, payload=None, leased_until=None))


def retry(tx: Connection, job: int, due_at: datetime, *, maybe: bool) -> None:
    """Do it again at this time. `maybe`: the outside may have got it this time."""
    state = MAYBE if maybe else WAITING
    tx.execute(update(outbox).where(outbox.c.id == job).values(state=state, due_at=due_at, leased_until=None))


def fail(tx: Connection, job: int) -> None:
    """Give up: drop the payload, keep the row and its state to be counted, and let the next one go."""
    tx.execute(update(outbox).where(outbox.c.id == job).values(state=FAILED, payload=None, leased_until=None))


def release(tx: Connection) -> int:
    """Free what a dead process was at, as maybe done. For the one process that owns the database, at start."""
    freed = update(outbox).where(outbox.c.state == TAKEN).values(state=MAYBE, leased_until=None)
    return tx.execute(freed).rowcount


def forget(tx: Connection, before: datetime) -> int:
    """Delete the jobs done or given up that were due before this moment; how many."""
    over = outbox.c.state.in_((DONE, FAILED))
    return tx.execute(delete(outbox).where(over, outbox.c.due_at < before)).rowcount


def _free(now: datetime) -> Sequence[ColumnElement[bool]]:
    """What may be taken, one state at a time: the index then gives the oldest without reading all that waits."""
    state = outbox.c.state
    return state == WAITING, state == MAYBE, and_(state == TAKEN, outbox.c.leased_until <= now)


def _head() -> ColumnElement[bool]:
    """Nothing older of the same conversation is still to be settled."""
    older = outbox.alias("older")
    ahead = and_(older.c.conversation == outbox.c.conversation, older.c.id < outbox.c.id, older.c.state.in_(_OPEN))
    return ~exists(select(older.c.id).where(ahead))


def _at(conversation: str, revision: int, n: int) -> str:
    return f"{conversation}/{revision}/{n}"


def _job(row: object, **changed: int) -> Job:
    found = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 — SQLAlchemy's public name for a row as a mapping
    names = ("id", "kind", "conversation", "revision", "n", "dedup", "payload", "due_at", "attempts")
    return Job(**{name: found[name] for name in names} | changed, maybe_done=found["state"] in (TAKEN, MAYBE))
