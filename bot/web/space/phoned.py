"""A firm that phoned, entered by its consultant: what it says, and one of the consultant's own free times.

One rule: a visit on site or at a distance has its own free times, so that is asked first; nothing is held meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.house import House
from bot.people import Wrong
from bot.visit import notices
from bot.visit.desk import tidied
from bot.visit.rules import rules, when
from bot.web.door import door_of
from bot.web.form import Form
from bot.web.space.consultant import AGENDA, BadField, consultant
from bot.web.space.page import space_page
from bot.web.view import see
from visits import bookings
from visits.bookings import Wanted
from visits.slots import a_few_a_day

NEW: Final = f"{AGENDA}/nouvelle"
NEEDED: Final = ("rdv-entreprise", "rdv-contact", "rdv-telephone")
OPTIONAL: Final = ("rdv-siret", "rdv-prestataire", "rdv-postes", "rdv-caisses")
ON_SITE: Final = ("rdv-postal", "rdv-adresse")
_MOST, _A_DAY = 60, 6
_TIME: Final = "%Y%m%d-%H%M"


async def ask(request: Request) -> Response:
    """The form, for a visit on site, or at a distance."""
    who = await consultant(request)
    return await _page(request, who, on_site=request.query_params.get("ou") != "distance")


async def book(request: Request) -> Response:
    """Book this visit."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request)
    form.nonce()
    house, on_site = door.house, form.fields.get("ou") != "distance"
    try:
        branch = _branch(house, form)
        told, start = _told(house, form, on_site=on_site), _start(form)
        want = Wanted(on_site, None, branch, only=who.account.id)
        name = await house.store.db.submit(lambda tx: _book(house, tx, want, start, told))
    except BadField as bad:
        return await _page(
            request, who, on_site=on_site, status=422, notice=bad.code, wrong=bad.about, given=form.fields
        )
    return see(f"{AGENDA}/visites/{name}?dit=reservee")


def _book(house: House, tx: Connection, want: Wanted, start: datetime, told: Mapping[str, str]) -> str:
    """Raises BadField when the time is free no more."""
    now = house.now()
    held = bookings.hold(tx, house.store.keyring, rules(house), now, want, start, conversation=None)
    if held is None:
        raise BadField("phoned_taken")
    kept = {**told, "code": f"{secrets.randbelow(10_000):04d}"}
    booking = bookings.confirm(tx, house.store.keyring, held, kept, now, None)
    notices.booked(house, tx, booking, kept)
    return booking.id


async def _page(
    request: Request,
    who: SignIn,
    *,
    on_site: bool,
    status: int = 200,
    notice: str = "",
    wrong: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    house = door_of(request).house
    want = Wanted(on_site, None, None, only=who.account.id)
    starts = await house.store.db.query(
        lambda tx: list(bookings.times(tx, house.store.keyring, rules(house), house.now(), want))
    )
    asked = {question.id: question for question in house.content.forms["booking"].content.questions()}
    fields = (*NEEDED, *(ON_SITE if on_site else ()), *OPTIONAL)
    return space_page(
        request,
        who,
        "phoned.html",
        status=status,
        notice=notice,
        wrong=wrong,
        on_site=on_site,
        fields=[(name, asked[name], name not in OPTIONAL) for name in fields],
        times=[(at.strftime(_TIME), when(house, at)) for at in a_few_a_day(starts, _A_DAY)[:_MOST]],
        trades=house.flow.questionnaire.profile[0].choices,
        given=given or {},
        address=NEW,
    )


def _told(house: House, form: Form, *, on_site: bool) -> dict[str, str]:
    """What the firm says, tidied as the chat would. Raises BadField with the chat's words."""
    needed = (*NEEDED, *(ON_SITE if on_site else ()))
    given = {name: form.fields.get(name, "") for name in (*needed, *OPTIONAL)}
    try:
        return tidied(house, {name: text for name, text in given.items() if text.strip() or name in needed})
    except Wrong as wrong:
        raise BadField("phoned_field", str(wrong)) from None


def _start(form: Form) -> datetime:
    try:
        return datetime.strptime(form.fields.get("moment", ""), _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadField("phoned_time") from None


def _branch(house: House, form: Form) -> str | None:
    given = form.fields.get("metier", "")
    return given if given in house.flow.questionnaire.profile[0].by_choice else None
