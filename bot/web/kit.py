"""A campaign's kit: everything a communications officer needs, at an address that nobody guesses. No sign-in.

Nothing secret is here, and nothing about anybody: a wrong address, of a campaign that is or that is not, is 404.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bot.house import House
from bot.web.door import door_of
from bot.web.form import Problem
from federations import campaigns, kit
from federations.campaigns import Campaign
from papers import campaign as drawn
from papers.campaign import Flyer

_PREVIEW_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
"""The block of a newsletter has its styles inline, as mail programs want them; it runs nothing and fetches nothing."""
_HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class _File:
    """A file of the kit. `name`: as it is saved, or empty to be shown in the browser."""

    make: Callable[[Flyer, date], bytes]
    media: str
    name: str = ""


_FILES: Final = {
    "affiche.pdf": _File(drawn.poster_pdf, "application/pdf", "affiche-autodiag.pdf"),
    "affiche.png": _File(lambda flyer, _: drawn.poster_png(flyer), "image/png"),
    "carre.png": _File(lambda flyer, _: drawn.square_png(flyer), "image/png", "autodiag-1080.png"),
    "apercu.png": _File(lambda flyer, _: drawn.square_png(flyer), "image/png"),
    "qr.svg": _File(lambda flyer, _: drawn.qr_svg(flyer.address), "image/svg+xml", "autodiag-qr.svg"),
    "qr.png": _File(lambda flyer, _: drawn.qr_png(flyer.address), "image/png", "autodiag-qr.png"),
    "lettre": _File(lambda flyer, _: kit.preview(flyer).encode(), _HTML),
    "lettre.html": _File(lambda flyer, _: kit.text("lettre.html", flyer).encode(), _HTML, "autodiag-lettre.html"),
    "lettre.txt": _File(lambda flyer, _: kit.text("lettre.txt", flyer).encode(), _TEXT, "autodiag-lettre.txt"),
}


async def page(request: Request) -> Response:
    """The kit, with what each piece looks like."""
    door = door_of(request)
    house, campaign = door.house, await _campaign(request)
    flyer = flyer_of(house, campaign)
    response = door.view.page(
        request,
        "kit.html",
        campaign=campaign,
        flyer=flyer,
        base=kit_path(house, campaign.code),
        texts=kit.texts(flyer),
        embed=kit.embed(house.settings.server.public_url, campaign.code),
        telegram=telegram_address(house, campaign.code),
        qr=Markup(drawn.qr_inline(flyer.address)),  # noqa: S704 — drawn by segno from our own address
        open=campaign.open_on(house.today()),
        today=house.today(),
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


async def file(request: Request) -> Response:
    """One piece of the kit, to save or to look at."""
    door = door_of(request)
    campaign = await _campaign(request)
    found = _FILES.get(request.path_params["file"])
    if found is None:
        raise Problem(404, "not_found")
    flyer = flyer_of(door.house, campaign)
    made = await asyncio.to_thread(found.make, flyer, campaign.opens_on)
    headers = {"Cache-Control": "private, max-age=600", "X-Robots-Tag": "noindex"}
    if found.name:
        headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    if found.media == _HTML:
        headers["Content-Security-Policy"] = _PREVIEW_POLICY
    return Response(made, media_type=found.media, headers=headers)


def flyer_of(house: House, campaign: Campaign) -> Flyer:
    """What the papers of a campaign say."""
    settings = house.settings
    programme, federation = settings.programme, settings.federation(campaign.branch)
    return Flyer(
        federation=federation.name if federation else "",
        address=f"{settings.server.public_url}/c/{campaign.code}",
        programme=programme.name,
        run_by=programme.run_by,
        phone=programme.phone,
        price=programme.price,
        paid_by=programme.paid_by,
        minutes=programme.minutes,
    )


def kit_path(house: House, code: str) -> str:
    """The kit's address in this house."""
    return f"/kit/{code}/{campaigns.kit_token(house.store.keyring, code)}"


def telegram_address(house: House, code: str) -> str:
    """The link that opens Telegram on this campaign, or empty while there is no bot."""
    if not house.settings.telegram.on:
        return ""
    from bot.telegram.door import start_link  # the library takes half a second: only where there is a bot

    return start_link(house, code) or ""


async def _campaign(request: Request) -> Campaign:
    """The campaign whose kit this address opens. Raises Problem."""
    store = door_of(request).house.store
    code, token = request.path_params["code"], request.path_params["token"]
    if not campaigns.opens_kit(store.keyring, code, token):
        raise Problem(404, "not_found")
    found = await store.db.query(lambda tx: campaigns.find(tx, code))
    if found is None:
        raise Problem(404, "not_found")
    return found
