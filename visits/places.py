"""Places of a branch's quota, and who waits for one: served in the order in which they came.

One rule: whoever takes a place has locked the book first (`bookings.lock`), so that the last place is not taken twice.
Quotas are settings; a branch that has none named is not in the programme.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from store.tables import insert_once
from visits import bookings
from visits.tables import waiting

KEPT_FOR = timedelta(days=3)
"""How long a place that frees up is kept for whoever was told, before the next one is."""


def left(tx: Connection, quotas: Mapping[str, int], branch: str, now: datetime, *, me: str = "") -> int:
    """Places that `me` (a conversation) may take: those left, less those kept for whoever was called before."""
    called = select(func.count()).where(
        waiting.c.branch == branch, waiting.c.called_at > now - KEPT_FOR, waiting.c.conversation != me
    )
    return quotas.get(branch, 0) - bookings.used(tx, now).get(branch, 0) - (tx.scalar(called) or 0)


def wait(tx: Connection, conversation: str, branch: str, now: datetime) -> int:
    """Put a conversation on its branch's list, once; its rank, from 1."""
    insert_once(tx, waiting, conversation=conversation, branch=branch, since=now)
    return rank(tx, conversation) or 1


def rank(tx: Connection, conversation: str) -> int | None:
    """The place of a conversation on its list, from 1; None if it is on none."""
    mine = tx.execute(select(waiting).where(waiting.c.conversation == conversation)).one_or_none()
    if mine is None:
        return None
    before = (waiting.c.since < mine.since) | (
        (waiting.c.since == mine.since) & (waiting.c.conversation < conversation)
    )
    return (tx.scalar(select(func.count()).where(waiting.c.branch == mine.branch, before)) or 0) + 1


def stop_waiting(tx: Connection, conversation: str) -> None:
    """Off the list: served, or no longer interested."""
    tx.execute(delete(waiting).where(waiting.c.conversation == conversation))


def call(tx: Connection, quotas: Mapping[str, int], now: datetime) -> list[str]:
    """The conversations to tell now that a place is theirs, first come first told; each is kept a place for a while.

    One called too long ago goes to the end of the list.
    """
    bookings.lock(tx)
    late = waiting.c.called_at <= now - KEPT_FOR
    tx.execute(update(waiting).where(late).values(called_at=None, since=now))
    told: list[str] = []
    for branch in tx.scalars(select(waiting.c.branch).where(waiting.c.called_at.is_(None)).distinct()).all():
        room = max(0, left(tx, quotas, branch, now))
        first = select(waiting.c.conversation).where(waiting.c.branch == branch, waiting.c.called_at.is_(None))
        order = (waiting.c.since, waiting.c.conversation)
        names = tx.scalars(first.order_by(*order).limit(room)).all()
        if names:
            tx.execute(update(waiting).where(waiting.c.conversation.in_(names)).values(called_at=now))
        told += names
    return told


def next_call(tx: Connection) -> datetime | None:
    """When the first place kept for somebody is kept no longer, if any is: the list is looked at again then."""
    first: datetime | None = tx.scalar(select(func.min(waiting.c.called_at)))
    return first + KEPT_FOR if first is not None else None
