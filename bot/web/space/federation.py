"""The federation's space: how many came, where they stop, what may be said of the answers; its campaigns.

One rule: the branch is the account's own, never something that the request names. An id of a campaign is looked for
among those of that branch only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.stats import BANDS, places
from bot.web.door import door_of
from bot.web.form import Form, Problem
from bot.web.kit import flyer_of, kit_path
from bot.web.space.guard import signed_in, theirs
from bot.web.space.page import space_page
from bot.web.view import see
from federations import campaigns, funnel, waves
from federations.campaigns import CHANNELS, BadCampaign, Campaign
from federations.counts import ENOUGH
from federations.disclosure import LEAST, LEVEL, TOGETHER, missing_between
from federations.funnel import OF_CAMPAIGN, STEPS, Funnel, Report, Step
from federations.spreadsheet import spreadsheet

FIGURES: Final = "/espace/federation"
CAMPAIGNS: Final = "/espace/federation/campagnes"
NAMES: Final[dict[Step, str]] = {
    "begun": "Conversations commencées",
    "short_done": "Premier résultat vu",
    "done": "Autodiag terminé",
    "visit_booked": "Visites prises",
    "visit_done": "Visites faites",
    "surveyed": "Avis donnés après la visite",
}
_WEEKS: Final = 12
"""Weeks on the page, the newest; the file has them all."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_FEW: Final = "moins de 5"


async def figures(request: Request) -> Response:
    """The funnel, where people stop, and what was published of the answers."""
    who, branch = await _federation(request)
    house = door_of(request).house

    def read(tx: Connection) -> tuple[Funnel, waves.Partition]:
        own = waves.partition_of(tx, branch)
        partition = next(each for each in waves.read(tx) if each.id == own)
        return funnel.read(tx, branch, house.today()), partition

    found, partition = await house.store.db.query(read)
    flow, named = house.flow, house.settings.federation(branch)
    weeks = list(zip(found.mondays, *(found.steps[step].weeks for step in STEPS), strict=True))[-_WEEKS:][::-1]
    trades = {choice.id: choice.label for choice in flow.questionnaire.profile[0].choices}
    return space_page(
        request,
        who,
        "federation.html",
        federation=named.name if named else trades.get(branch, branch),
        names=NAMES,
        steps={step: found.steps[step].total for step in STEPS},
        everyone=found.everyone,
        weeks=weeks,
        more=len(found.mondays) > _WEEKS,
        stopped={flow.section[each].title: n for each, n in found.stopped.items() if each in flow.section},
        partition=partition,
        together=[trades.get(each, each) for each in partition.branches if each != branch],
        alone=partition.id != TOGETHER,
        themes={theme.id: theme.title for theme in flow.questionnaire.themes},
        missing=missing_between(partition.waiting),
        bands=BANDS,
        level=LEVEL,
        least=LEAST,
        enough=ENOUGH,
    )


async def export(request: Request) -> Response:
    """The same figures as a file for a spreadsheet."""
    _, branch = await _federation(request)
    house = door_of(request).house
    found, reports = await house.store.db.query(
        lambda tx: (funnel.read(tx, branch, house.today()), funnel.reports(tx, branch, house.today()))
    )
    rows: list[Sequence[object]] = [("Semaine du", *NAMES.values())]
    for place, monday in enumerate(found.mondays):
        rows.append((monday.isoformat(), *(_said(found.steps[step].weeks[place]) for step in STEPS)))
    rows.append(("Total de la branche", *(_said(found.steps[step].total) for step in STEPS)))
    rows.append(("Total de toutes les branches", *(_said(found.everyone[step]) for step in STEPS)))
    rows += [(), ("Ils s'arrêtent à", "Conversations")]
    sections = house.flow.section
    rows += [(sections[name].title, count) for name, count in found.stopped.items() if name in places(house.flow)]
    rows += [(), ("Campagne", "Code", "Ouverte le", "Finie le", *(f"{NAMES[step]}, au moins" for step in OF_CAMPAIGN))]
    for report in reports:
        campaign, told = report.campaign, report.steps
        ends = campaign.ends_on.isoformat() if campaign.ends_on else ""
        steps = [_said(told[step]) if told else "" for step in OF_CAMPAIGN]
        rows.append((campaign.issue, campaign.code, campaign.opens_on.isoformat(), ends, *steps))
    headers = {"Content-Disposition": 'attachment; filename="autodiag-chiffres.csv"', "Cache-Control": "no-store"}
    return Response(spreadsheet(rows), media_type="text/csv; charset=utf-8", headers=headers)


async def all_campaigns(request: Request) -> Response:
    """The campaigns of this branch, and a form for a new one."""
    who, branch = await _federation(request)
    return await _campaigns(request, who, branch)


async def create(request: Request) -> Response:
    """A new campaign; then its page, with the kit."""
    who, branch = await _federation(request)
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    house, given = door.house, dict(form.fields)
    trades = house.flow.questionnaire.profile[0].by_choice
    try:
        wanted = _wanted(form, branch, house.today())
        made = await house.store.db.submit(lambda tx: campaigns.create(tx, wanted, trades))
    except BadCampaign as bad:
        return await _campaigns(request, who, branch, status=422, notice=f"campaign_{bad.code}", given=given)
    return see(f"{CAMPAIGNS}/{made.code}")


async def campaign(request: Request) -> Response:
    """One campaign: its link, its kit, its figures once it is over."""
    who, branch = await _federation(request)
    return await _campaign(request, who, branch)


async def close(request: Request) -> Response:
    """End a campaign today."""
    who, branch = await _federation(request)
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    found = theirs(request, who, await _theirs(request, branch))
    if form.fields.get("faire") != "finir":
        raise Problem(422, "unknown")
    today = door.house.today()
    await door.house.store.db.submit(lambda tx: campaigns.close(tx, found.campaign.code, today))
    return see(f"{CAMPAIGNS}/{found.campaign.code}")


async def _federation(request: Request) -> tuple[SignIn, str]:
    """Who is there, and their branch. Raises SignedOut or Problem."""
    who = await signed_in(request, "federation")
    return who, theirs(request, who, who.account.branch)


async def _theirs(request: Request, branch: str) -> Report | None:
    """The campaign that the address names, if it is one of this branch, by its exact code."""
    house, code = door_of(request).house, request.path_params["code"]
    reports = await house.store.db.query(lambda tx: funnel.reports(tx, branch, house.today()))
    return next((each for each in reports if each.campaign.code == code), None)


async def _campaign(request: Request, who: SignIn, branch: str) -> Response:
    house = door_of(request).house
    report = theirs(request, who, await _theirs(request, branch))
    return space_page(
        request,
        who,
        "campaign.html",
        report=report,
        names=NAMES,
        address=flyer_of(house, report.campaign).address,
        kit=kit_path(house, report.campaign.code),
        today=house.today(),
        enough=ENOUGH,
    )


async def _campaigns(
    request: Request,
    who: SignIn,
    branch: str,
    *,
    status: int = 200,
    notice: str = "",
    given: dict[str, str] | None = None,
) -> Response:
    house = door_of(request).house
    reports = await house.store.db.query(lambda tx: funnel.reports(tx, branch, house.today()))
    return space_page(
        request,
        who,
        "campaigns.html",
        status=status,
        notice=notice,
        reports=reports,
        given=given or {},
        channels=CHANNELS,
        today=house.today(),
    )


def _wanted(form: Form, branch: str, today: date) -> Campaign:
    """The campaign that a form asks for. Raises BadCampaign."""
    channel = next((each for each in CHANNELS if each == form.fields.get("canal")), None)
    if channel is None:
        raise BadCampaign("channel")
    asked = Campaign("", branch, channel, form.fields.get("numero", ""), _day(form, "ouvre") or today)
    return replace(asked, closes_on=_day(form, "ferme"))


def _day(form: Form, field: str) -> date | None:
    given = form.fields.get(field, "").strip()
    if not given:
        return None
    try:
        return date.fromisoformat(given if _DAY.fullmatch(given) else "")
    except ValueError:
        raise BadCampaign("dates") from None


def _said(count: int | None) -> object:
    return count or _FEW
