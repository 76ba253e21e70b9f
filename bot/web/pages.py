"""Pages that are the same for everyone: example, tutorials, posters, glossary, emergency, legal, accessibility."""

from __future__ import annotations

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web.door import door_of
from bot.web.example import example as example_session
from bot.web.form import Problem
from bot.web.result import shown
from bot.web.view import POSTERS
from store.engine import Unavailable


async def example(request: Request) -> Response:
    """A result as a plausible shop would get it, labelled as an example."""
    door = door_of(request)
    flow = door.house.flow
    found = shown(flow, example_session(flow), door.house.words)
    return door.view.page(request, "example.html", shared=True, result=found, sections=flow.section)


async def tutorial(request: Request) -> Response:
    """A tutorial whole, to read or to print."""
    door = door_of(request)
    found = door.house.words.tutorials.get(request.path_params["id"])
    if found is None:
        raise Problem(404, "no_tutorial")
    return door.view.page(request, "tutorial.html", shared=True, tutorial=found, poster=found.id in POSTERS)


async def poster(request: Request) -> Response:
    """An A4 page to fill in and print; what is typed stays in the page."""
    door = door_of(request)
    name = request.path_params["id"]
    if name not in POSTERS or name not in door.house.words.tutorials:
        raise Problem(404, "no_poster")
    return door.view.page(request, f"posters/{name}.html", shared=True, tutorial=door.house.words.tutorials[name])


async def glossary(request: Request) -> Response:
    """Every difficult word, explained."""
    door = door_of(request)
    return door.view.page(request, "glossary.html", shared=True, terms=door.house.content.referential.glossary)


async def emergency(request: Request) -> Response:
    """First gestures under attack. A device that holds a cookie, whatever it opens, is offered its way back."""
    door = door_of(request)
    known = door.cookie in request.cookies
    response = door.view.page(request, "emergency.html", shared=not known, known=known)
    response.headers.add_vary_header("Cookie")
    return response


async def legal(request: Request) -> Response:
    """Who publishes, who hosts."""
    return door_of(request).view.page(request, "legal.html", shared=True)


async def accessibility(request: Request) -> Response:
    """The accessibility statement."""
    return door_of(request).view.page(request, "accessibility.html", shared=True)


async def goodbye(request: Request) -> Response:
    """After an erasure."""
    return door_of(request).view.page(request, "erased.html", shared=True)


async def asset(request: Request) -> Response:
    """The script or the mark, for a year."""
    found = door_of(request).view.asset(request.path_params["name"])
    if found is None:
        raise Problem(404, "not_found")
    return found


async def loader(request: Request) -> Response:
    """The few lines that put the frame into a federation's page."""
    return door_of(request).view.embed(request)


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})


async def ready(request: Request) -> Response:
    """The process answers and its database too."""
    try:
        await door_of(request).house.store.db.query(lambda tx: tx.scalar(text("SELECT 1")))
    except Unavailable:
        return PlainTextResponse("base indisponible", 503, headers={"Cache-Control": "no-store"})
    return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})
