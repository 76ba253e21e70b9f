"""The home of whoever is signed in: what is theirs to open, and a word about a second passkey."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from access import passkeys
from bot.web.door import door_of
from bot.web.space.guard import not_theirs, signed_in
from bot.web.space.page import space_page


async def home(request: Request) -> Response:
    """The first page after signing in."""
    who = await signed_in(request)
    count = await door_of(request).house.store.db.query(lambda tx: passkeys.count(tx, who.account.id))
    return space_page(request, who, "home.html", keys=count)


async def nowhere(request: Request) -> Response:
    """Any other address of the spaces, an empty id among them: nobody is told whether it leads somewhere."""
    raise not_theirs(request, await signed_in(request), "id")
