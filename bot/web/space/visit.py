"""One visit of the consultant: what the firm told, its summary as a page and a PDF, its milestones, its cancellation.

One rule: what is shown is noted in the access log by the transaction that reads it. What is written goes through
bot.visit.changes, which locks the conversation first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, get_args

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.house import House
from bot.visit import changes, handover, notices
from bot.visit.rules import when
from bot.web.door import door_of
from bot.web.form import Form, Problem
from bot.web.space.consultant import AGENDA, BadField, consultant, day_of, named, number_of, readable, today
from bot.web.space.guard import theirs
from bot.web.space.page import space_page
from bot.web.space.summary import summary_page
from bot.web.view import see
from dialogue.summary.value import Summary
from papers.days import hour, in_french, moment
from visits import bookings
from visits.bookings import Booking, Milestone
from visits.slots import PARIS

MILESTONES: Final[dict[str, Milestone]] = {"visite": "visit", "rapport": "report", "bilan": "debrief"}
_SAID: Final = {"note": "noted", "reservee": "visit_booked"}
_FURTHEST: Final = timedelta(days=366)
_MOST_DAYS: Final = 366


async def visit(request: Request) -> Response:
    """The visit."""
    who = await consultant(request)
    return await _page(request, who, notice=_SAID.get(request.query_params.get("dit", ""), ""))


async def summary(request: Request) -> Response:
    """The summary as a page."""
    who = await consultant(request)
    found = await _summary(request, who, "summary")
    here = f"{AGENDA}/visites/{request.path_params['visite']}"
    return summary_page(request, who, found, paper=f"{here}/synthese.pdf", back=here)


async def paper(request: Request) -> Response:
    """The summary as a PDF."""
    who = await consultant(request)
    found = await _summary(request, who, "summary_paper")
    drawn = await asyncio.to_thread(_draw, door_of(request).house, found)
    headers = {"Content-Disposition": 'inline; filename="synthese-avant-visite.pdf"', "Cache-Control": "no-store"}
    return Response(drawn, media_type="application/pdf", headers=headers)


async def change(request: Request) -> Response:
    """A milestone noted or taken back, support days, or the visit cancelled."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request)
    form.nonce()
    house, name = door.house, request.path_params["visite"]
    booking = theirs(request, who, await house.store.db.query(lambda tx: named(tx, who, name)))
    asked = form.fields.get("faire", "")
    if asked == "annuler":
        return await _cancel(request, who, booking)
    theirs(request, who, await house.store.db.query(lambda tx: readable(house, tx, who, name)))
    try:
        match asked:
            case "etape":
                await house.store.db.submit(lambda tx: _milestone(house, tx, who, name, form))
            case "accompagnement":
                await house.store.db.submit(lambda tx: _support(house, tx, who, name, form))
            case _:
                raise Problem(422, "unknown")
    except BadField as bad:
        return await _page(request, who, status=422, notice=bad.code)
    return see(f"{AGENDA}/visites/{name}?dit=note")


async def _cancel(request: Request, who: SignIn, booking: Booking) -> Response:
    """Sent twice, it is cancelled once; a visit that has begun stays."""
    house = door_of(request).house
    gone = await house.store.db.submit(lambda tx: changes.consultant_cancels(house, tx, booking.id, who.account.id))
    if gone is None and booking.cancelled_by != "consultant":
        return await _page(request, who, status=409, notice="visit_begun")
    return see(f"{AGENDA}?dit=annulee")


async def _page(request: Request, who: SignIn, *, status: int = 200, notice: str = "") -> Response:
    house, name = door_of(request).house, request.path_params["visite"]

    def read(tx: Connection) -> tuple[Booking, Mapping[str, str]] | None:
        booking = readable(house, tx, who, name)
        if booking is None:
            return None
        handover.note(house, tx, who.account.id, booking, "visit")
        return booking, bookings.details(tx, house.store.keyring, booking) or {}

    booking, told = theirs(request, who, await house.store.db.submit(read))
    return space_page(
        request,
        who,
        "visit.html",
        status=status,
        notice=notice,
        booking=booking,
        told=told,
        visit=handover.visit_of(house, booking, told),
        when=when(house, booking.starts_at),
        to_come=booking.starts_at > house.now(),
        by_phone=notices.by_phone_only(house, booking, told),
        milestones=MILESTONES,
        on=booking.starts_at.astimezone(PARIS).date(),
        today=today(house),
        open_until=booking.open_until(),
        address=f"{AGENDA}/visites/{booking.id}",
        moment=moment,
        hour=hour,
        in_french=in_french,
    )


async def _summary(request: Request, who: SignIn, what: handover.Paper) -> Summary:
    house, name = door_of(request).house, request.path_params["visite"]

    def read(tx: Connection) -> Summary | None:
        booking = readable(house, tx, who, name)
        return handover.opened(house, tx, who.account.id, booking, what) if booking else None

    return theirs(request, who, await house.store.db.submit(read))


def _draw(house: House, found: Summary) -> bytes:
    from papers.summary import summary_pdf  # a fifth of a second, for the few who ask

    return summary_pdf(found, programme=house.settings.programme.name)


def _milestone(house: House, tx: Connection, who: SignIn, name: str, form: Form) -> None:
    """Note the day of one milestone, or take it back. Raises BadField."""
    reached, booking = MILESTONES.get(form.fields.get("jalon", "")), readable(house, tx, who, name)
    if reached is None or booking is None:
        raise BadField("milestone")
    on = day_of(form, "jour")
    if on is None and form.fields.get("retirer") != "oui":
        raise BadField("day")
    if form.fields.get("retirer") == "oui":
        on = None
    if on is not None and not (booking.starts_at.astimezone(PARIS).date() <= on <= today(house)):
        raise BadField("milestone_day")
    others = {each: getattr(booking, f"{each}_on") for each in get_args(Milestone) if each != reached}
    if (reached != "visit" and on is not None and others["visit"] is None) or (
        reached == "visit" and on is None and (any(others.values()) or booking.support_to)
    ):
        raise BadField("milestone_order")
    if reached != "visit" and on is not None and on < others["visit"]:
        raise BadField("milestone_day")
    if getattr(booking, f"{reached}_on") != on:
        changes.milestone(house, tx, name, who.account.id, reached, on)


def _support(house: House, tx: Connection, who: SignIn, name: str, form: Form) -> None:
    """Note the support days, or take them back. Raises BadField."""
    booking = readable(house, tx, who, name)
    if booking is None:
        raise BadField("milestone")
    known = (booking.support_from, booking.support_to, booking.support_days)
    if form.fields.get("retirer") == "oui":
        if any(known):
            changes.support(house, tx, name, who.account.id, None)
        return
    days = (day_of(form, "du"), day_of(form, "au"), number_of(form, "jours", _MOST_DAYS, "support_days"))
    since, until, count = days
    if since is None or until is None or not count:
        raise BadField("support")
    if booking.visit_on is None:
        raise BadField("milestone_order")
    if not _together(since, until, count, booking.visit_on, today(house)):
        raise BadField("support_days")
    if known != days:
        changes.support(house, tx, name, who.account.id, (since, until, count))


def _together(since: date, until: date, count: int, visit: date, now: date) -> bool:
    """Whether support days make sense: after the visit, in order, no more than the days there are, within a year."""
    return visit <= since <= until <= now + _FURTHEST and 1 <= count <= (until - since).days + 1
