"""The outbox as its operator sees it: what waits, what was given up; done again or taken out by hand.

One rule: numbers, kinds, states, dates and codes; nothing here opens a payload or reads a conversation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, text, update

from store.outbox import DROPPED, FAILED, MAYBE, UNKNOWN, WAITING
from store.tables import GIVEN_UP, outbox
from store.taking import TAKEN

LATE = timedelta(minutes=5)
"""What was due longer ago than this, and is not done, is late: the outside is down, or nobody works."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One job, without what it says or to whom."""

    id: int
    kind: str
    state: str
    due_at: datetime
    settled_at: datetime | None
    attempts: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """`states`: jobs by state, but those done; `due`, `late`: among those to do; `behind`: the age of the oldest."""

    states: Mapping[str, int]
    due: int
    late: int
    behind: timedelta


def health(tx: Connection, now: datetime) -> Health:
    """How the outbox does. Reads only what is not done."""
    by_state = select(outbox.c.state, func.count().label("n")).group_by(outbox.c.state)
    counted = [
        *tx.execute(by_state.where(outbox.c.settled_at.is_(None))),
        *tx.execute(by_state.where(text(GIVEN_UP))),
    ]
    late = case((outbox.c.due_at < now - LATE, 1), else_=0)
    waiting = select(func.count(), func.sum(late), func.min(outbox.c.due_at))
    due, behind, oldest = tx.execute(waiting.where(outbox.c.settled_at.is_(None), outbox.c.due_at <= now)).one()
    states = {WAITING: 0, FAILED: 0, UNKNOWN: 0, "expired": 0} | {row.state: row.n for row in counted}
    return Health(states, due, behind or 0, now - oldest if oldest else timedelta(0))


def listed(tx: Connection, now: datetime, *, everything: bool, limit: int) -> list[Listed]:
    """What needs a hand (given up, in doubt, late), or all that is not done; the oldest first."""
    open_ = outbox.c.settled_at.is_(None)
    wanted = or_(outbox.c.state.in_((FAILED, UNKNOWN)), and_(open_, outbox.c.due_at < now - LATE))
    if everything:
        wanted = or_(open_, text(GIVEN_UP))
    names = [outbox.c[name] for name in Listed.__slots__]
    found = tx.execute(select(*names).where(wanted).order_by(outbox.c.due_at, outbox.c.id).limit(limit))
    return [Listed(**row) for row in found.mappings()]


def again(tx: Connection, now: datetime, ids: Collection[int] | None = None) -> list[int]:
    """Do these now, as if never tried: given up, in doubt, or waiting for a next try; without ids, all given up.

    Gives back which. One whose time has passed, that is being done, or was taken out, stays as it is.
    """
    if ids is None:
        which: ColumnElement[bool] = outbox.c.state == FAILED
    else:
        which = and_(outbox.c.id.in_(ids), outbox.c.state.in_((FAILED, UNKNOWN, WAITING, MAYBE)))
    in_time = or_(outbox.c.expires_at.is_(None), outbox.c.expires_at > now)
    fresh = {"state": WAITING, "attempts": 0, "due_at": now, "next_at": now, "settled_at": None, "reason": None}
    return sorted(tx.scalars(update(outbox).where(which, in_time).values(fresh).returning(outbox.c.id)))


def drop(tx: Connection, now: datetime, ids: Collection[int]) -> list[int]:
    """Take these out for good, with what they were to say; gives back which. One being done stays."""
    open_ = and_(outbox.c.settled_at.is_(None), outbox.c.state != TAKEN)
    mine = and_(outbox.c.id.in_(ids), or_(open_, outbox.c.state.in_((FAILED, UNKNOWN))))
    out = update(outbox).where(mine).values(state=DROPPED, settled_at=now, payload=None)
    return sorted(tx.scalars(out.returning(outbox.c.id)))
