"""Who is there, and whether what they ask for is theirs. Every page of a space passes here first.

One rule: another's, an absent or an invented id, and a page of another role, look alike: 404, and a line in the log
that names nothing but the account's opaque id. Nobody signed in is sent to the door, whatever the id.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response

from access import sign_ins
from access.accounts import Role
from access.sign_ins import SignIn
from bot.house import House
from bot.web.door import door_of
from bot.web.form import Problem
from bot.web.guard import route_of

T = TypeVar("T")
_LONGEST = 100

log = structlog.get_logger("space")


class SignedOut(Exception):
    """Nobody is signed in on this device. `ended`: somebody was."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__("ended" if ended else "nobody")
        self.ended = ended


async def signed_in(request: Request, *roles: Role) -> SignIn:
    """Who is signed in on this device, with one of these roles (none named: any). Raises SignedOut, or Problem 404."""
    house = door_of(request).house
    token, now = token_of(request, house), house.now()
    if not token:
        raise SignedOut(ended=False)
    who = await house.store.db.query(lambda tx: sign_ins.look_up(tx, house.store.keyring, token, now))
    if who is None:
        raise SignedOut(ended=True)
    if who.to_mark(now):
        await house.store.db.submit(lambda tx: sign_ins.mark(tx, who, now))
    if roles and who.account.role not in roles:
        raise not_theirs(request, who, "role")
    return who


def theirs(request: Request, who: SignIn, found: T | None) -> T:
    """What a room found for this account, or, when it found nothing of theirs under that id, Problem 404."""
    if found is None:
        raise not_theirs(request, who, "id")
    return found


def not_theirs(request: Request, who: SignIn, because: Literal["role", "id"]) -> Problem:
    """The refusal to raise, once it is in the log."""
    log.warning("refused", route=route_of(request.scope), because=because, account=who.account.id)
    return Problem(404, "not_found")


def token_of(request: Request, house: House) -> str:
    """The token of a sign-in that this device shows, or empty."""
    given = request.cookies.get(cookie_of(house), "")
    return given if len(given) <= _LONGEST else ""


def cookie_of(house: House) -> str:
    """The name of the cookie; over https, one that no other host can have set."""
    return "__Host-autodiag-espace" if house.settings.server.https else "autodiag-espace"


def remember(house: House, response: Response, token: str) -> None:
    """Let this device show its sign-in, until the browser closes or the sign-in ends.

    SameSite=Lax, for a link in an e-mail must find the person signed in. No GET changes anything, and a POST must come
    from our own pages.
    """
    response.set_cookie(cookie_of(house), token, secure=house.settings.server.https, httponly=True, samesite="lax")


def forget(house: House, response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(cookie_of(house), secure=house.settings.server.https, httponly=True, samesite="lax")
