"""What leaves because of a visit, put in the outbox in the transaction of what it is about.

Reminders are timers of the visit: when one rings, it reads what is true then, so that a visit moved or cancelled never
reminds of an old time. For a firm that left a telephone number only, each message is a call for its consultant to make.
They are beside the limits of what the bot says first: whoever booked is told, whatever else was said that week.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection

from bot.house import House
from bot.mail.letters import letter_to
from bot.visit.rules import card, host, manager_calendar, organizer
from store import outbox, ways
from store.addresses import BadAddress, read_address
from visits import calls, consultants
from visits.bookings import Booking, stamp
from visits.calls import What
from visits.invitations import invitation

REMIND, LIST, PLACE = "visit.remind", "visit.list", "visit.place"
BEFORE: Mapping[What, timedelta] = {"day_before": timedelta(days=1), "two_hours": timedelta(hours=2)}
PURPOSE, TO_CONSULTANTS = "visits", "consultants"


def booked(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> None:
    """A visit was booked."""
    _remind(house, tx, booking, told)
    write(house, tx, booking, told, "booked")
    if by_phone_only(house, booking, told):
        calls.ask(tx, booking.id, booking.consultant, "booked", house.now())
    _invite(house, tx, booking, "visit_new")


def moved(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> None:
    """A visit was moved by its manager."""
    _remind(house, tx, booking, told)
    write(house, tx, booking, told, "moved")
    _invite(house, tx, booking, "visit_shifted")


def cancelled(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> None:
    """A visit was cancelled, by whoever `booking.cancelled_by` says: its time serves the waiting list."""
    calls.drop(tx, booking.id)
    for what in BEFORE:
        outbox.schedule(tx, kind=REMIND, key=f"{booking.id}/{what}", due_at=None)
    if booking.cancelled_by == "consultant":
        write(house, tx, booking, told, "cancelled")
        if by_phone_only(house, booking, told):
            calls.ask(tx, booking.id, booking.consultant, "cancelled", house.now())
    elif booking.cancelled_by == "manager":
        write(house, tx, booking, told, "given_up")
    _invite(house, tx, booking, "visit_dropped")
    serve_the_list(house, tx)


def serve_the_list(house: House, tx: Connection) -> None:
    """A place may be free: see who waits for it, soon, in a transaction of its own."""
    outbox.schedule(tx, kind=LIST, key="all", due_at=house.now())


def write(
    house: House, tx: Connection, booking: Booking, told: Mapping[str, str], what: str, *, which: str = ""
) -> bool:
    """A letter to the manager about their visit, with a link that opens this visit only; whether one will leave.

    `which`: of several that say the same, such as reminders, the one meant.
    """
    address, conversation = _address(house, booking, told), booking.conversation
    if address is None or conversation is None:
        return False
    keyring, until = house.store.keyring, booking.open_until()
    token = ways.issue(tx, keyring, conversation, "visit", house.today(), until=until)
    values = card(house, tx, booking, told) | {"link": f"{house.settings.server.public_url}/rv/{token}"}
    known = {name: values[name] for name in ("quand", "duree", "expert", "firme", "numero", "link")}
    known["sur_place"] = "oui" if booking.on_site else ""
    calendar = manager_calendar(house, tx, booking, told) if what in ("booked", "moved", "given_up") else ""
    return letter_to(
        house,
        tx,
        address,
        f"visit_{what}",
        known,
        purpose=PURPOSE,
        dedup=f"{what}{which}/{stamp(booking)}",
        expires_at=booking.starts_at if booking.status == "booked" else None,
        calendar=calendar,
        visit=stamp(booking),
    )


def by_phone_only(house: House, booking: Booking, told: Mapping[str, str]) -> bool:
    """Whether nobody can be written to: a telephone number only, or a firm that phoned."""
    return _address(house, booking, told) is None


def _address(house: House, booking: Booking, told: Mapping[str, str]) -> str | None:
    if booking.conversation is None or not house.settings.mail.on or not told.get("rdv-e-mail"):
        return None
    try:
        return read_address(told["rdv-e-mail"])
    except BadAddress:
        return None


def _remind(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> None:
    """The day before and two hours before, those that are still to come."""
    phone = by_phone_only(house, booking, told)
    for what, before in BEFORE.items():
        at = booking.starts_at - before
        ahead = at > house.now()
        if phone and ahead:
            calls.ask(tx, booking.id, booking.consultant, what, at)
        due = at if ahead and booking.conversation is not None else None
        key = f"{booking.id}/{what}"
        outbox.schedule(tx, kind=REMIND, key=key, due_at=due, conversation=booking.conversation)


def answers_changed(house: House, tx: Connection, booking: Booking) -> bool:
    """Tell the consultant that the summary has changed; whether a letter leaves. Nothing of what changed is in it."""
    return _to_consultant(house, tx, booking, "visit_changed")


def _invite(house: House, tx: Connection, booking: Booking, template: str) -> None:
    """The consultant's calendar and mailbox: when, and nothing of the firm; the rest is read behind the sign-in."""
    who = consultants.find(tx, house.store.keyring, booking.consultant)
    if who is not None:
        calendar = invitation(booking, who, organizer(house), host(house), house.now()).decode()
        _to_consultant(house, tx, booking, template, calendar)


def _to_consultant(house: House, tx: Connection, booking: Booking, template: str, calendar: str = "") -> bool:
    who = consultants.find(tx, house.store.keyring, booking.consultant)
    try:
        address = read_address(who.card.email) if who else ""
    except BadAddress:
        return False
    if not address:
        return False
    there = "" if booking.status == "cancelled" else f"/consultant/visites/{booking.id}"
    values = {
        "quand": card(house, tx, booking, {})["quand"],
        "sur_place": "oui" if booking.on_site else "",
        "space": f"{house.settings.server.public_url}/espace{there}",
    }
    return letter_to(
        house,
        tx,
        address,
        template,
        values,
        purpose=TO_CONSULTANTS,
        dedup=f"{template}/{stamp(booking)}",
        calendar=calendar,
    )
