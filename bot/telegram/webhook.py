"""POST /telegram: the secret first, in constant time, before a byte of the body is read; the turn, then 200.

Telegram brings an update again until it gets a 2xx: so 200 says committed, and what cannot be understood gets 200 too,
or it would come back for a day.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.house import House
from bot.telegram.door import door_of
from bot.telegram.receive import parsed, receive
from store.engine import Unavailable

PATH = "/telegram"
SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 — the header's name
LARGEST = 1 << 20
"""Bytes of an update at most; a message has 4,096 characters."""


def route(house: House) -> Route:
    """The route to mount; only for a house whose settings say webhook."""
    expected = house.settings.telegram.secret.get_secret_value().encode()

    async def webhook(request: Request) -> Response:
        given = request.headers.get(SECRET, "").encode()
        if not expected or not hmac.compare_digest(given, expected):
            return PlainTextResponse("Secret absent ou faux : rien n'a été lu.", 401)
        data = await _update(request)
        if isinstance(data, Response):
            return data
        door = door_of(house)
        update = parsed(data, door.post.bot)
        if update is not None:
            try:
                await receive(door, update)
            except Unavailable:
                return PlainTextResponse("Rien n'a été enregistré : renvoyez-le.", 503, headers={"Retry-After": "5"})
        return PlainTextResponse("ok")

    return Route(PATH, webhook, methods=["POST"])


async def _update(request: Request) -> dict[str, Any] | Response:
    """The body as the object it must be, or what to answer."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                return PlainTextResponse("Corps trop grand : rien n'a été enregistré.", 413)
        data = json.loads(body)
    except ClientDisconnect:
        return PlainTextResponse("Corps coupé : rien n'a été enregistré.", 400)
    except (ValueError, RecursionError):
        return PlainTextResponse("Ce n'est pas du JSON : rien n'a été enregistré.", 400)
    number = data.get("update_id") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return PlainTextResponse("Ce n'est pas une mise à jour de Telegram : rien n'a été enregistré.", 400)
    found: dict[str, Any] = data
    return found
