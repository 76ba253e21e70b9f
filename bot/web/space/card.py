"""The consultant's card: the number to verify them, where they go, for which trades, their photo; and their calendars.

One rule: the name and the firm are those of the invitation, for managers read them in the access log too. The address
of a calendar is a secret: once given, only the machine that it names is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.house import House
from bot.people import Wrong
from bot.visit import agendas, changes
from bot.visit.desk import read_departments
from bot.web.door import door_of
from bot.web.form import Form, Problem, from_here
from bot.web.space.consultant import BadField, consultant
from bot.web.space.page import space_page
from bot.web.view import see
from dialogue.fields import tidy
from papers.days import moment
from referential.forms import FormQuestion
from store.addresses import BadAddress, read_address
from visits import consultants
from visits.calendars import Unreadable
from visits.consultants import Card, Consultant
from visits.photos import BadPhoto, portrait

CARD: Final = "/espace/consultant/fiche"
CALENDARS: Final = "/espace/consultant/calendrier"
_FIELDS: Final = 60


async def card(request: Request) -> Response:
    """The card, as managers read it."""
    who = await consultant(request)
    return await _card(request, who, notice="card_kept" if request.query_params.get("dit") == "fiche" else "")


async def change_card(request: Request) -> Response:
    """Another number, other departments, other trades."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request, most=_FIELDS)
    form.nonce()
    house = door.house

    def work(tx: Connection) -> None:
        found = changes.consultant_joins(house, tx, who.account)
        consultants.change(tx, found, _typed(house, found.card, form))

    try:
        await house.store.db.submit(work)
    except BadField as bad:
        return await _card(request, who, status=422, notice=bad.code, wrong=bad.about, given=form.fields)
    return see(f"{CARD}?dit=fiche")


async def photo(request: Request) -> Response:
    """Their own photo, or nothing where there is none."""
    who, house = await consultant(request), door_of(request).house

    def read(tx: Connection) -> bytes | None:
        found = consultants.find(tx, house.store.keyring, who.account.id)
        return consultants.photo(tx, found) if found else None

    found = await house.store.db.query(read)
    if found is None:
        return Response(status_code=204)
    return Response(found, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def change_photo(request: Request) -> Response:
    """A photo sent, drawn again small; or taken away."""
    who, door = await consultant(request), door_of(request)
    house = door.house
    drawn: bytes | None = None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        if not from_here(request, house.settings):
            raise Problem(403, "elsewhere")
        try:
            drawn = await asyncio.to_thread(portrait, await _sent(request))
        except BadPhoto as bad:
            return await _card(request, who, status=422, notice=bad.code)
    else:
        form = await door.form(request)
        form.nonce()
        if form.fields.get("faire") != "retirer":
            raise Problem(422, "unknown")

    def work(tx: Connection) -> None:
        consultants.set_photo(tx, changes.consultant_joins(house, tx, who.account), drawn)

    await house.store.db.submit(work)
    return see(f"{CARD}?dit=fiche")


async def calendars(request: Request) -> Response:
    """Their own calendar, read here; and the address where their visits are read."""
    who = await consultant(request)
    said = {"adresse": "calendar_kept", "lire": "calendar_soon", "sans": "calendar_gone"}
    return await _calendars(request, who, notice=said.get(request.query_params.get("dit", ""), ""))


async def change_calendars(request: Request) -> Response:
    """Another address to read, a reading at once, or a new secret address of the visits."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request)
    form.nonce()
    house, name = door.house, who.account.id
    given = form.fields.get("adresse", "").strip()
    match form.fields.get("faire"):
        case "adresse":
            try:
                agendas.host_named(given)
            except Unreadable:
                return await _calendars(request, who, status=422, notice="calendar_address")
            await house.store.db.submit(lambda tx: _set_calendar(house, tx, who, given))
            return see(f"{CALENDARS}?dit=adresse")
        case "lire":
            await house.store.db.submit(lambda tx: agendas.read_soon(house, tx, name))
            return see(f"{CALENDARS}?dit=lire")
        case "sans":
            await house.store.db.submit(lambda tx: _set_calendar(house, tx, who, None))
            return see(f"{CALENDARS}?dit=sans")
        case "flux":
            secret = await house.store.db.submit(lambda tx: _new_feed(house, tx, who))
            return await _calendars(request, who, feed=f"{house.settings.server.public_url}/agenda/{secret}.ics")
    raise Problem(422, "unknown")


def _set_calendar(house: House, tx: Connection, who: SignIn, address: str | None) -> None:
    consultants.set_calendar(tx, changes.consultant_joins(house, tx, who.account), address)
    if address:
        agendas.read_soon(house, tx, who.account.id)


def _new_feed(house: House, tx: Connection, who: SignIn) -> str:
    found = changes.consultant_joins(house, tx, who.account)
    return consultants.new_feed(tx, house.store.keyring, found.id)


async def _found(request: Request, who: SignIn) -> Consultant | None:
    keyring = door_of(request).house.store.keyring
    return await door_of(request).house.store.db.query(lambda tx: consultants.find(tx, keyring, who.account.id))


async def _card(
    request: Request,
    who: SignIn,
    *,
    status: int = 200,
    notice: str = "",
    wrong: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    house, found = door_of(request).house, await _found(request, who)
    shown = found.card if found else Card(who.account.person.name, who.account.person.firm, "")
    return space_page(
        request,
        who,
        "card.html",
        status=status,
        notice=notice,
        wrong=wrong,
        card=shown,
        has_photo=bool(found and found.has_photo),
        trades=house.flow.questionnaire.profile[0].choices,
        given=given or _fields(shown),
        address=CARD,
    )


async def _calendars(request: Request, who: SignIn, *, status: int = 200, notice: str = "", feed: str = "") -> Response:
    house = door_of(request).house

    def read(tx: Connection) -> tuple[Consultant | None, str]:
        found = consultants.find(tx, house.store.keyring, who.account.id)
        address = consultants.calendar(tx, found) if found else None
        return found, agendas.host_named(address) if address else ""

    found, machine = await house.store.db.query(read)
    return space_page(
        request,
        who,
        "calendars.html",
        status=status,
        notice=notice,
        machine=machine,
        read_at=moment(found.calendar_read_at) if found and found.calendar_read_at else "",
        fault=found.calendar_fault if found else "",
        feed=feed,
        address=CALENDARS,
    )


def _typed(house: House, card: Card, form: Form) -> Card:
    """The card as the form has it. Raises BadField."""
    asked = {question.id: question for question in house.content.forms["booking"].content.questions()}
    question: Any = asked["rdv-telephone"]
    assert isinstance(question, FormQuestion)  # noqa: S101 — it is one of a form
    phone, fault = tidy(question, form.fields.get("telephone", ""))
    if fault:
        raise BadField("phone")
    try:
        email = read_address(form.fields.get("e-mail", "")) if form.fields.get("e-mail", "").strip() else ""
    except BadAddress:
        raise BadField("email") from None
    try:
        departments = read_departments(form.fields.get("departements", "").strip() or "tous")
    except Wrong as wrong:
        raise BadField("departments", str(wrong)) from None
    trades = [choice.id for choice in house.flow.questionnaire.profile[0].choices]
    chosen = tuple(each for each in trades if form.fields.get(f"metier-{each}") == "oui")
    branches = () if len(chosen) == len(trades) else chosen
    return replace(card, phone=phone, email=email, departments=departments, branches=branches)


def _fields(card: Card) -> dict[str, str]:
    """The card as the form shows it."""
    chosen = {f"metier-{each}": "oui" for each in card.branches}
    return {"telephone": card.phone, "e-mail": card.email, "departements": ", ".join(card.departments), **chosen}


async def _sent(request: Request) -> bytes:
    """The file of the form. Raises Problem."""
    try:
        async with request.form(max_files=1, max_fields=3) as form:
            file = form.get("photo")
            if not isinstance(file, UploadFile):
                raise Problem(400, "incomplete")
            return await file.read()
    except MultiPartException:
        raise Problem(400, "incomplete") from None
