"""Consultants: who they are to a manager, where and for which branches they work, their hours and exceptions.

One rule: the card, the photo and the calendar's address are sealed with the consultant's own key. The id is that of the
person's account. One who leaves keeps the card, because managers must be able to read who came; nothing more is booked.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from store.keys import DataKey, Keyring
from visits.slots import Agenda, Span, Weekly
from visits.tables import bookings, busy_times, consultants, exceptions, working_hours

MOST_PHOTO = 300_000
"""Bytes of a photo."""
_FEED_BYTES = 24
_PAD = 512


@dataclass(frozen=True, slots=True)
class Card:
    """What a manager is told, and where this person works. No branch or no department named: all of them."""

    name: str
    firm: str
    phone: str
    email: str = ""
    departments: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consultant:
    """One consultant as of now."""

    id: str
    card: Card = field(repr=False)
    has_photo: bool
    has_calendar: bool
    calendar_read_at: datetime | None
    calendar_fault: str
    left_on: date | None
    key: DataKey = field(repr=False)

    def serves(self, department: str | None, branch: str | None) -> bool:
        """Whether they go to this department (None: at a distance) for this branch."""
        near = department is None or not self.card.departments or department in self.card.departments
        return near and (not self.card.branches or branch in self.card.branches)


def add(tx: Connection, keyring: Keyring, card: Card, *, account: str = "") -> Consultant:
    """A consultant, under the id of their account if they have one."""
    name = account or secrets.token_hex(12)
    key, wrapped = keyring.new_data_key(name, "consultants")
    row = {"id": name, "wrapped_key": wrapped, "card": _seal(key, name, "card", _json(card), _PAD)}
    tx.execute(insert(consultants).values(row))
    return Consultant(name, card, False, False, None, "", None, key)


def find(tx: Connection, keyring: Keyring, name: str) -> Consultant | None:
    """The consultant with this id, gone or not."""
    row = tx.execute(select(consultants).where(consultants.c.id == name)).one_or_none()
    return _read(keyring, row) if row else None


def working(tx: Connection, keyring: Keyring) -> list[Consultant]:
    """Every consultant who has not left, by id."""
    wanted = select(consultants).where(consultants.c.left_on.is_(None)).order_by(consultants.c.id)
    return [_read(keyring, row) for row in tx.execute(wanted).all()]


def any_working(tx: Connection) -> bool:
    """Whether visits are booked here at all: somebody has hours."""
    here = select(consultants.c.id).where(consultants.c.left_on.is_(None))
    week = here.join(working_hours, working_hours.c.consultant == consultants.c.id)
    beside = here.join(exceptions, exceptions.c.consultant == consultants.c.id).where(exceptions.c.opens)
    return any(tx.scalar(wanted.limit(1)) is not None for wanted in (week, beside))


def change(tx: Connection, consultant: Consultant, card: Card) -> Consultant:
    """Another card."""
    sealed = _seal(consultant.key, consultant.id, "card", _json(card), _PAD)
    tx.execute(update(consultants).where(consultants.c.id == consultant.id).values(card=sealed))
    return replace(consultant, card=card)


def set_photo(tx: Connection, consultant: Consultant, photo: bytes | None) -> None:
    """The photo that a manager sees, as JPEG or PNG bytes; None takes it away."""
    sealed = _seal(consultant.key, consultant.id, "photo", photo) if photo else None
    tx.execute(update(consultants).where(consultants.c.id == consultant.id).values(photo=sealed))


def photo(tx: Connection, consultant: Consultant) -> bytes | None:
    """The photo, or None."""
    sealed = tx.scalar(select(consultants.c.photo).where(consultants.c.id == consultant.id))
    place = {"table": "consultants", "row": consultant.id, "column": "photo"}
    return None if sealed is None else consultant.key.unseal(sealed, **place)


def set_calendar(tx: Connection, consultant: Consultant, address: str | None) -> None:
    """The address of their own calendar; None: none, and what it said is forgotten."""
    sealed = _seal(consultant.key, consultant.id, "calendar", address.encode(), _PAD) if address else None
    row = update(consultants).where(consultants.c.id == consultant.id)
    tx.execute(row.values(calendar=sealed, calendar_read_at=None, calendar_fault=None))
    tx.execute(delete(busy_times).where(busy_times.c.consultant == consultant.id))


def calendar(tx: Connection, consultant: Consultant) -> str | None:
    """The address of their own calendar."""
    sealed = tx.scalar(select(consultants.c.calendar).where(consultants.c.id == consultant.id))
    place = {"table": "consultants", "row": consultant.id, "column": "calendar"}
    return None if sealed is None else consultant.key.unseal(sealed, **place).decode()


def set_busy(tx: Connection, name: str, spans: Iterable[Span], now: datetime) -> None:
    """What their own calendar says, in place of what it said."""
    tx.execute(delete(busy_times).where(busy_times.c.consultant == name))
    ends: dict[datetime, datetime] = {}
    for span in spans:
        ends[span.start] = max(span.end, ends.get(span.start, span.end))
    rows = [{"consultant": name, "starts_at": start, "ends_at": end} for start, end in ends.items()]
    if rows:
        tx.execute(insert(busy_times), rows)
    row = update(consultants).where(consultants.c.id == name)
    tx.execute(row.values(calendar_read_at=now, calendar_fault=None))


def calendar_failed(tx: Connection, name: str, fault: str) -> None:
    """Why their calendar could not be read; what it said last stands."""
    tx.execute(update(consultants).where(consultants.c.id == name).values(calendar_fault=fault))


def new_feed(tx: Connection, keyring: Keyring, name: str) -> str:
    """Draw the secret of the address where their visits can be read as a calendar; an earlier one stops working."""
    secret = secrets.token_urlsafe(_FEED_BYTES)
    tx.execute(update(consultants).where(consultants.c.id == name).values(feed=keyring.digest("feed", secret)))
    return secret


def of_feed(tx: Connection, keyring: Keyring, secret: str) -> Consultant | None:
    """Whose feed this secret opens."""
    mine = consultants.c.feed == keyring.digest("feed", secret)
    row = tx.execute(select(consultants).where(mine, consultants.c.left_on.is_(None))).one_or_none()
    return _read(keyring, row) if row else None


def set_hours(tx: Connection, name: str, hours: Iterable[Weekly]) -> None:
    """The hours of the week, in place of those before. Raises ValueError on hours that end before they begin."""
    kept = list(hours)
    if any(not (0 <= h.weekday <= 6 and 0 <= h.opens < h.closes <= 24 * 60) for h in kept):
        raise ValueError("hours must begin before they end, on one day")
    tx.execute(delete(working_hours).where(working_hours.c.consultant == name))
    rows = [{"consultant": name, **h._asdict()} for h in kept]
    if rows:
        tx.execute(insert(working_hours), rows)


def add_exception(tx: Connection, name: str, span: Span, *, opens: bool) -> str:
    """An absence, or (`opens`) hours beside the week, holidays included; its id."""
    if span.start >= span.end:
        raise ValueError("an exception ends after it begins")
    key = secrets.token_hex(8)
    row = {"id": key, "consultant": name, "starts_at": span.start, "ends_at": span.end, "opens": opens}
    tx.execute(insert(exceptions).values(row))
    return key


def exceptions_of(tx: Connection, name: str, since: datetime) -> list[tuple[str, Span, bool]]:
    """The exceptions that are not over: id, when, whether it opens."""
    mine = (exceptions.c.consultant == name) & (exceptions.c.ends_at > since)
    rows = tx.execute(select(exceptions).where(mine).order_by(exceptions.c.starts_at))
    return [(row.id, Span(row.starts_at, row.ends_at), row.opens) for row in rows]


def drop_exception(tx: Connection, name: str, key: str) -> bool:
    """Take an exception of this consultant back; False if it is not there."""
    mine = (exceptions.c.consultant == name) & (exceptions.c.id == key)
    return tx.execute(delete(exceptions).where(mine)).rowcount == 1


def agendas(tx: Connection, names: Iterable[str], now: datetime, *, but: str = "") -> dict[str, Agenda]:
    """The time of these consultants from now on; the booking `but` counts for nothing (it is being moved)."""
    wanted = list(names)
    found: dict[str, dict[str, list[Any]]] = {
        name: {"weekly": [], "openings": [], "absences": [], "busy": [], "visits": []} for name in wanted
    }
    for row in tx.execute(select(working_hours).where(working_hours.c.consultant.in_(wanted))):
        found[row.consultant]["weekly"].append(Weekly(row.weekday, row.opens, row.closes))
    for row in tx.execute(select(exceptions).where(exceptions.c.consultant.in_(wanted), exceptions.c.ends_at > now)):
        found[row.consultant]["openings" if row.opens else "absences"].append(Span(row.starts_at, row.ends_at))
    for row in tx.execute(select(busy_times).where(busy_times.c.consultant.in_(wanted), busy_times.c.ends_at > now)):
        found[row.consultant]["busy"].append(Span(row.starts_at, row.ends_at))
    stands = (bookings.c.status == "booked") | ((bookings.c.status == "held") & (bookings.c.held_until > now))
    mine = select(bookings.c.consultant, bookings.c.starts_at, bookings.c.ends_at, bookings.c.on_site).where(
        bookings.c.consultant.in_(wanted), bookings.c.ends_at > now, stands, bookings.c.id != but
    )
    for row in tx.execute(mine):
        found[row.consultant]["visits"].append((Span(row.starts_at, row.ends_at), row.on_site))
    return {name: Agenda(**{part: tuple(rows) for part, rows in parts.items()}) for name, parts in found.items()}


def leave(tx: Connection, name: str, today: date) -> bool:
    """A consultant leaves: no time is on offer any more. Their visits to come are the caller's to cancel."""
    here = (consultants.c.id == name) & consultants.c.left_on.is_(None)
    left = update(consultants).where(here).values(left_on=today, feed=None, calendar=None)
    return tx.execute(left).rowcount == 1


def _read(keyring: Keyring, row: Any) -> Consultant:
    key = keyring.unwrap(row.id, row.wrapped_key, "consultants")
    told = json.loads(key.unseal(row.card, table="consultants", row=row.id, column="card"))
    departments, branches = tuple(told.pop("departments")), tuple(told.pop("branches"))
    return Consultant(
        id=row.id,
        card=Card(**told, departments=departments, branches=branches),
        has_photo=row.photo is not None,
        has_calendar=row.calendar is not None,
        calendar_read_at=row.calendar_read_at,
        calendar_fault=row.calendar_fault or "",
        left_on=row.left_on,
        key=key,
    )


def _json(card: Card) -> bytes:
    return json.dumps(asdict(card), ensure_ascii=False).encode()


def _seal(key: DataKey, name: str, column: str, plain: bytes, pad_to: int = 1) -> bytes:
    return key.seal(plain, table="consultants", row=name, column=column, pad_to=pad_to)
