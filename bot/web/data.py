"""Your data: what is kept and for how long, to see, to take away. Erasing is a command of the conversation."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.mail.desk import kept
from bot.milestones import file_number
from bot.opened import opened, told
from bot.turn import Gone, Present, records
from bot.web.door import Door, door_of
from dialogue.engine import counted, result
from dialogue.events import RECORD
from dialogue.present import label_of, past
from scoring.score import as_data


async def data(request: Request) -> Response:
    """What is kept, why, how long; and the manager's own answers, if this device knows a conversation."""
    door = door_of(request)
    here = await door.glance(request)
    said = past(here.flow, here.session, door.house.words) if here else ()
    seen = told(door.house, await opened(door.house, here.conversation)) if here else ""
    return door.view.page(
        request,
        "data.html",
        known=here is not None,
        past=said,
        opened=seen,
        file_number=file_number(here.conversation) if here else "",
    )


async def take_away(request: Request) -> Response:
    """Everything kept of this conversation, as JSON."""
    door = door_of(request)
    here = await door.glance(request)
    if here is None:
        return await door.lost(request)
    try:
        journal = await records(door.house, here.conversation)
    except Gone:
        return await door.lost(request)
    left = await kept(door.house, here.conversation)
    content = {
        **_answers(door, here),
        "ouvertures": [
            {"par": each.name, "entreprise": each.firm, "quoi": each.what, "quand": each.at.isoformat()}
            for each in await opened(door.house, here.conversation)
        ],
        "adresse": {"e-mail": left.address, "confirmee": left.confirmed_on and left.confirmed_on.isoformat()}
        if left
        else None,
        "journal": [RECORD.dump_python(record, mode="json") for record in journal],
    }
    headers = {"Content-Disposition": 'attachment; filename="mes-reponses-autodiag.json"', "Cache-Control": "no-store"}
    return JSONResponse(content, headers=headers)


def _answers(door: Door, here: Present) -> dict[str, object]:
    """Every answer kept, those that no longer count included, and what they are worth."""
    flow, session, standing = here.flow, here.session, counted(here.flow, here.session)
    given = []
    for node, choice in session.answers.items():
        question = flow.question(node)
        if question is not None:
            given.append(
                {
                    "id": node,
                    "question": question.text,
                    "choix": choice,
                    "reponse": label_of(door.house.words, question, choice),
                    "compte": node in standing,
                    **({"vos_mots": session.words[node]} if node in session.words else {}),
                }
            )
    return {
        "questionnaire": {"id": flow.id, "version": flow.version},
        "reponses": given,
        "mots_gardes": dict(session.words),
        "tutoriels_faits": list(session.tutorials_done),
        "resultat": as_data(result(flow, session)) if session.short_done else None,
    }
