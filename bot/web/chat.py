"""The chat: the welcome page with its first question, the present turn, and the one form that answers it.

GET writes nothing. POST hands one event to the turn, then sends the browser back to look, or answers with the `<main>`
alone when our script asks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from starlette.requests import Request
from starlette.responses import Response

from bot import turn
from bot.house import House
from bot.turn import Bearer, EventOf, Gone, Present
from bot.web.door import Door, door_of
from bot.web.form import Form, Problem
from bot.web.frame import frame_of
from bot.web.result import shown
from bot.web.view import see, wants_fragment
from bot.web.visit import shown_with
from dialogue import engine
from dialogue.events import COMMANDS, Clicked, Commanded, Event
from dialogue.expert import diagnosis
from dialogue.present import past, present, questions_left
from federations import campaigns

WEB = "web"
ENTRIES = ("branche", "site", "opcommerce", "salon", "autre", "direct")
_STATUS = {"not_asked": 409, "nothing_to_confirm": 409, "limited": 403}
_NOTICE = {"na_refused": "na_refused", "limited": "limited"}
_CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Arrival:
    """By which link somebody came; what a link got wrong is as if it were absent."""

    entry: str
    campaign: str | None
    trial: bool
    given: dict[str, str]
    """The facts that the link already tells, for the engine: the trade."""
    federation: str = ""
    """Whose link it is, for the greeting."""


async def arrival(house: House, says: dict[str, str]) -> Arrival:
    """Read `c`, `par`, `metier` and `essai`, from an address or from the hidden fields of the first form.

    A campaign's own branch and channel come before what the link says beside it, open or over.
    """
    code = says.get("c", "")
    code = code if _CAMPAIGN.fullmatch(code) else ""
    known = await house.store.db.query(lambda tx: campaigns.find(tx, code)) if code else None
    entry, trade, fact = says.get("par", ""), says.get("metier", ""), house.flow.questionnaire.profile[0]
    if known:
        entry, trade, code = known.channel, known.branch, known.code
    named = house.settings.federation(known.branch) if known else None
    return Arrival(
        entry=entry if entry in ENTRIES else "branche" if code else "direct",
        campaign=code or None,
        trial=says.get("essai") == "1",
        given={fact.id: trade} if trade in fact.by_choice else {},
        federation=named.name if named else "",
    )


async def welcome(request: Request) -> Response:
    """Who speaks and what it costs, and the first question below; somebody known is offered to go on.

    Also the address of a campaign: the page itself, at once, for a redirect costs two seconds on a poor network.
    """
    door = door_of(request)
    came = await arrival(door.house, {**request.query_params, **request.path_params})
    return welcome_page(door, request, came, known=await door.glance(request, limited=True) is not None)


def welcome_page(
    door: Door, request: Request, came: Arrival, *, known: bool = False, status: int = 200, notice: str = ""
) -> Response:
    """The welcome page; `notice`: the code of a sentence to put first."""
    house = door.house
    asked = present(house.flow, engine.begin(house.flow, came.given), house.words).question
    return door.view.page(
        request, "welcome.html", status=status, asked=asked, came=came, known=known, notice=notice, revision=None
    )


async def show(request: Request) -> Response:
    """The present turn. A frame asks by a form, which carries its token."""
    door = door_of(request)
    if request.method == "POST":
        await door.form(request)
    here = await door.glance(request, limited=True)
    if here is None:
        return await door.lost(request)
    response = turn_page(door, request, here)
    door.remember(request, response, door.token(request))
    return response


async def answer(request: Request) -> Response:
    """One form sent: a choice, a typed text or a command; the first choice of all begins the conversation."""
    door = door_of(request)
    form = await door.form(request)
    nonce = form.nonce()
    if "debut" in form and not await door.conversation(request) and not await door.by_mail(request):
        return await _begin(door, request, form, nonce)
    conversation = Bearer(door.token(request), limited=frame_of(request) is None)
    try:
        event = _event(door.house, form)
        revision = -1 if "debut" in form else form.revision()
        if revision is None and ("choice" in form or "text" in form):
            raise Problem(400, "incomplete")
        here = await turn.take(
            door.house,
            door=WEB,
            incoming="/".join(
                (nonce, *(form.fields.get(name, "") for name in ("node", "choice", "command", "word", "text")))
            ),
            conversation=conversation,
            revision=revision,
            event=event,
        )
    except Problem as problem:
        return await _again(door, request, conversation, problem)
    except Gone:
        return _lost(door, request)
    return _after(door, request, form, here)


def turn_page(
    door: Door,
    request: Request,
    here: Present,
    *,
    status: int = 200,
    notice: str = "",
    node: str = "",
    wrong: str = "",
) -> Response:
    """The page of a turn. `notice`: the code of a sentence to put first; `node`: the question that it is about.

    `wrong`: the sentence about the passphrase just typed.
    """
    if here.limited:
        return _limited_page(door, request, here, status=status, notice=notice)
    house, flow, session = door.house, here.flow, here.session
    words, now = house.words, here.turn(house)
    said = past(flow, session, words)
    asked = engine.asking(flow, session) if now.flow == flow.id else None
    before = [step.question.id for step in takewhile(lambda step: step != asked, engine.path(flow, session))]
    scored = asked and now.question and now.question.section != "profile"
    return door.view.page(
        request,
        "turn.html",
        status=status,
        notice=notice,
        wrong=wrong,
        about=next((each for each in said if each.node == node), None),
        turn=now,
        asked=now.question,
        question=asked.question if asked else None,
        place=here.front[1].place,
        paused=session.paused,
        review=bool(session.review),
        left=questions_left(flow, session),
        revision=here.revision,
        past=[each for each in said if each.node in before] if asked else said,
        groups=[
            (title, [each for each in said if each.title == title]) for title in dict.fromkeys(e.title for e in said)
        ],
        terms=door.view.terms(now.question.text, *(each.label for each in now.question.choices))
        if now.question and scored
        else (),
        result=shown(flow, session, words)
        if now.place == "result" and now.flow == flow.id and not session.paused
        else None,
        sections=flow.section,
        expert=diagnosis(flow, session.values),
        visit=shown_with(here),
        has_visit="appointment" in here.held.diary.since,
    )


def _limited_page(door: Door, request: Request, here: Present, *, status: int, notice: str) -> Response:
    """The page of a turn as a mailed link shows it: made of the glimpse alone, and of what is asked in any firm."""
    now = here.turn(door.house)
    asked = now.question
    of_autodiag = now.flow == here.flow.id
    return door.view.page(
        request,
        "limited.html",
        status=status,
        notice=notice,
        about=None,
        turn=now,
        visit=None,
        asked=asked,
        question=here.flow.question(asked.node) if asked and of_autodiag else None,
        place=now.place,
        paused=here.session.paused and of_autodiag,
        left=questions_left(here.flow, here.session),
        revision=here.revision,
        terms=door.view.terms(asked.text, *(each.label for each in asked.choices)) if asked and of_autodiag else (),
    )


async def _begin(door: Door, request: Request, form: Form, nonce: str) -> Response:
    house, came = door.house, await arrival(door.house, dict(form.fields))
    event = _event(house, form)
    if not isinstance(event, Clicked):
        raise Problem(422, "unknown")
    door.throttle.begins(request)
    try:
        here, token = await turn.begin(
            house,
            door=WEB,
            incoming=nonce,
            entry=came.entry,
            campaign=came.campaign,
            trial=came.trial,
            given=came.given,
            first=event,
        )
    except engine.Refused:
        return welcome_page(door, request, came, status=422, notice="unknown")
    except Gone:
        return welcome_page(door, request, came, status=410, notice="gone")
    if frame := frame_of(request):
        frame.token = token
    response = _go_on(door, request, here)
    door.remember(request, response, token)
    return response


def _event(house: House, form: Form) -> Event | EventOf:
    """The event that a form means."""
    if "choice" in form:
        return Clicked(form.name("node", needed=True), form.name("choice", needed=True))
    if "command" in form:
        named = next((name for name in COMMANDS if name == form.fields["command"]), None)
        if named is None:
            raise Problem(422, "unknown")
        return Commanded(named, form.name("node"), form.name("word"))
    if "text" in form:
        return house.typed(form.text("text"))
    raise Problem(400, "incomplete")


def _after(door: Door, request: Request, form: Form, here: Present) -> Response:
    node, choice = form.fields.get("node", ""), form.fields.get("choice", "")
    match here.outcome:
        case "erased":
            response = door.view.page(request, "erased.html") if _at_once(request) else see("/au-revoir")
            door.forget(request, response)
            return response
        case "stale" if here.limited or not choice or here.answered(node) != choice:
            response = turn_page(door, request, here, status=409, notice="stale", node=node)
        case "refused":
            status = _STATUS.get(here.refusal, 422)
            code = "stale" if status == 409 else _NOTICE.get(here.refusal, "unknown")
            response = turn_page(door, request, here, status=status, notice=code, node=node)
        case _:
            response = _go_on(door, request, here)
    door.remember(request, response, door.token(request))
    return response


def _go_on(door: Door, request: Request, here: Present) -> Response:
    """Look at the turn: another address each time, so that the browser's Back never leaves the conversation."""
    return turn_page(door, request, here) if _at_once(request) else see(f"/autodiag?t={here.revision}")


def _at_once(request: Request) -> bool:
    """Whether to answer with the page itself: to our script; and in a frame, where a redirect loses the token."""
    return wants_fragment(request) or frame_of(request) is not None


async def _again(door: Door, request: Request, conversation: Bearer, problem: Problem) -> Response:
    """The present turn, with what was wrong in the form."""
    try:
        here = await turn.look(door.house, conversation)
    except Gone:
        return _lost(door, request)
    return turn_page(door, request, here, status=problem.status, notice=problem.code)


def _lost(door: Door, request: Request) -> Response:
    response = door.view.page(request, "lost.html", status=403, notice="not_saved")
    if door.token(request):
        door.forget(request, response)
    return response
