"""E-mail as its pages see it: leaving an address, confirming it, the link in a mail, the four words, stopping.

One rule: an address opened does nothing, because mail programmes open links before people do; its button does. Stopping
alone takes a bare POST, as a mail programme sends it for its reader (RFC 8058): its token is proof enough.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from bot.entrance import who_limited
from bot.mail import desk
from bot.web.door import Door, door_of
from bot.web.form import Problem
from bot.web.frame import frame_of
from bot.web.guard import host_of
from bot.web.view import see
from store.addresses import BadAddress
from store.phrases import Refusal, Unread

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")


async def about(request: Request) -> Response:
    """What the bot writes for, and the address left, if there is one."""
    door = door_of(request)
    here = await door.glance(request)
    if here is None:
        return await door.lost(request)
    return await _page(door, request, here.conversation)


async def change(request: Request) -> Response:
    """Leave an address, take it back, or draw another phrase."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    conversation = await door.conversation(request)
    if conversation is None:
        return await door.lost(request)
    if not door.house.settings.mail.on:
        raise Problem(404, "not_found")
    match form.fields.get("faire"):
        case "laisser":
            return await _leave(door, request, conversation, form.fields.get("adresse", ""))
        case "retirer":
            await desk.take_back(door.house, conversation)
            return await _page(door, request, conversation, notice="address_gone")
        case "phrase":
            phrase = await desk.new_phrase(door.house, conversation)
            return await _page(door, request, conversation, phrase=phrase)
        case None if frame_of(request):
            return await _page(door, request, conversation)
    raise Problem(422, "unknown")


async def to_confirm(request: Request) -> Response:
    """The page of a confirmation: a button, and nothing done yet."""
    return door_of(request).view.page(request, "mail_confirm.html", token=request.path_params["token"], done=False)


async def confirm(request: Request) -> Response:
    """The button of a confirmation was pressed."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    token = request.path_params["token"]
    done = bool(_TOKEN.fullmatch(token)) and await desk.confirm(door.house, token)
    if not done:
        return door.view.page(request, "error.html", status=403, notice="late_confirmation")
    return door.view.page(request, "mail_confirm.html", token=token, done=True)


async def mailed_link(request: Request) -> Response:
    """The page of a link come by e-mail: a button, and nothing done yet."""
    door, token = door_of(request), request.path_params["token"]
    here = await door.glance(request)
    meant = await who_limited(door.house, token) if _TOKEN.fullmatch(token) else None
    another = here is not None and here.conversation != meant
    return door.view.page(request, "mailed.html", token=token, another=another)


async def follow(request: Request) -> Response:
    """The button of a mailed link was pressed: this device knows the next question. One that knew more still does."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    token = request.path_params["token"]
    meant = await desk.follow(door.house, token) if _TOKEN.fullmatch(token) else None
    if meant is None:
        return door.view.page(request, "lost.html", status=403, notice="bad_link")
    response = see("/autodiag")
    if await door.conversation(request) != meant:
        door.remember(request, response, token)
    return response


async def ask_phrase(request: Request) -> Response:
    """Where to type the four words, on a device that came by a mailed link."""
    door = door_of(request)
    if await door.by_mail(request) is None:
        return see("/autodiag")
    return door.view.page(request, "locked.html", notice="")


async def try_phrase(request: Request) -> Response:
    """Four words were typed: right, this device knows everything from now on."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    conversation = await door.by_mail(request)
    if conversation is None:
        return await door.lost(request, notice="bad_link")
    try:
        found = await desk.unlock(door.house, conversation, form.fields.get("mots", ""))
    except Unread as unread:
        return door.view.page(request, "locked.html", status=422, notice="said", wrong=str(unread))
    if isinstance(found, Refusal):
        left = found.tries_left
        return door.view.page(request, "locked.html", status=403, notice=f"phrase_{found.reason}", left=left)
    response = see("/autodiag")
    door.remember(request, response, found)
    return response


async def to_stop(request: Request) -> Response:
    """The page of the link that stops mails: a button, and nothing done yet."""
    return door_of(request).view.page(request, "mail_stop.html", token=request.path_params["token"], done=False)


async def stop(request: Request) -> Response:
    """Stop: by the button, or by the reader's mail programme. The same answer whatever was known of the address."""
    door, token = door_of(request), request.path_params["token"]
    if not await desk.stop(door.house, token):
        return door.view.page(request, "error.html", status=404, notice="bad_stop")
    return door.view.page(request, "mail_stop.html", token=token, done=True)


async def _leave(door: Door, request: Request, conversation: str, typed: str) -> Response:
    try:
        left = await desk.leave(door.house, conversation, typed[:1000], host_of(request))
    except BadAddress as bad:
        return await _page(door, request, conversation, status=422, wrong=str(bad), typed=typed[:254])
    except desk.TooMany:
        return await _page(door, request, conversation, status=429, notice="too_many_addresses")
    if left is None:
        return await door.lost(request)
    return await _page(door, request, conversation, phrase=left.phrase, sent=True)


async def _page(
    door: Door,
    request: Request,
    conversation: str,
    *,
    status: int = 200,
    notice: str = "",
    wrong: str = "",
    typed: str = "",
    phrase: tuple[str, ...] = (),
    sent: bool = False,
) -> Response:
    """`phrase`: to show, this once; `sent`: a confirmation was just asked; `wrong`: about the address `typed`."""
    return door.view.page(
        request,
        "mail.html",
        status=status,
        notice=notice,
        wrong=wrong,
        typed=typed,
        phrase=phrase,
        sent=sent,
        kept=await desk.kept(door.house, conversation),
    )
