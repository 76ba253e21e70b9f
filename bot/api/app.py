"""The routes of the API, in sight, and what surrounds them: bodies within a limit, faults told in the log by place.

To be served under /api/v1 (`bot/app.py` does). A token is read from its header only, and never written anywhere.
"""

from __future__ import annotations

import json
import re
import secrets
import traceback
from dataclasses import dataclass
from typing import TypeVar

import structlog
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api import openapi
from bot.api.problems import Code, Problem, problem_of
from bot.api.shapes import (
    BEGINNING,
    SENT,
    Beginning,
    ChoiceEvent,
    CommandEvent,
    TextEvent,
    strings_json,
    turn_json,
)
from bot.house import House
from bot.throttle import Throttle, throttle_of
from bot.turn import Bearer, EventOf, Gone, Present, begin, erase, look, take
from dialogue import engine
from dialogue.events import Clicked, Commanded, Event
from scoring.score import as_data
from store import ways
from store.engine import Unavailable

API = "api"
LARGEST = 16_384
"""Bytes of a body; our longest is far below."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TOKEN = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]+)")
_REFUSED: dict[str, Code] = {
    "not_asked": "not_asked",
    "nothing_to_confirm": "nothing_to_confirm",
    "unknown_node": "unknown_node",
    "unknown_choice": "unknown_choice",
    "na_refused": "na_refused",
    "unknown_tutorial": "unknown_tutorial",
}

T = TypeVar("T")
log = structlog.get_logger("api")


def create_api(house: House) -> ASGIApp:
    """The API of this house. It opens nothing and closes nothing: whoever opened the house does."""
    door = _Door(house, throttle_of(house))
    api = FastAPI(
        title="Autodiag",
        version=openapi.VERSION,
        description="L'Autodiag Cyberdiag dans votre application : la même conversation, en JSON.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            Problem: _problem,
            HTTPException: _http,
            Gone: _gone,
            Unavailable: _unavailable,
            Exception: _fault,
        },
    )
    api.add_api_route("/conversations", door.begin, methods=["POST"], **openapi.BEGIN)
    api.add_api_route("/conversations/{id}/events", door.send, methods=["POST"], **openapi.SEND)
    api.add_api_route("/conversations/{id}", door.state, methods=["GET"], **openapi.STATE)
    api.add_api_route("/conversations/{id}/result", door.result, methods=["GET"], **openapi.RESULT)
    api.add_api_route("/conversations/{id}", door.erase, methods=["DELETE"], **openapi.ERASE)
    api.openapi = lambda: openapi.describe(api)  # type: ignore[method-assign]
    return _Guard(api)


@dataclass(frozen=True)
class _Door:
    """What the routes share."""

    house: House
    throttle: Throttle

    async def begin(self, request: Request) -> Response:
        """A new conversation, with a token of its own."""
        wanted: Beginning = await _body(request, BEGINNING)
        house, token = self.house, secrets.token_urlsafe(24)
        if problem := _misknown(house, wanted.profile):
            raise problem
        if wait := self.throttle.begins(request.client.host if request.client else ""):
            raise Problem("too_many", headers={"Retry-After": str(wait)})

        def open_way(tx: Connection, begun: Present) -> None:
            ways.issue(tx, house.store.keyring, begun.conversation, "api", house.today(), token=token)

        here, _ = await begin(
            house,
            door=API,
            incoming=secrets.token_hex(16),
            entry=API,
            campaign=wanted.campaign,
            trial=wanted.trial,
            given=wanted.profile,
            token=token,
            then=open_way,
        )
        told = strings_json({"id": here.conversation, "token": token})
        return _json(told[:-1] + b',"turn":' + self.turn(here) + b"}", 201)

    async def send(self, request: Request) -> Response:
        """One event, once for each key."""
        bearer = _bearer(request)
        key = request.headers.get("idempotency-key", "")
        if not _KEY.fullmatch(key):
            raise Problem("key_missing")
        sent = await _body(request, SENT)
        here = await take(
            self.house,
            door=API,
            incoming=f"{bearer.opens}/{key}",
            conversation=bearer,
            revision=sent.revision,
            event=_event(self.house, sent),
        )
        match here.outcome:
            case "erased":
                return _json(b'{"turn":null,"status":"erased","outcome":"erased"}')
            case "stale":
                raise Problem("stale", turn=self.turn(here))
            case "refused":
                raise _refusal(here.refusal, sent, self.turn(here))
        shown = here.turn(self.house)
        turn = turn_json(here.revision, shown)
        return _json(b'{"turn":%b,"status":"%b","outcome":"%b"}' % (turn, shown.status.encode(), here.outcome.encode()))

    async def state(self, request: Request) -> Response:
        """The present turn, and the answers that count."""
        here = await look(self.house, _bearer(request))
        answers = strings_json(engine.counted(here.flow, here.session))
        told = strings_json({"id": here.conversation})
        return _json(told[:-1] + b',"turn":' + self.turn(here) + b',"answers":' + answers + b"}")

    async def result(self, request: Request) -> Response:
        """What the answers that count are worth so far, as `autodiag score` prints it."""
        here = await look(self.house, _bearer(request))
        found = as_data(engine.result(here.flow, here.session))
        return _json(json.dumps(found, ensure_ascii=False).encode())

    async def erase(self, request: Request) -> Response:
        """Erased before the answer leaves."""
        await erase(self.house, _bearer(request))
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    def turn(self, here: Present) -> bytes:
        """The present turn, as JSON."""
        return turn_json(here.revision, here.turn(self.house))


class _Guard:
    """Outermost of the API: the log says where a fault of ours was, never what was said; it goes no further up."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 — the outermost: what went wrong is told here, by place
            frames = traceback.extract_tb(error.__traceback__)[-4:]
            where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            route = getattr(scope.get("route"), "path", "(aucune)")
            log.error("fault", route=route, fault=type(error).__name__, where=where)
            if not started:
                await Problem("fault").response()(scope, receive, send)


def _json(content: bytes, status: int = 200) -> Response:
    return Response(content, status, {"Cache-Control": "no-store"}, "application/json")


def _bearer(request: Request) -> Bearer:
    """Who asks for which conversation; whether the one opens the other is looked up with the turn."""
    shown = _TOKEN.fullmatch(request.headers.get("authorization", ""))
    if shown is None:
        raise Problem("no_token", headers={"WWW-Authenticate": "Bearer"})
    return Bearer(shown[1], kind="api", opens=request.path_params["id"])


async def _body(request: Request, shape: TypeAdapter[T]) -> T:
    """The body, read no further than the limit, in the shape expected. A beginning may have none."""
    if shape is BEGINNING and "content-type" not in request.headers and _nothing(request):
        return shape.validate_json(b"{}")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("not_json")
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > LARGEST:
        raise _too_big()
    read_so_far = bytearray()
    async for chunk in request.stream():
        read_so_far += chunk
        if len(read_so_far) > LARGEST:
            raise _too_big()
    try:
        return shape.validate_json(bytes(read_so_far))
    except ValidationError as error:
        raise problem_of(error) from None


def _nothing(request: Request) -> bool:
    """Whether the request says that it has no body."""
    return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers


def _too_big() -> Problem:
    return Problem("too_big", headers={"Connection": "close"})


def _event(house: House, sent: ChoiceEvent | TextEvent | CommandEvent) -> Event | EventOf:
    """The event that a body means; there is no help to show first, so "je ne sais pas" is certain."""
    match sent:
        case ChoiceEvent():
            return Clicked(sent.node, sent.choice, certain=True)
        case CommandEvent():
            return Commanded(sent.name, sent.node, sent.word)
        case TextEvent(text=text):
            return house.typed(text)


def _misknown(house: House, profile: dict[str, str]) -> Problem | None:
    """The first fact or choice that the questionnaire does not know, named."""
    known = {fact.id: fact for fact in house.flow.questionnaire.profile}
    for fact, choice in profile.items():
        if fact not in known:
            return Problem("unknown_node", detail=f"« profile.{fact} » n'est pas un fait connu : {', '.join(known)}.")
        if choice not in known[fact].by_choice:
            offered = ", ".join(known[fact].by_choice)
            return Problem("unknown_choice", detail=f"« profile.{fact} » n'a pas le choix « {choice} » : {offered}.")
    return None


def _refusal(code: str, sent: ChoiceEvent | TextEvent | CommandEvent, turn: bytes) -> Problem:
    named = _REFUSED.get(code, "invalid")
    name = "" if isinstance(sent, TextEvent) else sent.node
    if code == "unknown_tutorial" and isinstance(sent, CommandEvent):
        name = sent.word
    problem = Problem(named, name=name)
    if problem.status == 409:
        problem.turn = turn
    return problem


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 — registered for it above
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code != 405:
        return Problem("not_found").response()
    routes = request.app.routes
    allowed = {name for route in routes if route.matches(request.scope)[0] == Match.PARTIAL for name in route.methods}
    return Problem("wrong_method", headers={"Allow": ", ".join(sorted(allowed))}).response()


async def _gone(request: Request, error: Exception) -> Response:
    return Problem("not_found").response()


async def _unavailable(request: Request, error: Exception) -> Response:
    return Problem("unavailable", headers={"Retry-After": "5"}).response()


async def _fault(request: Request, error: Exception) -> Response:
    return Problem("fault").response()
