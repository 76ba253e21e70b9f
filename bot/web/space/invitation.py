"""The page of an invitation: tests the device, and makes a first passkey.

One rule: opening the page, and asking for a challenge, change nothing: programs do both before people. Only the passkey
that comes back, signed, uses the invitation up.
"""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response

from access import ceremony, challenges, invitations
from access.entry import joined
from access.invitations import Invitation
from access.refused import Refused
from bot.house import House
from bot.web.door import door_of
from bot.web.form import Problem, read_json
from bot.web.space.guard import remember
from bot.web.space.keys import label_of
from bot.web.space.page import credential_of, granted, refusal, site, space_page, status_of
from store.engine import Unavailable

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


async def invitation(request: Request) -> Response:
    """Who is invited, what a passkey is, and whether this device can make one."""
    house = door_of(request).house
    try:
        found = await _found(house, request)
    except Refused as refused:
        return space_page(request, None, "not_invited.html", status=status_of(refused), notice=refused.code)
    return space_page(request, None, "invitation.html", site=site(house), invitation=found, address=request.url.path)


async def ask(request: Request) -> Response:
    """A challenge for this invitation."""
    here = door_of(request)
    house = here.house
    try:
        await read_json(request, house.settings)
        found = await _found(house, request)
    except (Problem, Refused, Unavailable) as error:
        return refusal(here, error)
    challenge = challenges.draw(house.store.keyring, _bound(request), house.now())
    return granted(options=ceremony.creation(site(house), challenge, account=found.account, known=()))


async def prove(request: Request) -> Response:
    """The passkey is made: the invitation has served, and the person is in."""
    here = door_of(request)
    house, keyring, now, token = here.house, here.house.store.keyring, here.house.now(), request.path_params["token"]
    try:
        sent = await read_json(request, house.settings)
        await _found(house, request)
        answer = ceremony.read(site(house), credential_of(sent))
        challenges.check(keyring, answer.challenge, _bound(request), now)
        made = await asyncio.to_thread(ceremony.made, site(house), answer)
        label = label_of(request, made)
        let_in = await house.store.db.submit(lambda tx: joined(tx, keyring, token, made, label, answer.challenge, now))
    except (Problem, Refused, Unavailable) as error:
        return refusal(here, error)
    response = granted(next="/espace/cles")
    remember(house, response, let_in.token)
    return response


async def _found(house: House, request: Request) -> Invitation:
    """The invitation of this address. Raises Refused."""
    token = request.path_params["token"]
    if not _TOKEN.fullmatch(token):
        raise Refused("invitation_unknown")
    return await house.store.db.query(lambda tx: invitations.look_up(tx, house.store.keyring, token, house.now()))


def _bound(request: Request) -> str:
    return f"invitation/{request.path_params['token']}"
