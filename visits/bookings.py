"""A visit: a time held while its manager confirms, booked, moved, cancelled. Rows of one transaction, the caller's.

One rule: a time is never given twice. Whoever takes or gives one back locks the book (`lock`), looks again, then writes
the visit's quarter hours, whose primary key refuses a second owner whatever was seen. The conversation is locked before
the book, always: there is one book, so nobody can wait in a circle.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from store import conversations
from store.keys import DataKey, Keyring
from store.tables import insert_once
from visits import consultants, files
from visits.slots import Agenda, Rules, Span, free, is_free, slices
from visits.tables import bookings, branch_places, visit_slices

HELD_FOR = timedelta(minutes=10)
AT_MOST = timedelta(minutes=30)
"""A time is held for 10 minutes; each answer given meanwhile starts them again, up to this in all."""
_PAD = 1024
_BOOK = ""

Sharing = Literal["later", "now", "none"]
"""What the manager lets the consultant read: answers and those to come; those of that day; contact details only."""
By = Literal["manager", "consultant", "erasure"]
Milestone = Literal["visit", "report", "debrief"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for. `department`: None at a distance; `only`: this consultant; `but`: a visit to move."""

    on_site: bool
    department: str | None
    branch: str | None
    only: str = ""
    but: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """One visit, held, booked or cancelled. What the firm told is read by `details`."""

    id: str
    conversation: str | None
    consultant: str
    status: Literal["held", "booked", "cancelled"]
    held_until: datetime | None
    held_since: datetime | None
    starts_at: datetime
    ends_at: datetime
    on_site: bool
    branch: str | None
    sharing: Sharing
    booked_at: datetime | None
    sequence: int
    moves: int
    cancelled_by: By | None
    visit_on: date | None
    report_on: date | None
    debrief_on: date | None
    support_from: date | None
    support_to: date | None
    support_days: int | None
    wrapped_key: bytes | None = field(repr=False)
    sealed: bytes | None = field(repr=False)

    @property
    def span(self) -> Span:
        """When it is."""
        return Span(self.starts_at, self.ends_at)

    def open_until(self) -> date:
        """The last day when its consultant may read it: 30 days after the last milestone done or planned."""
        days = (self.starts_at.date(), self.visit_on, self.report_on, self.debrief_on, self.support_to)
        return max(day for day in days if day is not None) + timedelta(days=30)


def times(tx: Connection, keyring: Keyring, rules: Rules, now: datetime, want: Wanted) -> dict[datetime, list[str]]:
    """The free starts, in order, each with the consultants who are free then."""
    found: dict[datetime, list[str]] = {}
    for name, agenda in _agendas(tx, keyring, now, want).items():
        for start in free(agenda, rules, now, on_site=want.on_site):
            found.setdefault(start, []).append(name)
    return dict(sorted(found.items()))


def hold(
    tx: Connection,
    keyring: Keyring,
    rules: Rules,
    now: datetime,
    want: Wanted,
    start: datetime,
    *,
    conversation: str | None,
    sharing: Sharing = "none",
) -> Booking | None:
    """Hold this time with whoever is free then, the least busy first; None when it was taken meanwhile, or has passed.

    Another time that this conversation holds is given back.
    """
    if conversation is not None:
        release(tx, conversation)
    if not _able(tx, keyring, rules, now, want, start):
        return None
    lock(tx)
    able = _able(tx, keyring, rules, now, want, start)
    load = _load(tx, able) if len(able) > 1 else {}
    for name in sorted(able, key=lambda each: (load.get(each, 0), each)):
        if held := _hold(tx, rules, now, want, start, name, conversation, sharing):
            return held
    return None


def prolong(tx: Connection, booking: Booking, now: datetime) -> None:
    """Start the 10 minutes again: its manager is answering."""
    last = (booking.held_since or now) + AT_MOST
    mine = (bookings.c.id == booking.id) & (bookings.c.status == "held")
    tx.execute(update(bookings).where(mine).values(held_until=min(now + HELD_FOR, last)))


def confirm(
    tx: Connection, keyring: Keyring, booking: Booking, told: Mapping[str, str], now: datetime, key: DataKey | None
) -> Booking:
    """Book a time that is held. `told`: what the firm says, sealed with `key`, the conversation's, or its own."""
    wrapped = None
    if key is None:
        key, wrapped = keyring.new_data_key(booking.id, "bookings")
    row = {
        "status": "booked",
        "held_until": None,
        "booked_at": now,
        "wrapped_key": wrapped,
        "details": _seal(key, booking.id, told),
    }
    tx.execute(update(bookings).where(bookings.c.id == booking.id).values(row))
    return _known(tx, booking.id)


def move(tx: Connection, booking: Booking, held: Booking) -> Booking:
    """Put a booked visit at the time that `held` holds; it keeps its id, code and details, and counts one more move."""
    lock(tx)
    tx.execute(delete(visit_slices).where(visit_slices.c.booking.in_((booking.id, held.id))))
    tx.execute(delete(bookings).where(bookings.c.id == held.id))
    rows = [{"consultant": held.consultant, "slice": n, "booking": booking.id} for n in slices(held.span)]
    tx.execute(insert(visit_slices), rows)
    row = {
        "consultant": held.consultant,
        "starts_at": held.starts_at,
        "ends_at": held.ends_at,
        "sequence": booking.sequence + 1,
        "moves": booking.moves + 1,
    }
    tx.execute(update(bookings).where(bookings.c.id == booking.id).values(row))
    return _known(tx, booking.id)


def cancel(tx: Connection, booking: Booking, by: By, *, to_call: bool = False) -> Booking:
    """Cancel a booked visit: its time is on offer again at once, and what the firm told is forgotten.

    `to_call`: it is kept until the call that tells the firm is made, for there is no other way to reach it.
    """
    row = {"status": "cancelled", "cancelled_by": by, "sequence": booking.sequence + 1}
    lock(tx)
    tx.execute(delete(visit_slices).where(visit_slices.c.booking == booking.id))
    tx.execute(update(bookings).where(bookings.c.id == booking.id).values(row))
    if not to_call:
        forget_details(tx, booking.id)
    return _known(tx, booking.id)


def lock(tx: Connection) -> None:
    """Open the book for this transaction alone, until its end: who takes times and places, and who gives them back."""
    book = select(branch_places.c.branch).where(branch_places.c.branch == _BOOK).with_for_update()
    if tx.execute(book).one_or_none() is None:
        insert_once(tx, branch_places, branch=_BOOK)
        tx.execute(book)


def release(tx: Connection, conversation: str) -> None:
    """Give back what a conversation holds."""
    held = (bookings.c.conversation == conversation) & (bookings.c.status == "held")
    if tx.execute(select(bookings.c.id).where(held)).first() is not None:
        lock(tx)
        tx.execute(delete(bookings).where(held))


def free_expired(tx: Connection, now: datetime) -> int:
    """Give back every time held for too long; how many."""
    lock(tx)
    return tx.execute(delete(bookings).where(bookings.c.status == "held", bookings.c.held_until <= now)).rowcount


def find(tx: Connection, name: str, *, lock: bool = False) -> Booking | None:
    """The visit with this id, whatever its status."""
    wanted = select(bookings).where(bookings.c.id == name)
    row = tx.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _read(row) if row else None


def stamp(booking: Booking) -> str:
    """A visit as it stands, for what is said of it later."""
    return f"{booking.id}/{booking.sequence}"


def stands(tx: Connection, stamp: str) -> bool:
    """Whether a visit still is as it was when it was stamped, and its manager still there."""
    name, _, sequence = stamp.partition("/")
    found = find(tx, name)
    return found is not None and found.conversation is not None and str(found.sequence) == sequence


def held_by(tx: Connection, conversation: str) -> Booking | None:
    """What a conversation holds, expired or not as long as nobody else took it."""
    mine = (bookings.c.conversation == conversation) & (bookings.c.status == "held")
    row = tx.execute(select(bookings).where(mine)).one_or_none()
    return _read(row) if row else None


def booked_by(tx: Connection, conversation: str) -> Booking | None:
    """The visit booked by a conversation that is not done: the last one."""
    mine = (bookings.c.conversation == conversation) & (bookings.c.status == "booked") & bookings.c.visit_on.is_(None)
    row = tx.execute(select(bookings).where(mine).order_by(bookings.c.starts_at.desc()).limit(1)).one_or_none()
    return _read(row) if row else None


def of_consultant(tx: Connection, name: str, today: date) -> list[Booking]:
    """The visits booked with this consultant that they may still read, by time."""
    mine = (bookings.c.consultant == name) & (bookings.c.status == "booked")
    rows = tx.execute(select(bookings).where(mine).order_by(bookings.c.starts_at)).all()
    return [booking for row in rows if (booking := _read(row)).open_until() >= today]


def ahead(tx: Connection, now: datetime, *, consultant: str = "") -> list[Booking]:
    """The visits booked and not begun, of one consultant or of all, by time."""
    wanted = select(bookings).where(bookings.c.status == "booked", bookings.c.starts_at > now)
    if consultant:
        wanted = wanted.where(bookings.c.consultant == consultant)
    return [_read(row) for row in tx.execute(wanted.order_by(bookings.c.starts_at))]


def key_of(tx: Connection, keyring: Keyring, booking: Booking) -> DataKey | None:
    """The key that seals what the firm told: the visit's own, or its conversation's; None once that was erased."""
    if booking.wrapped_key is not None:
        return keyring.unwrap(booking.id, booking.wrapped_key, "bookings")
    found = conversations.key_of(tx, keyring, booking.conversation) if booking.conversation else None
    return found[0] if found else None


def details(tx: Connection, keyring: Keyring, booking: Booking) -> dict[str, str] | None:
    """What the firm told, by question; None when it was erased."""
    key = key_of(tx, keyring, booking) if booking.sealed is not None else None
    if key is None or booking.sealed is None:
        return None
    told: dict[str, str] = json.loads(key.unseal(booking.sealed, table="bookings", row=booking.id, column="details"))
    return told


def forget_details(tx: Connection, name: str) -> None:
    """What the firm told for this visit is kept no longer, nor what its consultant was handed over."""
    files.forget(tx, name)
    tx.execute(update(bookings).where(bookings.c.id == name).values(details=None, wrapped_key=None))


def mark(tx: Connection, booking: Booking, milestone: Milestone, on: date | None) -> None:
    """Note the day of a milestone, or take it back. Who calls also tells the conversation (`Marked`)."""
    tx.execute(update(bookings).where(bookings.c.id == booking.id).values({f"{milestone}_on": on}))


def mark_support(tx: Connection, booking: Booking, since: date | None, until: date | None, days: int | None) -> None:
    """Note the support days: from, to, how many; or take them back. Raises ValueError when they end first."""
    if since is not None and until is not None and until < since:
        raise ValueError("support ends after it begins")
    row = {"support_from": since, "support_to": until, "support_days": days}
    tx.execute(update(bookings).where(bookings.c.id == booking.id).values(row))


def used(tx: Connection, now: datetime) -> dict[str, int]:
    """Places taken of each branch's quota: visits booked, and times held."""
    stands = (bookings.c.status == "booked") | ((bookings.c.status == "held") & (bookings.c.held_until > now))
    counted = select(bookings.c.branch, func.count()).where(stands, bookings.c.branch.is_not(None))
    return {row[0]: row[1] for row in tx.execute(counted.group_by(bookings.c.branch))}


def _agendas(tx: Connection, keyring: Keyring, now: datetime, want: Wanted) -> Mapping[str, Agenda]:
    able = [
        each.id
        for each in consultants.working(tx, keyring)
        if each.serves(want.department, want.branch) and want.only in ("", each.id)
    ]
    return consultants.agendas(tx, able, now, but=want.but)


def _able(tx: Connection, keyring: Keyring, rules: Rules, now: datetime, want: Wanted, start: datetime) -> list[str]:
    """Who is free then."""
    return [name for name, agenda in _agendas(tx, keyring, now, want).items() if _free(agenda, rules, now, want, start)]


def _free(agenda: Agenda, rules: Rules, now: datetime, want: Wanted, start: datetime) -> bool:
    return is_free(agenda, rules, now, start, on_site=want.on_site)


def _load(tx: Connection, names: list[str]) -> dict[str, int]:
    counted = select(bookings.c.consultant, func.count()).where(
        bookings.c.consultant.in_(names), bookings.c.status == "booked", bookings.c.visit_on.is_(None)
    )
    return {row[0]: row[1] for row in tx.execute(counted.group_by(bookings.c.consultant))}


def _hold(
    tx: Connection,
    rules: Rules,
    now: datetime,
    want: Wanted,
    start: datetime,
    name: str,
    conversation: str | None,
    sharing: Sharing,
) -> Booking | None:
    over = (bookings.c.consultant == name) & (bookings.c.status == "held") & (bookings.c.held_until <= now)
    tx.execute(delete(bookings).where(over))
    span = Span(start, start + rules.lasts(on_site=want.on_site))
    row = {
        "id": secrets.token_hex(16),
        "conversation": conversation,
        "consultant": name,
        "status": "held",
        "held_until": now + HELD_FOR,
        "held_since": now,
        "starts_at": span.start,
        "ends_at": span.end,
        "on_site": want.on_site,
        "branch": want.branch,
        "sharing": sharing,
        "sequence": 0,
        "moves": 0,
    }
    tx.execute(insert(bookings).values(row))
    if not _take_slices(tx, name, row["id"], span, but=want.but):
        tx.execute(delete(bookings).where(bookings.c.id == row["id"]))
        return None
    return _known(tx, str(row["id"]))


def _take_slices(tx: Connection, consultant: str, booking: object, span: Span, *, but: str) -> bool:
    """Write the visit's quarter hours, in order; False as soon as one belongs to another visit.

    Those that the visit being moved (`but`) already has stay its own until the move.
    """
    for number in slices(span):
        if insert_once(tx, visit_slices, consultant=consultant, slice=number, booking=booking):
            continue
        mine = (visit_slices.c.consultant == consultant) & (visit_slices.c.slice == number)
        owner = tx.scalar(select(visit_slices.c.booking).where(mine))
        if not but or owner != but:
            return False
    return True


def _known(tx: Connection, name: str) -> Booking:
    found = find(tx, name)
    if found is None:
        raise LookupError("this visit was just written")
    return found


def _seal(key: DataKey, name: str, told: Mapping[str, str]) -> bytes:
    plain = json.dumps(dict(told), ensure_ascii=False).encode()
    return key.seal(plain, table="bookings", row=name, column="details", pad_to=_PAD)


def _read(row: Any) -> Booking:
    names = (name for name in Booking.__slots__ if name != "sealed")
    return Booking(**{name: getattr(row, name) for name in names}, sealed=row.details)


def forget(tx: Connection, now: datetime) -> None:
    """Give back what was held for too long, and delete the visits that nobody may read any more.

    One that took place stays a year, without what the firm told once its consultant may not read it: it counts.
    """
    free_expired(tx, now)
    old = now - timedelta(days=365)
    gone = (bookings.c.status == "cancelled") & (bookings.c.starts_at < now - timedelta(days=30))
    done = (bookings.c.status == "booked") & (bookings.c.starts_at < old)
    tx.execute(delete(bookings).where((gone | done) & bookings.c.support_to.is_(None)))
    supported = (bookings.c.status == "booked") & (bookings.c.support_to < old.date())
    tx.execute(delete(bookings).where(supported))
    for row in tx.execute(select(bookings).where(bookings.c.details.is_not(None), bookings.c.starts_at < now)).all():
        if (booking := _read(row)).open_until() < now.date():
            forget_details(tx, booking.id)
