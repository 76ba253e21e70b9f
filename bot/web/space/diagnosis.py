"""The on-site diagnosis of one visit, as the consultant types it: a note from 0 to 100 for each theme that was seen.

One rule: the estimate is not on this page; an expert's opinion owes it nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.visit import diagnosis as rooms
from bot.visit import handover
from bot.web.door import door_of
from bot.web.space.consultant import AGENDA, BadField, consultant, number_of, readable
from bot.web.space.guard import theirs
from bot.web.space.page import space_page
from bot.web.view import see
from dialogue.expert import diagnosis, values_of
from visits import bookings
from visits.bookings import Booking

_FIELDS: Final = 40
_BEST: Final = 100


async def diagnosed(request: Request) -> Response:
    """The notes, as they stand."""
    who = await consultant(request)
    return await _page(request, who, notice="diagnosis_kept" if request.query_params.get("dit") == "note" else "")


async def diagnose(request: Request) -> Response:
    """Other notes."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request, most=_FIELDS)
    form.nonce()
    house, name = door.house, request.path_params["visite"]
    booking = theirs(request, who, await house.store.db.query(lambda tx: readable(house, tx, who, name)))
    try:
        notes = {}
        for theme in house.flow.questionnaire.themes:
            note = number_of(form, f"note-{theme.id}", _BEST, "diagnosis_note", about=theme.title)
            if note is not None:
                notes[theme.id] = note
    except BadField as bad:
        return await _page(request, who, status=422, notice=bad.code, wrong=bad.about, given=form.fields)
    kept = await house.store.db.submit(lambda tx: rooms.keep(house, tx, booking.id, who.account.id, notes))
    if kept is None:
        return await _page(request, who, status=409, notice="diagnosis_early", given=form.fields)
    return see(f"{AGENDA}/visites/{booking.id}/diagnostic?dit=note")


async def _page(
    request: Request,
    who: SignIn,
    *,
    status: int = 200,
    notice: str = "",
    wrong: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    house, name = door_of(request).house, request.path_params["visite"]

    def read(tx: Connection) -> tuple[Booking, str, dict[str, int]] | None:
        booking = readable(house, tx, who, name)
        if booking is None:
            return None
        handover.note(house, tx, who.account.id, booking, "visit")
        told = bookings.details(tx, house.store.keyring, booking) or {}
        return booking, told.get("rdv-entreprise", ""), rooms.kept(house, tx, booking)

    booking, firm, notes = theirs(request, who, await house.store.db.submit(read))
    flow = house.flow
    return space_page(
        request,
        who,
        "diagnosis.html",
        status=status,
        notice=notice,
        wrong=wrong,
        booking=booking,
        firm=firm,
        themes=flow.questionnaire.themes,
        given=given if given is not None else {f"note-{each}": str(note) for each, note in notes.items()},
        found=diagnosis(flow, values_of(flow, notes)),
        scale=flow.questionnaire.scale,
        address=f"{AGENDA}/visites/{booking.id}",
    )
