"""The stream of an open chat: it says that there is something new to look at, never what.

Server-sent events whose ids are revisions, so that a reader who comes back says how far it had seen. Nothing is said
twice by it, and nothing depends on it: without it, what is new is there at the next page. Not in a frame, where the
token of the way would have to stand in the address.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.web.door import Door, door_of
from store import conversations, ways
from store.engine import Unavailable

BEAT = 25.0
"""Seconds between two signs of life: proxies close what is silent for a minute. The row is looked at each time."""
BACK = (2000, 8000)
"""Milliseconds before a reader comes back when the server stops: not all in the same second."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def news(request: Request) -> Response:
    """What is new since the revision that the page shows. 204, do not come back: nothing to listen to here."""
    door = door_of(request)
    token = door.token(request)
    stands = await door.house.store.db.query(lambda tx: _stands(door, tx, token))
    if stands is None or not door.house.open_chats.may_open(stands[0]):
        return Response(status_code=204, headers=_HEADERS)
    seen = request.headers.get("last-event-id") or request.query_params.get("t", "")
    told = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else stands[1]
    return StreamingResponse(_stream(door, token, stands[0], told), media_type="text/event-stream", headers=_HEADERS)


async def _stream(door: Door, token: str, conversation: str, told: int) -> AsyncIterator[str]:
    yield f"retry: {random.randint(*BACK)}\n\n"  # noqa: S311 — not a secret
    with door.house.open_chats.listening(conversation) as ear:
        while True:
            try:
                stands = await door.house.store.db.query(lambda tx: _stands(door, tx, token))
            except Unavailable:
                stands = (conversation, told)
            if stands is None or stands[0] != conversation:  # erased, or this device was forgotten: the page says it
                yield "data: 0\n\n"
                return
            if stands[1] > told:
                told = stands[1]
                yield f"id: {told}\ndata: {told}\n\n"
            else:
                yield ":\n\n"
            if not await ear.wait(BEAT):
                return


def _stands(door: Door, tx: Connection, token: str) -> tuple[str, int] | None:
    """The conversation that a token opens and its revision; reading them is not a use of the token."""
    way = ways.look_up(tx, door.house.store.keyring, token, door.house.today()) if token else None
    revision = conversations.revision(tx, way.conversation) if way else None
    return None if way is None or revision is None else (way.conversation, revision)
