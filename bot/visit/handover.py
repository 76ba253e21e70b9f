"""What a consultant is handed over of a visit, as its manager agreed: what the firm told, the summary of its answers.

One rule: who reads writes it in the access log, in the same transaction. What changed is marked against what was there
the time before: at the booking first, then at each opening that found something new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import Connection

from access import openings
from bot.house import House
from dialogue import session as one
from dialogue import sessions
from dialogue.events import RECORD, Record
from dialogue.present import label_of
from dialogue.session import Session
from dialogue.summary.make import read_of, summary
from dialogue.summary.value import Read, Summary, Told, Visit
from store import conversations
from visits import bookings, files
from visits.bookings import Booking
from visits.slots import PARIS

Paper = Literal["summary", "summary_paper"]
SHOWN = (
    *("rdv-adresse", "rdv-postal", "rdv-contact", "rdv-telephone", "rdv-e-mail", "rdv-presta-jour", "rdv-prestataire"),
    *("rdv-postes", "rdv-caisses", "rdv-siret"),
)
"""What the firm told, in the order in which it is read; its name stands apart."""


@dataclass(frozen=True)
class Seen:
    """What was there last, and what was there the time before, where something had changed in between."""

    last: Read
    before: Read | None = None


_SEEN = TypeAdapter(Seen)


def begin(house: House, tx: Connection, booking: Booking, session: Session) -> None:
    """A visit was just booked: keep what may be handed over of today, and what later answers are compared with."""
    key = bookings.key_of(tx, house.store.keyring, booking)
    if key is None or booking.sharing == "none":
        return
    if booking.sharing == "now":
        files.keep(tx, key, booking.id, booking.conversation, "handed", one.dump(session))
    _keep(house, tx, booking, Seen(_read(house, tx, session)))


def visit_of(house: House, booking: Booking, told: Mapping[str, str]) -> Visit:
    """The visit as papers and pages say it."""
    asked = house.content.forms["booking"]
    lines = []
    for node in SHOWN:
        question = asked.question(node)
        if node in told and question is not None:
            lines.append(Told(house.words.label(f"told_{node}"), label_of(house.words, question, told[node])))
    minutes = int((booking.ends_at - booking.starts_at).total_seconds()) // 60
    return Visit(told.get("rdv-entreprise", ""), booking.starts_at, minutes, booking.on_site, tuple(lines))


def opened(house: House, tx: Connection, account: str, booking: Booking, what: Paper) -> Summary:
    """The summary, for the consultant of the visit: its opening is written down, and what they have seen."""
    session, records = _handed(house, tx, booking)
    seen = _seen(house, tx, booking)
    if session is not None and seen is not None:
        now = _read(house, tx, session)
        if _differ(now, seen.last):
            seen = Seen(now, seen.last)
            _keep(house, tx, booking, seen)
    note(house, tx, account, booking, what)
    told = bookings.details(tx, house.store.keyring, booking) or {}
    return summary(
        house.flow if session is None else house.flow_of(tx, session.fingerprint),
        session,
        house.words,
        house.content.referential.preparation,
        made_on=_today(house),
        visit=visit_of(house, booking, told),
        own_words=session.words if session else {},
        records=records,
        since=seen.before if seen else None,
    )


def note(house: House, tx: Connection, account: str, booking: Booking, what: openings.What) -> None:
    """Write in the access log that this account opened that; a firm that phoned has no conversation to read it in."""
    if booking.conversation is not None:
        openings.opened(tx, account, booking.conversation, what, house.now())


def changed(house: House, tx: Connection, booking: Booking) -> bool:
    """Whether the answers differ from those last seen by the consultant, or told of by a letter."""
    session, _ = _handed(house, tx, booking)
    seen = _seen(house, tx, booking)
    return session is not None and seen is not None and _differ(_read(house, tx, session), seen.last)


def _handed(house: House, tx: Connection, booking: Booking) -> tuple[Session | None, list[Record]]:
    """The Autodiag as its manager agreed to hand it over, and the log of what led to it."""
    if booking.sharing == "none" or booking.conversation is None or booking.booked_at is None:
        return None, []
    loaded = conversations.load(tx, house.store.keyring, booking.conversation, lock=False)
    if loaded is None:
        return None, []
    records = [RECORD.validate_json(fact) for fact in conversations.facts_of(tx, loaded)]
    if booking.sharing == "later":
        return sessions.load(loaded.snapshot).autodiag, records
    kept = files.kept(tx, loaded.key, booking.id, "handed")
    until = booking.booked_at.isoformat(timespec="seconds")
    return (one.load(kept) if kept else None), [record for record in records if record.at <= until]


def _read(house: House, tx: Connection, session: Session) -> Read:
    return read_of(house.flow_of(tx, session.fingerprint), session, session.words, on=_today(house))


def _seen(house: House, tx: Connection, booking: Booking) -> Seen | None:
    key = bookings.key_of(tx, house.store.keyring, booking)
    kept = files.kept(tx, key, booking.id, "read") if key else None
    return _SEEN.validate_json(kept) if kept else None


def _keep(house: House, tx: Connection, booking: Booking, seen: Seen) -> None:
    key = bookings.key_of(tx, house.store.keyring, booking)
    if key is not None:
        files.keep(tx, key, booking.id, booking.conversation, "read", _SEEN.dump_json(seen))


def _differ(one: Read, other: Read) -> bool:
    return replace(one, on=other.on) != other


def _today(house: House) -> date:
    return house.now().astimezone(PARIS).date()
