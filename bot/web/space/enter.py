"""The door of the spaces: showing a passkey to come in, and going out.

GET writes nothing, and neither does asking for a challenge. A cookie binds a challenge to this browser.
"""

from __future__ import annotations

import asyncio
import re
import secrets

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access import ceremony, challenges, passkeys, sign_ins
from access.entry import Entered, entered
from access.refused import Refused
from bot.house import House
from bot.web.door import door_of
from bot.web.form import Problem, read_json
from bot.web.space.guard import SignedOut, forget, remember, token_of
from bot.web.space.page import credential_of, granted, refusal, site, space_page
from bot.web.view import see
from store.engine import Unavailable

HOME = "/espace"
_WITHIN = re.compile(r"/espace(/[A-Za-z0-9_-]{1,64}){0,6}")
_BROWSER = re.compile(r"[A-Za-z0-9_-]{24}")
_KEPT = 3600
_SAID = {"sorti": "out", "partout": "out_everywhere", "fini": "ended", "prouver": "prove_again"}

log = structlog.get_logger("space")


async def door(request: Request) -> Response:
    """Where one shows one's passkey."""
    house = door_of(request).house
    query = request.query_params
    return space_page(
        request,
        None,
        "enter.html",
        notice=_SAID.get(query.get("dit", ""), ""),
        site=site(house),
        onward=_onward(query.get("suite", "")),
    )


async def ask(request: Request) -> Response:
    """A challenge for this browser."""
    here = door_of(request)
    house = here.house
    try:
        await read_json(request, house.settings)
    except Problem as error:
        return refusal(here, error)
    name, browser = _cookie(house), request.cookies.get(_cookie(house), "")
    if not _BROWSER.fullmatch(browser):
        browser = secrets.token_urlsafe(18)
    challenge = challenges.draw(house.store.keyring, f"enter/{browser}", house.now())
    response = granted(options=ceremony.request(site(house), challenge))
    secure = house.settings.server.https
    response.set_cookie(name, browser, max_age=_KEPT, secure=secure, httponly=True, samesite="strict")
    return response


async def prove(request: Request) -> Response:
    """The passkey is shown: believed, it opens a sign-in."""
    here = door_of(request)
    house = here.house
    try:
        sent = await read_json(request, house.settings)
        let_in = await _shown(house, request, sent)
    except (Problem, Refused, Unavailable) as error:
        return refusal(here, error)
    response = granted(next=_onward(sent.get("onward")))
    remember(house, response, let_in.token)
    return response


async def leave(request: Request) -> Response:
    """The sign-in of this device ends."""
    here = door_of(request)
    await here.form(request)
    house, token = here.house, token_of(request, here.house)
    if token:
        await house.store.db.submit(lambda tx: sign_ins.close(tx, house.store.keyring, token))
    response = see("/entrer?dit=sorti")
    forget(house, response)
    return response


async def signed_out(request: Request, error: Exception) -> Response:
    """What somebody gets who is not signed in: the door, or for a form sent too late, a page that says so."""
    assert isinstance(error, SignedOut)  # noqa: S101 — registered for it
    house = door_of(request).house
    if request.headers.get("content-type", "").startswith("application/json"):
        response = refusal(door_of(request), Refused("ended"))
    elif request.method == "POST":
        response = space_page(request, None, "ended.html", status=403)
    else:
        onward = f"suite={request.url.path}" if _WITHIN.fullmatch(request.url.path) else "suite=/espace"
        response = see(f"/entrer?{'dit=fini&' if error.ended else ''}{onward}")
    if error.ended:
        forget(house, response)
    return response


async def _shown(house: House, request: Request, sent: dict[str, object]) -> Entered:
    keyring, now, here = house.store.keyring, house.now(), site(house)
    answer = ceremony.read(here, credential_of(sent))
    challenges.check(keyring, answer.challenge, f"enter/{request.cookies.get(_cookie(house), '')}", now)
    kept = await house.store.db.query(lambda tx: passkeys.find(tx, keyring, answer.id))
    if answer.user not in ("", kept.account):
        raise Refused("unknown_key")
    count = await asyncio.to_thread(ceremony.shown, here, answer, kept.public_key)
    earlier = token_of(request, house)

    def let_in(tx: Connection) -> Entered | None:
        done = entered(tx, keyring, kept, count, answer.challenge, now)
        if done and earlier:
            sign_ins.close(tx, keyring, earlier)
        return done

    done = await house.store.db.submit(let_in)
    if done is None:
        log.error("passkey_copied", account=kept.account)
        raise Refused("copied_key")
    return done


def _onward(given: object) -> str:
    """Where to go once signed in: within the spaces, else their home."""
    return given if isinstance(given, str) and _WITHIN.fullmatch(given) else HOME


def _cookie(house: House) -> str:
    return "__Host-autodiag-porte" if house.settings.server.https else "autodiag-porte"
