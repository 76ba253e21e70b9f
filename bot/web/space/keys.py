"""My passkeys: the list, a second one, one to remove, and signing out everywhere.

One rule: whoever changes passkeys has shown one in the last ten minutes, on this device.
"""

from __future__ import annotations

import asyncio
import re

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from access import accounts, ceremony, challenges, passkeys, sign_ins
from access.ceremony import Made
from access.entry import added
from access.refused import Refused
from access.sign_ins import SignIn
from bot.house import House
from bot.web.door import door_of
from bot.web.form import Problem, read_json
from bot.web.space.guard import forget, signed_in, theirs
from bot.web.space.page import credential_of, granted, refusal, site, space_page, status_of
from bot.web.view import see
from store.engine import Unavailable

KEYS = "/espace/cles"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")
"""What a browser's name for itself tells of its system, the first found."""


async def keys(request: Request) -> Response:
    """The passkeys of whoever is signed in."""
    return await _page(request, await signed_in(request))


async def change(request: Request) -> Response:
    """One passkey removed, or every sign-in ended."""
    here, who = door_of(request), await signed_in(request)
    form = await here.form(request)
    form.nonce()
    match form.fields.get("faire"):
        case "retirer":
            return await _remove(request, who, form.fields.get("cle", ""))
        case "partout":
            await here.house.store.db.submit(lambda tx: sign_ins.close_all(tx, who.account.id))
            response = see("/entrer?dit=partout")
            forget(here.house, response)
            return response
    raise Problem(422, "unknown")


async def ask(request: Request) -> Response:
    """A challenge for one more passkey of whoever is signed in."""
    here, who = door_of(request), await signed_in(request)
    house = here.house
    try:
        await read_json(request, house.settings)
        _fresh(house, who)
        mine = await house.store.db.query(lambda tx: passkeys.of(tx, who.account))
        if len(mine) >= passkeys.AT_MOST:
            raise Refused("enough_keys")
    except (Problem, Refused, Unavailable) as error:
        return refusal(here, error)
    challenge = challenges.draw(house.store.keyring, _bound(who), house.now())
    known = [each.id for each in mine]
    return granted(options=ceremony.creation(site(house), challenge, account=who.account, known=known))


async def prove(request: Request) -> Response:
    """One more passkey is made."""
    here, who = door_of(request), await signed_in(request)
    house, keyring, now = here.house, here.house.store.keyring, here.house.now()
    try:
        sent = await read_json(request, house.settings)
        _fresh(house, who)
        answer = ceremony.read(site(house), credential_of(sent))
        challenges.check(keyring, answer.challenge, _bound(who), now)
        made = await asyncio.to_thread(ceremony.made, site(house), answer)
        label = label_of(request, made)
        await house.store.db.submit(lambda tx: added(tx, keyring, who, made, label, answer.challenge, now))
    except (Problem, Refused, Unavailable) as error:
        return refusal(here, error)
    return granted(next=KEYS)


def label_of(request: Request, made: Made) -> str:
    """A code for what a passkey was made on; its words are in templates/space/keys.html."""
    if made.kind != "device":
        return made.kind
    agent = request.headers.get("user-agent", "")
    return next((system.lower() for system in _SYSTEMS if system in agent), "device")


async def _page(request: Request, who: SignIn, *, status: int = 200, notice: str = "") -> Response:
    house = door_of(request).house
    mine = await house.store.db.query(lambda tx: passkeys.of(tx, who.account))
    return space_page(
        request,
        who,
        "keys.html",
        status=status,
        notice=notice,
        keys=sorted(mine, key=lambda key: key.digest != who.passkey),
        at_most=passkeys.AT_MOST,
        shown=who.passkey,
        fresh=who.fresh(house.now()),
        site=site(house),
    )


async def _remove(request: Request, who: SignIn, named: str) -> Response:
    house = door_of(request).house
    digest = bytes.fromhex(named) if _DIGEST.fullmatch(named) else b""

    def remove(tx: Connection) -> bool:
        account = accounts.find(tx, house.store.keyring, who.account.id, lock=True)
        return account is not None and passkeys.remove(tx, account, digest)

    try:
        _fresh(house, who)
        removed = await house.store.db.submit(remove)
    except Refused as refused:
        return await _page(request, who, status=status_of(refused), notice=refused.code)
    theirs(request, who, removed or None)
    return see(KEYS if digest != who.passkey else "/entrer?dit=sorti")


def _fresh(house: House, who: SignIn) -> None:
    if not who.fresh(house.now()):
        raise Refused("prove_again")


def _bound(who: SignIn) -> str:
    return f"add/{who.digest.hex()}"
