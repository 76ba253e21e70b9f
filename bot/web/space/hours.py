"""When a consultant visits: the hours of the week, absences, exceptional openings. Everything is told in Paris.

One rule: hours that overlap, that end before they begin or that are half told are refused, and nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.house import House
from bot.visit import changes
from bot.web.door import door_of
from bot.web.form import Form, Problem
from bot.web.space.consultant import BadField, consultant, day_of, today
from bot.web.space.guard import theirs
from bot.web.space.page import space_page
from bot.web.view import see
from papers.days import hour, in_french
from visits import bookings, consultants
from visits.slots import PARIS, Span, Weekly

HOURS: Final = "/espace/consultant/heures"
DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
PARTS: Final = (("a", "b"), ("c", "d"))
"""The fields of a day's two ranges: j0a to j0b, then j0c to j0d."""
_FIELDS: Final = 2 + len(DAYS) * 4
_TIME: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_FURTHEST: Final = timedelta(days=730)
_SAID: Final = {"heures": "hours_kept", "absence": "exception_kept", "visites": "exception_visits"}


async def hours(request: Request) -> Response:
    """The week, and what differs from it."""
    who = await consultant(request)
    return await _page(request, who, notice=_SAID.get(request.query_params.get("dit", ""), ""))


async def set_week(request: Request) -> Response:
    """Other hours of the week."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request, most=_FIELDS)
    form.nonce()
    house = door.house
    try:
        week = list(_week(form))
    except BadField as bad:
        return await _page(request, who, status=422, notice=bad.code, wrong=bad.about, given=form.fields)

    def work(tx: Connection) -> None:
        changes.consultant_joins(house, tx, who.account)
        consultants.set_hours(tx, who.account.id, week)

    await house.store.db.submit(work)
    return see(f"{HOURS}?dit=heures")


async def change_exceptions(request: Request) -> Response:
    """One more exception, or one taken back."""
    who, door = await consultant(request), door_of(request)
    form = await door.form(request)
    form.nonce()
    house, asked = door.house, form.fields.get("faire")
    if asked == "retirer":
        key = form.fields.get("exception", "")
        known = await house.store.db.submit(lambda tx: _drop(tx, who, key))
        theirs(request, who, known or None)
        return see(f"{HOURS}?dit=heures")
    if asked not in ("absence", "ouverture"):
        raise Problem(422, "unknown")
    try:
        span = _span(form, today(house))
        busy = await house.store.db.submit(lambda tx: _except(house, tx, who, span, opens=asked == "ouverture"))
    except BadField as bad:
        return await _page(request, who, status=422, notice=bad.code, given=form.fields)
    return see(f"{HOURS}?dit={'visites' if busy else 'absence'}")


async def _page(
    request: Request,
    who: SignIn,
    *,
    status: int = 200,
    notice: str = "",
    wrong: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    house, name = door_of(request).house, who.account.id
    weekly, others = await house.store.db.query(
        lambda tx: (
            consultants.agendas(tx, [name], house.now())[name].weekly,
            consultants.exceptions_of(tx, name, house.now()),
        )
    )
    return space_page(
        request,
        who,
        "hours.html",
        status=status,
        notice=notice,
        wrong=wrong,
        days=DAYS,
        parts_of=PARTS,
        week=_fields(weekly) if given is None or "j0a" not in given else given,
        given=given or {},
        exceptions=[(key, _told(span), opens) for key, span, opens in others],
        today=today(house),
        address=HOURS,
    )


def _week(form: Form) -> Iterator[Weekly]:
    """The hours typed. Raises BadField, which names the day."""
    for weekday, name in enumerate(DAYS):
        last = -1
        for first, second in PARTS:
            opens, closes = (_minutes(form.fields.get(f"j{weekday}{part}", ""), name) for part in (first, second))
            if opens is None and closes is None:
                continue
            if opens is None or closes is None:
                raise BadField("hours_half", name)
            if opens >= closes:
                raise BadField("hours_order", name)
            if opens < last:
                raise BadField("hours_overlap", name)
            last = closes
            yield Weekly(weekday, opens, closes)


def _minutes(given: str, name: str) -> int | None:
    if not given.strip():
        return None
    read = _TIME.fullmatch(given.strip())
    minutes = int(read[1]) * 60 + int(read[2]) if read else 24 * 60 + 1
    if minutes > 24 * 60:
        raise BadField("hours_time", name)
    return minutes


def _fields(weekly: tuple[Weekly, ...]) -> dict[str, str]:
    """The hours kept, as the form shows them; of a day's ranges, the first two."""
    shown: dict[str, str] = {}
    for weekday in range(len(DAYS)):
        mine = sorted(each for each in weekly if each.weekday == weekday)
        for (first, second), each in zip(PARTS, mine, strict=False):
            shown[f"j{weekday}{first}"] = f"{each.opens // 60:02}:{each.opens % 60:02}"
            shown[f"j{weekday}{second}"] = f"{each.closes // 60:02}:{each.closes % 60:02}"
    return shown


def _span(form: Form, now: date) -> Span:
    """From a day to a day, or from an hour to an hour. Raises BadField."""
    first = day_of(form, "du")
    last = day_of(form, "au") or first
    if first is None or last is None:
        raise BadField("day")
    opens, closes = (_minutes(form.fields.get(field, ""), "") for field in ("de", "a"))
    span = Span(_at(first, opens or 0), _at(last, 24 * 60 if closes is None else closes))
    if span.start >= span.end:
        raise BadField("exception_order")
    if last < now or last > now + _FURTHEST:
        raise BadField("exception_when")
    return span


def _at(day: date, minutes: int) -> datetime:
    """A minute of a day in Paris; the last one is the next day's first."""
    whole = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return whole.replace(tzinfo=PARIS).astimezone(UTC)


def _except(house: House, tx: Connection, who: SignIn, span: Span, *, opens: bool) -> bool:
    """Keep an exception; whether visits are booked in an absence. Raises BadField where one of its kind overlaps."""
    changes.consultant_joins(house, tx, who.account)
    known = consultants.exceptions_of(tx, who.account.id, house.now())
    if any(other.overlaps(span) for _, other, kind in known if kind == opens):
        raise BadField("exception_overlap")
    consultants.add_exception(tx, who.account.id, span, opens=opens)
    coming = bookings.ahead(tx, house.now(), consultant=who.account.id)
    return not opens and any(each.span.overlaps(span) for each in coming)


def _drop(tx: Connection, who: SignIn, key: str) -> bool:
    return bool(_KEY.fullmatch(key)) and consultants.drop_exception(tx, who.account.id, key)


def _told(span: Span) -> str:
    """When, in words: whole days by their names, hours otherwise."""
    start, end = span.start.astimezone(PARIS), span.end.astimezone(PARIS)
    if start.time() == end.time() == time():
        last = (end - timedelta(days=1)).date()
        whole = in_french(start.date())
        return f"le {whole}, toute la journée" if last == start.date() else f"du {whole} au {in_french(last)}"
    if start.date() == end.date():
        return f"le {in_french(start.date())}, de {hour(start)} à {hour(end)}"
    return f"du {in_french(start.date())} à {hour(start)} au {in_french(end.date())} à {hour(end)}"
