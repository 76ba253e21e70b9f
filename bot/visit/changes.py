"""What happens to a visit from outside the conversation: its consultant cancels or leaves, a milestone is reached.

Called by the consultant's space and the command line, in a transaction of theirs. One rule: the conversation is locked
first, then the visit, like in a turn; what its manager must see comes into the conversation as events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from access.accounts import Account
from bot.house import House
from bot.turn import happen
from bot.visit import handover, notices
from bot.visit.booking import CONFIRM, FLOW, TIME
from bot.visit.rules import card, when
from dialogue.events import Mark, Marked, Provided
from store import chats, conversations
from visits import bookings, consultants
from visits.bookings import Booking, Milestone
from visits.consultants import Card, Consultant
from visits.slots import PARIS

DOOR = "visits"
_NOON = time(12)


def consultant_cancels(house: House, tx: Connection, name: str, consultant: str) -> Booking | None:
    """The consultant cancels a visit of theirs that is to come; new times are offered at once. None: no such visit."""
    booking = held(house, tx, name, consultant)
    if booking is None or booking.status != "booked" or booking.starts_at <= house.now():
        return None
    told = bookings.details(tx, house.store.keyring, booking) or {}
    gone = bookings.cancel(tx, booking, "consultant", to_call=notices.by_phone_only(house, booking, told))
    notices.cancelled(house, tx, gone, told)
    if booking.conversation is not None:
        _in_front(
            house, tx, booking.conversation, "booking_expert_cancelled", {"quand": when(house, booking.starts_at)}
        )
        tell_in_chat(house, tx, booking.conversation, house.now() + timedelta(days=2))
    return gone


def consultant_joins(house: House, tx: Connection, account: Account) -> Consultant:
    """A consultant's card, for an account that has none yet: until it is changed, one checks with the programme."""
    person = account.person
    card = Card(person.name, person.firm, house.settings.programme.phone, person.email)
    found = consultants.find(tx, house.store.keyring, account.id)
    return found or consultants.add(tx, house.store.keyring, card, account=account.id)


def consultant_leaves(house: House, tx: Connection, consultant: str) -> int:
    """A consultant works for the programme no more: their visits to come are cancelled, each manager offered others."""
    consultants.leave(tx, consultant, house.today())
    coming = bookings.ahead(tx, house.now(), consultant=consultant)
    return sum(consultant_cancels(house, tx, booking.id, consultant) is not None for booking in coming)


def milestone(
    house: House, tx: Connection, name: str, consultant: str, reached: Milestone, on: date | None
) -> Booking | None:
    """The consultant notes the day of a milestone (None takes it back); the survey follows. None: no such visit."""
    booking = held(house, tx, name, consultant)
    if booking is None or booking.status != "booked":
        return None
    bookings.mark(tx, booking, reached, on)
    _mark(house, tx, booking, reached, on)
    return bookings.find(tx, name)


def support(
    house: House, tx: Connection, name: str, consultant: str, days: tuple[date, date, int] | None
) -> Booking | None:
    """The consultant notes the support days: from, to, how many. Raises ValueError when they end before they begin."""
    booking = held(house, tx, name, consultant)
    if booking is None or booking.status != "booked":
        return None
    since, until, count = days or (None, None, None)
    bookings.mark_support(tx, booking, since, until, count)
    _mark(house, tx, booking, "support", until)
    return bookings.find(tx, name)


def tell_in_chat(house: House, tx: Connection, conversation: str, expires_at: datetime) -> bool:
    """Show the present turn anew in the chats of a conversation, if it has one that takes messages."""
    if not house.settings.telegram.on:
        return False
    from bot.telegram.show import show_anew  # the library takes half a second: only where there is a bot

    return show_anew(house, tx, conversation, expires_at)


def remind(house: House, tx: Connection, name: str, which: str) -> bool:
    """Say again when a visit is, by letter and in the chats; whether it was said anywhere."""
    found = bookings.find(tx, name)
    if found is None or found.conversation is None:
        return False
    if conversations.hold(tx, house.store.keyring, found.conversation) is None:
        return False
    booking = bookings.find(tx, name)
    if booking is None or booking.status != "booked" or booking.starts_at <= house.now():
        return False
    told = bookings.details(tx, house.store.keyring, booking) or {}
    written = notices.write(house, tx, booking, told, "reminder", which=which)
    if not _has_chat(house, tx, found.conversation):
        return written
    known = card(house, tx, booking, told)
    happen(
        house,
        tx,
        found.conversation,
        Provided(FLOW, "rendez-vous", ("rdv-que-faire",), say="booking_reminder", values=known),
        DOOR,
    )
    return tell_in_chat(house, tx, found.conversation, booking.starts_at) or written


def _has_chat(house: House, tx: Connection, conversation: str) -> bool:
    return house.settings.telegram.on and bool(chats.of(tx, conversation))


def tell_consultant(house: House, tx: Connection, name: str) -> bool:
    """The day before: a letter to the consultant if answers changed since they last read them; whether one leaves."""
    booking = bookings.find(tx, name)
    if booking is None or booking.status != "booked" or booking.starts_at <= house.now():
        return False
    return handover.changed(house, tx, booking) and notices.answers_changed(house, tx, booking)


def held(house: House, tx: Connection, name: str, consultant: str) -> Booking | None:
    """The visit, locked after its conversation, if it is this consultant's."""
    seen = bookings.find(tx, name)
    if seen is None or seen.consultant != consultant:
        return None
    if seen.conversation is not None:
        conversations.hold(tx, house.store.keyring, seen.conversation)
    booking = bookings.find(tx, name, lock=True)
    return booking if booking and booking.consultant == consultant else None


def _in_front(house: House, tx: Connection, conversation: str, say: str, values: Mapping[str, str]) -> None:
    happen(house, tx, conversation, Marked("appointment", None), DOOR)
    again = Provided(FLOW, "reserver", (TIME, CONFIRM), say=say, values=values)
    happen(house, tx, conversation, again, DOOR)


def _mark(house: House, tx: Connection, booking: Booking, mark: Mark, on: date | None) -> None:
    if booking.conversation is None:
        return
    at = datetime.combine(on, _NOON, PARIS).astimezone(UTC) if on else None
    happen(house, tx, booking.conversation, Marked(mark, at), DOOR)
