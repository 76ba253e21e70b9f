"""Coming back: the return link, the code for another device, forgetting this device.

A link is made on demand and told once. Its page has a button, because mail programs open links before people do.
"""

from __future__ import annotations

import re

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bot.entrance import close_way, close_ways, hand_over, open_way, redeem, who
from bot.web.door import Door, door_of
from bot.web.form import Problem
from bot.web.frame import frame_of
from bot.web.view import see
from store.codes import Refusal

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")


async def keep(request: Request) -> Response:
    """What one may keep, once there is something to come back to."""
    door = door_of(request)
    if await door.glance(request) is None:
        return await door.lost(request)
    return _keep_page(door, request)


async def make(request: Request) -> Response:
    """A link, a code, or the end of one or the other."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    conversation = await door.conversation(request)
    if conversation is None:
        return await door.lost(request)
    kept = form.fields.get("lien", "")
    if not _TOKEN.fullmatch(kept) or await who(door.house, kept) != conversation:
        kept = ""
    match form.fields.get("faire"):
        case "lien":
            token = await open_way(door.house, conversation, "link")
            return _keep_page(door, request, kept=token)
        case "telegram":
            telegram = await _telegram(door, conversation)
            if not telegram:
                return _keep_page(door, request, status=503, kept=kept, notice="telegram_silent")
            return _keep_page(door, request, kept=kept, telegram=telegram)
        case "code":
            return _keep_page(door, request, kept=kept, code=await hand_over(door.house, conversation))
        case "fermer":
            await close_ways(door.house, conversation, "link")
            return _keep_page(door, request, notice="links_closed")
        case "oublier":
            await close_way(door.house, door.token(request))
            response = door.view.page(request, "forgotten.html")
            door.forget(request, response)
            return response
        case None if frame_of(request):
            return _keep_page(door, request)
    raise Problem(422, "unknown")


async def return_link(request: Request) -> Response:
    """The page of a link: a button, and nothing done yet."""
    door = door_of(request)
    return door.view.page(request, "return.html", token=request.path_params["token"])


async def enter(request: Request) -> Response:
    """The button of a link was pressed: this device knows the conversation from now on."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    token = request.path_params["token"]
    conversation = await who(door.house, token) if _TOKEN.fullmatch(token) else None
    if conversation is None:
        return door.view.page(request, "lost.html", status=403, notice="bad_link")
    response = see("/autodiag")
    door.remember(request, response, await open_way(door.house, conversation, "device"))
    return response


async def ask_code(request: Request) -> Response:
    """Where to type the code shown on the other device."""
    return door_of(request).view.page(request, "code.html")


async def try_code(request: Request) -> Response:
    """A code was typed."""
    door = door_of(request)
    form = await door.form(request)
    form.nonce()
    door.throttle.may_try_code(request)
    try:
        typed = form.text("code")
    except Problem as problem:
        return door.view.page(request, "code.html", status=problem.status, notice=problem.code)
    found = await redeem(door.house, typed)
    if isinstance(found, Refusal):
        door.throttle.wrong_code(request)
        return door.view.page(request, "code.html", status=403, notice=f"code_{found.reason}")
    response = see("/autodiag")
    door.remember(request, response, found)
    return response


def _keep_page(
    door: Door,
    request: Request,
    *,
    status: int = 200,
    kept: str = "",
    telegram: str = "",
    code: str = "",
    notice: str = "",
) -> Response:
    """`kept`: the token of a link already made in this page, which a code asked for next must not hide."""
    return door.view.page(
        request,
        "keep.html",
        status=status,
        kept=kept,
        address=f"{door.house.settings.server.public_url}/r/{kept}" if kept else "",
        telegram=telegram,
        picture=_picture,
        code=code,
        notice=notice,
    )


async def _telegram(door: Door, conversation: str) -> str:
    """The link that goes on in Telegram, or empty while Telegram does not answer."""
    if not door.house.settings.telegram.on:
        return ""
    from bot.telegram.door import telegram_link  # the library takes half a second: only where there is a bot

    if not telegram_link(door.house, ""):
        return ""
    return telegram_link(door.house, await hand_over(door.house, conversation)) or ""


def _picture(address: str) -> Markup:
    """The link as a QR code, black on white in both colour schemes."""
    drawn = segno.make(address, error="m").svg_inline(scale=4, omitsize=True, light="#fff", border=3, svgclass="qr")
    return Markup(drawn)  # noqa: S704 — drawn by segno from our own address
