"""What must be done after COMMIT: rows written with the turn, taken when due under a lease.

One rule: on a line, oldest first, and the next waits until the one before is settled. A job taken is marked as being
done before anything leaves: one found so after its lease may have been done already (`maybe_done`). Whoever took it
last settles it, and nobody else. The operator's hands are in store.backlog.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Executable,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from store.keys import DataKey
from store.tables import insert_once, outbox
from store.taking import TAKEN, head, take

WAITING, MAYBE = "waiting", "maybe"
"""To be done; to be done, and the outside may have got it already. `TAKEN`: somebody is at it."""
DONE, FAILED, EXPIRED, UNKNOWN, DROPPED = "done", "failed", "expired", "unknown", "dropped"
"""Settled: done; given up; its time had passed; may have been done and must not be twice; taken out by hand."""


class Overtaken(Exception):
    """The lease ended and somebody else took this job: what was to be saved with its mark must not be."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do. `payload` is sealed; `attempts` counts this one; `maybe_done`: a try of it may have worked.

    `claims` tells this taking of it from any other. `expired`: its time had passed, it is settled, do nothing.
    """

    id: int
    kind: str
    conversation: str | None
    revision: int | None
    n: int | None
    dedup: str | None
    line: str | None
    payload: bytes | None = field(repr=False)
    due_at: datetime
    attempts: int
    claims: int
    maybe_done: bool = False
    expired: bool = False


def enqueue(
    tx: Connection,
    *,
    conversation: str,
    revision: int,
    n: int,
    kind: str,
    due_at: datetime,
    line: str | None = None,
    payload: bytes | None = None,
    expires_at: datetime | None = None,
    once: str | None = None,
) -> bool:
    """Add the n-th thing that this revision of a conversation must do; `append` counts and seals. True if added.

    `line`: what must leave in order, and stops together while the outside is down: a line for what leaves at once by
    one way. None, a timer: it blocks nobody, and nobody blocks it. After `expires_at` it is not done any more.
    `once`: not added if this kind is known under this key, done or not.
    """
    row = {
        "conversation": conversation,
        "revision": revision,
        "n": n,
        "kind": kind,
        "line": line,
        "payload": payload,
        "due_at": due_at,
        "next_at": due_at,
        "expires_at": expires_at,
        "attempts": 0,
        "claims": 0,
        "state": WAITING,
    }
    if once is not None:
        return insert_once(tx, outbox, dedup=_key(kind, once), **row)
    tx.execute(_INSERT, row)
    return True


def append(
    tx: Connection,
    key: DataKey,
    *,
    conversation: str,
    revision: int,
    kind: str,
    due_at: datetime,
    payload: bytes,
    line: str | None,
    expires_at: datetime | None = None,
    once: str | None = None,
) -> bool:
    """Seal one more thing that this revision must do, after those it has. The caller holds the conversation's lock."""
    n = tx.scalar(_NEXT_N, {"conversation": conversation, "revision": revision}) or 0
    sealed = key.seal(payload, table="outbox", row=_at(conversation, revision, n), column="payload")
    return enqueue(
        tx,
        conversation=conversation,
        revision=revision,
        n=n,
        kind=kind,
        due_at=due_at,
        line=line,
        payload=sealed,
        expires_at=expires_at,
        once=once,
    )


def post(
    tx: Connection,
    key: DataKey,
    *,
    kind: str,
    once: str,
    due_at: datetime,
    payload: bytes,
    line: str | None,
    expires_at: datetime | None = None,
) -> bool:
    """Seal a thing to do of no conversation, unless this kind is known under this key, done or not; True if added."""
    name = _key(kind, once)
    sealed = key.seal(payload, table="outbox", row=name, column="payload")
    return insert_once(
        tx,
        outbox,
        dedup=name,
        kind=kind,
        line=line,
        payload=sealed,
        due_at=due_at,
        next_at=due_at,
        expires_at=expires_at,
        attempts=0,
        claims=0,
        state=WAITING,
    )


def opened(key: DataKey, job: Job) -> bytes:
    """The payload that `append` or `post` sealed. Raises store.keys.Tampered."""
    row = _at(job.conversation, job.revision or 0, job.n or 0) if job.conversation else job.dedup or ""
    return key.unseal(job.payload or b"", table="outbox", row=row, column="payload")


def schedule(tx: Connection, *, kind: str, key: str, due_at: datetime | None, conversation: str | None = None) -> None:
    """Set the one timer of this kind and key: new, earlier, later, or armed again after it was done; None disarms it.

    `conversation`: the one it is about, and goes with. No payload: whoever does it (`bot.worker.Writes`) reads what is
    true then. Set under the lock of what it is about, and set again by its own doer if there is more to come: that one
    is kept.
    """
    name = _key(kind, key)
    if due_at is None:
        disarmed = update(outbox).where(outbox.c.dedup == name, outbox.c.settled_at.is_(None))
        tx.execute(disarmed.values(state=DONE, settled_at=outbox.c.next_at))
        return
    row = {"dedup": name, "kind": kind, "conversation": conversation, "due_at": due_at, "next_at": due_at}
    tx.execute(_scheduling(tx.dialect.name), row)


def arm(tx: Connection, *, kind: str, key: str, due_at: datetime) -> None:
    """`schedule`, unless it is set already."""
    known = select(outbox.c.id).where(outbox.c.dedup == _key(kind, key), outbox.c.settled_at.is_(None))
    if tx.scalar(known) is None:
        schedule(tx, kind=kind, key=key, due_at=due_at)


def claim(
    tx: Connection,
    now: datetime,
    lease: timedelta,
    *,
    kinds: Collection[str] | None = None,
    but: Collection[int] = (),
) -> Job | None:
    """Take the oldest due job for the time of a lease, or None. Commit before doing it.

    One whose time has passed is settled, and given back as `expired`: nothing is to be done but say so, and ask again.
    `but`: what the caller is still at, whatever became of its lease.
    """
    given = {"now": now, "until": now + lease, "kinds": list(kinds or ()), "but": [0, *but]}
    row = take(tx, kinds is not None, given)
    if row is None:
        return None
    expired = row["expires_at"] is not None and row["expires_at"] <= now
    if expired:
        past = update(outbox).where(outbox.c.id == row["id"])
        tx.execute(past.values(state=EXPIRED, settled_at=now, payload=None))
    return _job(row, maybe_done=row["was"] in (TAKEN, MAYBE), expired=expired)


def next_due(tx: Connection, kinds: Collection[str], but: Collection[int] = ()) -> datetime | None:
    """When the next job of these kinds may be taken; None if none waits. Reads only."""
    found: datetime | None = tx.scalar(_NEXT_DUE, {"kinds": list(kinds), "but": [0, *but]})
    return found


def after(tx: Connection, job: Job) -> list[Job]:
    """The jobs of the same line that wait behind this one, oldest first."""
    behind = and_(outbox.c.line == job.line, outbox.c.id > job.id, outbox.c.settled_at.is_(None))
    return [_job(row) for row in tx.execute(select(outbox).where(behind).order_by(outbox.c.id)).mappings()]


def done(tx: Connection, job: Job, now: datetime) -> None:
    """Mark a job done and drop its payload; the row stays, so that its key is not taken twice. Raises Overtaken.

    A timer set again meanwhile (`schedule`) stays set.
    """
    _settle(tx, job, state=DONE, settled_at=now, payload=None, reason=None)


def absorb(tx: Connection, behind: Sequence[int], now: datetime) -> None:
    """Mark done what waited behind a job that made it needless."""
    waiting = and_(outbox.c.id.in_(behind), outbox.c.settled_at.is_(None), outbox.c.state != TAKEN)
    tx.execute(update(outbox).where(waiting).values(state=DONE, settled_at=now, payload=None))


def retry(tx: Connection, job: Job, due_at: datetime, *, maybe: bool, reason: str = "") -> None:
    """Do it again at this time. `maybe`: the outside may have got it, this time or before. Raises Overtaken."""
    _settle(tx, job, state=MAYBE if maybe or job.maybe_done else WAITING, next_at=due_at, reason=reason or None)
    if job.line is not None:  # what is behind is not looked at meanwhile, however long the line is
        behind = and_(outbox.c.line == job.line, outbox.c.id > job.id, outbox.c.settled_at.is_(None))
        tx.execute(update(outbox).where(behind, outbox.c.next_at < due_at).values(next_at=due_at))


def fail(tx: Connection, job: Job, now: datetime, reason: str) -> None:
    """Give up: keep the row for the operator, its payload still sealed, and let the next one go. Raises Overtaken."""
    _settle(tx, job, state=FAILED, settled_at=now, reason=reason)


def doubt(tx: Connection, job: Job, now: datetime, reason: str) -> None:
    """It may have been done, and must not be done twice: for the operator to say. Raises Overtaken."""
    _settle(tx, job, state=UNKNOWN, settled_at=now, reason=reason)


def release(tx: Connection, now: datetime) -> int:
    """Free what a dead process was at, as maybe done. For the one process that owns the database, at start."""
    bring_back(tx, now)
    return tx.execute(update(outbox).where(outbox.c.state == TAKEN).values(state=MAYBE, next_at=now)).rowcount


def bring_back(tx: Connection, now: datetime) -> None:
    """After the clock went back: what was to leave at once, or again soon, does not wait for a day that never was."""
    soon = or_(outbox.c.attempts > 0, outbox.c.line.is_not(None))
    ahead = and_(outbox.c.settled_at.is_(None), outbox.c.next_at > now, soon, outbox.c.state != TAKEN)
    tx.execute(update(outbox).where(ahead).values(next_at=now))


def doubt_all(tx: Connection, now: datetime) -> None:
    """After a backup was put back: what was due may have left since. What must not leave twice then does not."""
    due = and_(outbox.c.settled_at.is_(None), outbox.c.due_at <= now)
    tx.execute(update(outbox).where(due).values(state=MAYBE))


def forget(tx: Connection, done_before: datetime, others_before: datetime) -> int:
    """Delete the jobs done before a moment, and those settled otherwise before another; how many."""
    old = or_(
        and_(outbox.c.state == DONE, outbox.c.settled_at < done_before),
        and_(outbox.c.state != DONE, outbox.c.settled_at < others_before),
    )
    over = and_(outbox.c.settled_at.is_not(None), outbox.c.settled_at < max(done_before, others_before), old)
    return tx.execute(delete(outbox).where(over)).rowcount


def _settle(tx: Connection, job: Job, **values: object) -> None:
    """Only whoever took it last: a timer set again or disarmed meanwhile is left as it is."""
    mine = and_(outbox.c.id == job.id, outbox.c.claims == job.claims)
    if tx.execute(update(outbox).where(mine, outbox.c.state == TAKEN).values(**values)).rowcount:
        return
    if tx.scalar(select(outbox.c.id).where(mine)) is None:
        raise Overtaken(job.kind)


def _at(conversation: str, revision: int, n: int) -> str:
    return f"{conversation}/{revision}/{n}"


def _key(kind: str, key: str) -> str:
    return f"{kind}/{key}"


def _job(row: Any, **changed: bool) -> Job:
    names = (
        "id", "kind", "conversation", "revision", "n", "dedup", "line", "payload", "due_at", "attempts", "claims",
    )  # fmt: skip
    return Job(**{name: row[name] for name in names} | changed)


# Statements made once: making one costs as much as running it.

_INSERT = insert(outbox)
_NEXT_N = select(func.coalesce(func.max(outbox.c.n) + 1, 0)).where(
    outbox.c.conversation == bindparam("conversation"), outbox.c.revision == bindparam("revision")
)
_NEXT_DUE = (
    select(outbox.c.next_at)
    .where(outbox.c.settled_at.is_(None), head())
    .where(outbox.c.kind.in_(bindparam("kinds", expanding=True)))
    .where(outbox.c.id.not_in(bindparam("but", expanding=True)))
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(1)
)


@cache
def _scheduling(dialect: str) -> Executable:
    upsert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    fresh = {"attempts": 0, "state": WAITING}
    new = upsert(outbox).values(**fresh, claims=0, **{name: bindparam(name) for name in _TIMER})
    again = {name: new.excluded[name] for name in ("due_at", "next_at")}
    clean = {"settled_at": None, "reason": None}
    return new.on_conflict_do_update(index_elements=["dedup"], set_={**again, **fresh, **clean})


_TIMER = ("dedup", "kind", "conversation", "due_at", "next_at")
