"""Pages and answers of the spaces: a page with its frame, a refusal as a page or as JSON for our script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from access.refused import Refused
from access.sign_ins import SignIn
from access.site import Site, site_of
from bot.house import House
from bot.web.door import Door, door_of
from bot.web.form import Problem
from store.engine import Unavailable

_STATUS: Mapping[str, int] = {
    "invitation_unknown": 404,
    "invitation_used": 410,
    "invitation_expired": 410,
    "challenge_expired": 409,
    "challenge_used": 409,
    "unreadable": 400,
    "known_key": 409,
    "enough_keys": 409,
    "last_key": 409,
}
"""403 for the others: the person is not believed."""


def space_page(
    request: Request, who: SignIn | None, template: str, *, status: int = 200, notice: str = "", **values: object
) -> Response:
    """A page of a space, from templates/space. `notice`: the code of a sentence to put first."""
    return door_of(request).view.space(request, template, status=status, who=who, notice=notice, **values)


def status_of(refused: Refused) -> int:
    """The status of a refusal."""
    return _STATUS.get(refused.code, 403)


def refusal(door: Door, error: Refused | Problem | Unavailable) -> Response:
    """A refusal for our script: its code, and its sentence."""
    match error:
        case Refused():
            status, code = status_of(error), str(error.code)
        case Problem():
            status, code = error.status, error.code
        case _:
            status, code = 503, "unavailable"
    said = {"code": code, "phrase": door.view.sentence("space/sentences.html", code=code)}
    return JSONResponse(said, status, {"Cache-Control": "no-store"})


def granted(**said: object) -> JSONResponse:
    """What our script goes on with."""
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


def credential_of(sent: Mapping[str, object]) -> Mapping[str, Any]:
    """The device's answer in what our script sent. Raises Refused."""
    credential = sent.get("credential")
    if not isinstance(credential, dict):
        raise Refused("unreadable")
    return credential


def site(house: House) -> Site:
    """The site that passkeys are made for. Raises NoPasskeysHere."""
    return site_of(house.settings.server.public_url, house.settings.programme.name)
