"""The programme's rules for visits, read from the settings; and what a manager reads of a time, a place, a visit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from bot.house import House, day_off
from visits import consultants
from visits.bookings import Booking
from visits.invitations import for_manager
from visits.slots import PARIS, Rules


def rules(house: House) -> Rules:
    """What decides of free times."""
    said = house.settings.visits
    return Rules(
        on_site=timedelta(minutes=said.on_site_minutes),
        remote=timedelta(minutes=said.remote_minutes),
        travel=timedelta(minutes=said.travel_minutes),
        notice=timedelta(hours=said.notice_hours),
        horizon=timedelta(days=said.horizon_days),
        day_off=day_off,
    )


def may_change(house: House, booking: Booking) -> bool:
    """Whether its manager may still change this visit by themselves."""
    return house.now() < booking.starts_at - timedelta(hours=house.settings.visits.change_hours)


def may_move(house: House, booking: Booking) -> bool:
    """Whether its manager may move it once more."""
    return may_change(house, booking) and booking.moves < house.settings.visits.moves


def when(house: House, at: datetime) -> str:
    """A time as it is said: "mardi 1er décembre à 14 h 30"."""
    return house.words.say("booking_when", at=at.astimezone(PARIS))


def week_of(house: House, monday: date, count: int) -> str:
    """A week on offer, with how many free times it has."""
    return house.words.say("booking_week", at=monday, count=count)


def card(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> dict[str, str]:
    """What its manager is told of a visit: words for the templates booking_*.j2."""
    who = consultants.find(tx, house.store.keyring, booking.consultant)
    if who is None:
        raise LookupError("a visit has a consultant")
    minutes = int((booking.ends_at - booking.starts_at).total_seconds()) // 60
    address = ", ".join(part for part in (told.get("rdv-adresse"), told.get("rdv-postal")) if part)
    return {
        "quand": when(house, booking.starts_at),
        "duree": house.words.say("duration", minutes=minutes),
        "ou": house.words.say("booking_where", on_site=booking.on_site, address=address),
        "sur_place": "oui" if booking.on_site else "",
        "expert": who.card.name,
        "firme": who.card.firm,
        "numero": who.card.phone,
        "photo": "oui" if who.has_photo else "",
        "code": told.get("code", ""),
        "joindre": told.get("rdv-joindre", "") if house.settings.mail.on else "expert",
    }


def host(house: House) -> str:
    """The name under which our visits stand in calendars."""
    return house.settings.server.public_url.partition("://")[2].partition(":")[0]


def organizer(house: House) -> tuple[str, str]:
    """Who invites, as calendars show it: the programme, at the address that it writes from."""
    mail = house.settings.mail
    return house.settings.programme.name, str(mail.sender or house.settings.contact.email)


def manager_calendar(house: House, tx: Connection, booking: Booking, told: Mapping[str, str]) -> str:
    """The visit for its manager's own calendar: who comes and how to check; not the code, which is said at the door."""
    known = card(house, tx, booking, told)
    summary = house.words.say("visit_calendar", **known)
    description = house.words.say("visit_calendar_more", **known)
    where = told.get("rdv-adresse", "") if booking.on_site else ""
    made = for_manager(booking, summary, description, where, host(house), house.now())
    return made.decode()
