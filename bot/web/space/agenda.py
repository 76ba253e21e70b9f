"""The consultant's agenda: the next visit on top, those to come, those done, and the calls to make.

One rule: it tells when, where and whom, which is what an agenda is; what the firm told is one tap away, and its opening
is noted there. So is a telephone number shown here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.house import House
from bot.visit import handover
from bot.visit.rules import when
from bot.web.door import door_of
from bot.web.space.consultant import AGENDA, consultant, named, today
from bot.web.space.guard import theirs
from bot.web.space.page import space_page
from bot.web.view import see
from papers.days import hour
from visits import bookings, calls, consultants
from visits.bookings import Booking
from visits.calls import Call
from visits.slots import PARIS

_SAID = {"annulee": "visit_cancelled", "appel": "call_made"}


@dataclass(frozen=True)
class Entry:
    """One visit in the agenda."""

    id: str
    at: datetime
    ends: datetime
    on_site: bool
    firm: str
    place: str
    branch: str
    said: str
    booking: Booking

    @property
    def day(self) -> date:
        """Its day in Paris."""
        return self.at.astimezone(PARIS).date()


@dataclass(frozen=True)
class ToCall:
    """One call to make: what about, whom, at which number."""

    call: Call
    said: str
    firm: str
    contact: str
    phone: str


@dataclass(frozen=True)
class Agenda:
    """All that the page shows. `calls`: those to make now; `later`: how many come after."""

    coming: tuple[Entry, ...]
    done: tuple[Entry, ...]
    calls: tuple[ToCall, ...]
    later: int
    ready: bool


async def agenda(request: Request) -> Response:
    """The agenda."""
    who = await consultant(request)
    house = door_of(request).house
    found = await house.store.db.submit(lambda tx: _read(house, tx, who))
    now = today(house)
    return space_page(
        request,
        who,
        "agenda.html",
        notice=_SAID.get(request.query_params.get("dit", ""), ""),
        found=found,
        now=house.now(),
        today=now,
        tomorrow=now + timedelta(days=1),
        hour=hour,
    )


async def called(request: Request) -> Response:
    """A call is made."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request)
    form.nonce()
    name, what = form.fields.get("visite", ""), form.fields.get("appel", "")
    house = door.house

    def work(tx: Connection) -> bool | None:
        booking = named(tx, who, name)
        if booking is None or not calls.asked(tx, who.account.id, booking.id):
            return None
        return calls.made(tx, who.account.id, booking.id, what, house.now())

    theirs(request, who, await house.store.db.submit(work))
    return see(f"{AGENDA}?dit=appel")


def _read(house: House, tx: Connection, who: SignIn) -> Agenda:
    now, to_make = house.now(), calls.to_make(tx, who.account.id)
    entries = [_entry(house, tx, each) for each in bookings.of_consultant(tx, who.account.id, today(house))]
    return Agenda(
        coming=tuple(each for each in entries if each.ends > now and each.booking.visit_on is None),
        done=tuple(each for each in reversed(entries) if each.ends <= now or each.booking.visit_on is not None),
        calls=tuple(each for call in to_make if call.due_at <= now and (each := _call(house, tx, who, call))),
        later=sum(call.due_at > now for call in to_make),
        ready=bool(consultants.agendas(tx, [who.account.id], now)[who.account.id].weekly),
    )


def _entry(house: House, tx: Connection, booking: Booking) -> Entry:
    told = bookings.details(tx, house.store.keyring, booking) or {}
    trades = house.flow.questionnaire.profile[0].by_choice
    trade = trades[booking.branch].label if booking.branch in trades else ""
    place = told.get("rdv-postal", "") if booking.on_site else ""
    return Entry(
        booking.id,
        booking.starts_at,
        booking.ends_at,
        booking.on_site,
        _firm(told),
        place,
        trade,
        when(house, booking.starts_at),
        booking,
    )


def _call(house: House, tx: Connection, who: SignIn, call: Call) -> ToCall | None:
    """A call to make; None once the visit has begun, for a call would come too late."""
    booking = bookings.find(tx, call.booking)
    if booking is None or booking.starts_at <= house.now():
        return None
    told = bookings.details(tx, house.store.keyring, booking) or {}
    if told:
        handover.note(house, tx, who.account.id, booking, "visit")
    return ToCall(
        call, when(house, booking.starts_at), _firm(told), told.get("rdv-contact", ""), told.get("rdv-telephone", "")
    )


def _firm(told: Mapping[str, str]) -> str:
    return told.get("rdv-entreprise", "")
