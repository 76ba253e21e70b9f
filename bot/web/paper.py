"""The result as a PDF to keep, drawn on demand. The passphrase is used once: never kept, logged, nor shown again."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bot.house import House
from bot.turn import Present
from bot.web.chat import turn_page
from bot.web.door import door_of
from bot.web.frame import UNDER, frame_of
from bot.web.view import see
from papers.locked import BadPassphrase


async def result_paper(request: Request) -> Response:
    """The PDF; or the result again, with what was wrong in the passphrase."""
    door = door_of(request)
    form = await door.form(request)
    here = await door.glance(request)
    if here is None:
        return await door.lost(request)
    if not here.session.short_done:
        return turn_page(door, request, here, status=409, notice="no_paper")
    if not door.throttle.may_draw(here.conversation):
        return turn_page(door, request, here, status=429, notice="too_many_papers")
    house, passphrase = door.house, form.fields.get("phrase") or None
    try:
        drawn = await asyncio.to_thread(_draw, house, here, passphrase)
    except BadPassphrase as bad:
        return turn_page(door, request, here, status=422, notice="passphrase", wrong=str(bad))
    headers = {"Content-Disposition": 'attachment; filename="autodiag-resultat.pdf"', "Cache-Control": "no-store"}
    return Response(drawn, media_type="application/pdf", headers=headers)


async def back_to_result(request: Request) -> Response:
    """The address of the PDF, opened or reloaded: it has nothing to draw without its form."""
    return see(UNDER if frame_of(request) else "/autodiag")


def _draw(house: House, here: Present, passphrase: str | None) -> bytes:
    from papers.result import result_pdf  # a fifth of a second, for the few who ask

    return result_pdf(here.flow, here.session, house.words, date=house.today(), passphrase=passphrase)
