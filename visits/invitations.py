"""A visit as an iCalendar object (RFC 5545): to invite its consultant, to give its manager, to feed a calendar.

One rule: nothing that was answered is in it; to a consultant, not even the firm's name: it is read behind the sign-in.
Times are UTC. The same visit keeps its UID; each change raises SEQUENCE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from icalendar import Alarm, Calendar, Event, vCalAddress, vText, vUri

from visits.bookings import Booking
from visits.consultants import Consultant

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]
_MAKER = "-//Autodiag//Visites//FR"


def invitation(
    booking: Booking, consultant: Consultant, organizer: tuple[str, str], host: str, now: datetime, *, where: str = ""
) -> bytes:
    """What the consultant's calendar is sent: a request, its update, or the cancellation, by the visit's status."""
    cancelled = booking.status == "cancelled"
    event = _event(booking, host, now, "Visite Autodiag", where)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("organizer", _person(*organizer))
    guest = _person(consultant.card.name, consultant.card.email)
    guest.params["ROLE"] = vText("REQ-PARTICIPANT")
    guest.params["PARTSTAT"] = vText("NEEDS-ACTION")
    guest.params["RSVP"] = vText("FALSE")
    event.add("attendee", guest, encode=False)
    return _calendar("CANCEL" if cancelled else "REQUEST", [event])


def for_manager(
    booking: Booking, summary: str, description: str, where: str, host: str, now: datetime, *, url: str = ""
) -> bytes:
    """The same visit for its manager's own calendar, with a reminder an hour before."""
    event = _event(booking, host, now, summary, where)
    event.add("status", "CANCELLED" if booking.status == "cancelled" else "CONFIRMED")
    event.add("description", description)
    if url:
        event.add("url", vUri(url))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", timedelta(hours=-1))
    event.add_component(alarm)
    return _calendar("PUBLISH", [event])


def feed(visits: Iterable[Booking], host: str, now: datetime) -> bytes:
    """A consultant's visits to come and past, as a calendar to subscribe to."""
    events = []
    for booking in visits:
        event = _event(booking, host, now, "Visite Autodiag", "")
        event.add("status", "CONFIRMED")
        events.append(event)
    return _calendar("PUBLISH", events, name="Visites Autodiag")


def _event(booking: Booking, host: str, now: datetime, summary: str, where: str) -> Event:
    event = Event()
    event.add("uid", f"{booking.id}@{host}")
    event.add("dtstamp", now)
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    event.add("sequence", booking.sequence)
    event.add("summary", summary + ("" if booking.on_site else " (à distance)"))
    event.add("transp", "TRANSPARENT" if booking.status == "cancelled" else "OPAQUE")
    if where:
        event.add("location", where)
    return event


def _calendar(method: Method, events: Sequence[Event], name: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("prodid", _MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if name:
        calendar.add("x-wr-calname", name)
    for event in events:
        calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made


def _person(name: str, email: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{email}")
    person.params["CN"] = vText(name)
    return person
