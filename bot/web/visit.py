"""A booked visit on the web: its file for a calendar, its expert's photo, and the link of its letters.

One rule: the link in a letter opens that visit and nothing else: it shows when and who, moves or cancels, and refuses
every other question. An address opened does nothing, because mail programmes open links first; its button does.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot import turn
from bot.house import House
from bot.turn import Present
from bot.visit.agendas import visits_feed
from bot.visit.booking import FLOW
from bot.visit.rules import manager_calendar
from bot.web.door import Door, door_of
from bot.web.form import Problem
from dialogue.engine import asking
from dialogue.events import Clicked, Commanded, Event
from store import ways
from visits import bookings, consultants

OPEN: Final = frozenset({"rdv-que-faire", "rdv-heure", "rdv-deplacer", "rdv-annuler", "rdv-confirmer"})
"""The questions that a letter's link may answer."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_TOLD = frozenset({"booking_booked", "booking_moved", "booking_kept"})


def shown_with(here: Present) -> dict[str, str] | None:
    """What the page of a visit just booked, moved or kept shows beside its words; None on any other page."""
    flow, session = here.front
    booked = flow.id == FLOW and session.place.kind == "end" and session.told in _TOLD
    return dict(session.values) if booked and not here.limited else None


async def calendar(request: Request) -> Response:
    """The visit as a file for the manager's own calendar."""
    door, conversation = await _device(request)
    house = door.house

    def work(tx: Connection) -> str | None:
        booking = bookings.booked_by(tx, conversation)
        if booking is None:
            return None
        told = bookings.details(tx, house.store.keyring, booking) or {}
        return manager_calendar(house, tx, booking, told)

    made = await house.store.db.query(work)
    if made is None:
        raise Problem(404, "not_found")
    headers = {"Content-Disposition": 'attachment; filename="rendez-vous.ics"', "Cache-Control": "no-store"}
    return Response(made, media_type="text/calendar; charset=utf-8", headers=headers)


async def photo(request: Request) -> Response:
    """The photo of the expert who comes."""
    door, conversation = await _device(request)
    house = door.house

    def work(tx: Connection) -> bytes | None:
        booking = bookings.booked_by(tx, conversation)
        who = consultants.find(tx, house.store.keyring, booking.consultant) if booking else None
        return consultants.photo(tx, who) if who else None

    found = await house.store.db.query(work)
    if found is None:
        raise Problem(404, "not_found")
    kind = "image/png" if found.startswith(b"\x89PNG") else "image/jpeg"
    return Response(found, media_type=kind, headers={"Cache-Control": "no-store"})


async def feed(request: Request) -> Response:
    """A consultant's visits, at their secret address, for the calendar that they use."""
    house, secret = door_of(request).house, request.path_params["secret"]
    known = await house.store.db.query(lambda tx: visits_feed(house, tx, secret)) if _TOKEN.fullmatch(secret) else None
    if known is None:
        raise Problem(404, "not_found")
    return Response(known, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "no-store"})


async def link(request: Request) -> Response:
    """The page of a letter's link: a button, and nothing done yet."""
    door = door_of(request)
    return door.view.page(request, "visit_link.html", token=request.path_params["token"])


async def open_visit(request: Request) -> Response:
    """The button of the link, or an answer to one of the visit's questions."""
    door, token = door_of(request), request.path_params["token"]
    form = await door.form(request)
    nonce = form.nonce()
    conversation = await _meant(door.house, token) if _TOKEN.fullmatch(token) else None
    if conversation is None:
        return door.view.page(request, "lost.html", status=403, notice="bad_link")
    if "choice" not in form:
        return await _first_page(door, request, conversation, nonce)
    node, choice = form.name("node", needed=True), form.name("choice", needed=True)
    if node not in OPEN:
        raise Problem(403, "limited")
    event = Clicked(node, choice)
    here = await _take(door.house, conversation, f"{nonce}/{node}/{choice}", event, form.revision())
    return _page(door, request, here, notice="stale" if here.outcome in ("stale", "refused") else "")


async def _first_page(door: Door, request: Request, conversation: str, nonce: str) -> Response:
    here = await turn.look(door.house, conversation)
    booking = await door.house.store.db.query(lambda tx: bookings.booked_by(tx, conversation))
    if booking is not None and (here.front[1].place.kind == "end" or not _about(here)):
        here = await _take(door.house, conversation, f"{nonce}/book", Commanded("book"), None)
    return _page(door, request, here)


def _about(here: Present) -> bool:
    """Whether the conversation is at the visit, and nowhere that the link may not show."""
    flow, session = here.front
    if flow.id != FLOW or here.session.paused:
        return False
    step = asking(flow, session)
    return step.question.id in OPEN if step else session.place.kind == "end"


def _page(door: Door, request: Request, here: Present, *, notice: str = "") -> Response:
    shown = here.turn(door.house) if _about(here) else None
    return door.view.page(
        request,
        "visit.html",
        status=409 if notice else 200,
        notice=notice,
        token=request.path_params["token"],
        turn=shown,
        asked=shown.question if shown else None,
        about=None,
        revision=here.revision,
    )


async def _take(house: House, conversation: str, incoming: str, event: Event, revision: int | None) -> Present:
    return await turn.take(
        house, door="web", incoming=incoming, conversation=conversation, revision=revision, event=event
    )


async def _meant(house: House, token: str) -> str | None:
    keyring, today = house.store.keyring, house.today()
    found = await house.store.db.submit(lambda tx: ways.find(tx, keyring, token, today, "visit", limited=True))
    return found.conversation if found else None


async def _device(request: Request) -> tuple[Door, str]:
    """The door, and the conversation that this device knows whole. Raises Problem."""
    door = door_of(request)
    here = await door.glance(request)
    if here is None:
        raise Problem(404, "not_found")
    return door, here.conversation
