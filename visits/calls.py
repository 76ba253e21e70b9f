"""Calls to make: for a firm that left a telephone number only, each message is a dated task of its consultant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, select, update

from store.tables import insert_once
from visits import bookings
from visits.tables import calls

What = Literal["booked", "moved", "cancelled", "day_before", "two_hours"]


@dataclass(frozen=True, slots=True)
class Call:
    """One task. `due_at`: from when it is to be made."""

    booking: str
    what: What
    consultant: str
    due_at: datetime
    done_at: datetime | None


def ask(tx: Connection, booking: str, consultant: str, what: What, due_at: datetime) -> None:
    """Put a call on the consultant's list; asked again, it is to be made again."""
    tx.execute(delete(calls).where(calls.c.booking == booking, calls.c.what == what))
    insert_once(tx, calls, booking=booking, what=what, consultant=consultant, due_at=due_at)


def to_make(tx: Connection, consultant: str) -> list[Call]:
    """The calls of a consultant that are not made, the most urgent first."""
    mine = select(calls).where(calls.c.consultant == consultant, calls.c.done_at.is_(None))
    return [Call(**row._asdict()) for row in tx.execute(mine.order_by(calls.c.due_at, calls.c.booking))]


def asked(tx: Connection, consultant: str, booking: str) -> bool:
    """Whether a call about this visit was ever on this consultant's list."""
    mine = (calls.c.consultant == consultant) & (calls.c.booking == booking)
    return tx.scalar(select(calls.c.what).where(mine).limit(1)) is not None


def made(tx: Connection, consultant: str, booking: str, what: str, now: datetime) -> bool:
    """Mark a call of this consultant made; False if there is none to make.

    Once it was called about a cancellation, what the firm told is forgotten.
    """
    mine = (calls.c.consultant == consultant) & (calls.c.booking == booking) & (calls.c.what == what)
    if not tx.execute(update(calls).where(mine, calls.c.done_at.is_(None)).values(done_at=now)).rowcount:
        return False
    if what == "cancelled":
        bookings.forget_details(tx, booking)
    return True


def drop(tx: Connection, booking: str) -> None:
    """No call is to be made any more about this visit."""
    tx.execute(delete(calls).where(calls.c.booking == booking, calls.c.done_at.is_(None)))
