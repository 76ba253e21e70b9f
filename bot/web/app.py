"""The web application: every route in sight, and the pages of what goes wrong."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from access.site import NoPasskeysHere
from bot.house import House
from bot.web import chat, data, keep, kit, mail, news, pages, paper, visit
from bot.web.door import Door
from bot.web.form import Problem, read_form
from bot.web.guard import Guard, Throttle
from bot.web.space import agenda, card, diagnosis, enter, federation, home, hours, invitation, keys, phoned
from bot.web.space import visit as consultant_visit
from bot.web.space.guard import SignedOut
from bot.web.view import View
from store.engine import Unavailable

log = structlog.get_logger("web")

ROUTES = [
    Route("/", chat.welcome),
    Route("/c/{c}", chat.welcome),
    Route("/kit/{code}/{token}", kit.page),
    Route("/kit/{code}/{token}/{file}", kit.file),
    Route("/autodiag", chat.show),
    Route("/autodiag", chat.answer, methods=["POST"]),
    Route("/autodiag/nouvelles", news.news),
    Route("/resultat.pdf", paper.result_paper, methods=["POST"]),
    Route("/resultat.pdf", paper.back_to_result),
    Route("/integrer.js", pages.loader),
    Route("/integre", chat.welcome),
    Route("/integre", chat.answer, methods=["POST"]),
    Route("/integre/questions", chat.show, methods=["POST"]),
    Route("/integre/mon-lien", keep.make, methods=["POST"]),
    Route("/integre/me-prevenir", mail.change, methods=["POST"]),
    Route("/integre/resultat.pdf", paper.result_paper, methods=["POST"]),
    Route("/integre/resultat.pdf", paper.back_to_result),
    Route("/exemple", pages.example),
    Route("/tutoriels/{id}", pages.tutorial),
    Route("/affiches/{id}", pages.poster),
    Route("/lexique", pages.glossary),
    Route("/urgence", pages.emergency),
    Route("/mon-lien", keep.keep),
    Route("/mon-lien", keep.make, methods=["POST"]),
    Route("/r/{token}", keep.return_link),
    Route("/r/{token}", keep.enter, methods=["POST"]),
    Route("/m/{token}", mail.mailed_link),
    Route("/m/{token}", mail.follow, methods=["POST"]),
    Route("/phrase", mail.ask_phrase),
    Route("/phrase", mail.try_phrase, methods=["POST"]),
    Route("/me-prevenir", mail.about),
    Route("/me-prevenir", mail.change, methods=["POST"]),
    Route("/confirmer/{token}", mail.to_confirm),
    Route("/confirmer/{token}", mail.confirm, methods=["POST"]),
    Route("/e/{token}", mail.to_stop),
    Route("/e/{token}", mail.stop, methods=["POST"]),
    Route("/rendez-vous.ics", visit.calendar),
    Route("/rendez-vous/photo", visit.photo),
    Route("/rv/{token}", visit.link),
    Route("/agenda/{secret}.ics", visit.feed),
    Route("/rv/{token}", visit.open_visit, methods=["POST"]),
    Route("/code", keep.ask_code),
    Route("/code", keep.try_code, methods=["POST"]),
    Route("/vos-donnees", data.data),
    Route("/vos-donnees.json", data.take_away),
    Route("/au-revoir", pages.goodbye),
    Route("/mentions-legales", pages.legal),
    Route("/accessibilite", pages.accessibility),
    Route("/invitation/{token}", invitation.invitation),
    Route("/invitation/{token}/defi", invitation.ask, methods=["POST"]),
    Route("/invitation/{token}/preuve", invitation.prove, methods=["POST"]),
    Route("/entrer", enter.door),
    Route("/entrer/defi", enter.ask, methods=["POST"]),
    Route("/entrer/preuve", enter.prove, methods=["POST"]),
    Route("/sortir", enter.leave, methods=["POST"]),
    Route("/espace", home.home),
    Route("/espace/cles", keys.keys),
    Route("/espace/cles", keys.change, methods=["POST"]),
    Route("/espace/cles/defi", keys.ask, methods=["POST"]),
    Route("/espace/cles/preuve", keys.prove, methods=["POST"]),
    Route("/espace/federation", federation.figures),
    Route("/espace/federation/chiffres.csv", federation.export),
    Route("/espace/federation/campagnes", federation.all_campaigns),
    Route("/espace/federation/campagnes", federation.create, methods=["POST"]),
    Route("/espace/federation/campagnes/{code}", federation.campaign),
    Route("/espace/federation/campagnes/{code}", federation.close, methods=["POST"]),
    Route("/espace/consultant", agenda.agenda),
    Route("/espace/consultant/appels", agenda.called, methods=["POST"]),
    Route("/espace/consultant/visites/{visite}", consultant_visit.visit),
    Route("/espace/consultant/visites/{visite}", consultant_visit.change, methods=["POST"]),
    Route("/espace/consultant/visites/{visite}/synthese", consultant_visit.summary),
    Route("/espace/consultant/visites/{visite}/synthese.pdf", consultant_visit.paper),
    Route("/espace/consultant/visites/{visite}/diagnostic", diagnosis.diagnosed),
    Route("/espace/consultant/visites/{visite}/diagnostic", diagnosis.diagnose, methods=["POST"]),
    Route("/espace/consultant/nouvelle", phoned.ask),
    Route("/espace/consultant/nouvelle", phoned.book, methods=["POST"]),
    Route("/espace/consultant/heures", hours.hours),
    Route("/espace/consultant/heures", hours.set_week, methods=["POST"]),
    Route("/espace/consultant/heures/exceptions", hours.change_exceptions, methods=["POST"]),
    Route("/espace/consultant/fiche", card.card),
    Route("/espace/consultant/fiche", card.change_card, methods=["POST"]),
    Route("/espace/consultant/photo", card.photo),
    Route("/espace/consultant/photo", card.change_photo, methods=["POST"]),
    Route("/espace/consultant/calendrier", card.calendars),
    Route("/espace/consultant/calendrier", card.change_calendars, methods=["POST"]),
    Route("/espace/{nowhere:path}", home.nowhere, methods=["GET", "POST"]),  # the last of the spaces
    Route("/static/{name}", pages.asset),
    Route("/healthz", pages.alive),
    Route("/readyz", pages.ready),
]


def create_app(house: House) -> Starlette:
    """The web chat of this house. It opens nothing and closes nothing: whoever opened the house does."""
    settings = house.settings
    view = View(house)

    async def error_page(request: Request, status: int, code: str) -> Response:
        if request.url.path.startswith("/espace"):
            return view.space(request, "error.html", status=status, who=None, notice=code)
        return view.page(request, "error.html", status=status, notice=code)

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 — registered for it below
        return await error_page(request, error.status, error.code)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = {404: "not_found", 405: "wrong_method"}.get(error.status_code, "incomplete")
        response = await error_page(request, error.status_code, code)
        response.headers.update(error.headers or {})
        return response

    async def unavailable(request: Request, error: Exception) -> Response:
        """Nothing was saved: the same form again, same id, for the person to send again."""
        again = {}
        if request.method == "POST":
            again = dict((await read_form(request, settings)).fields)
        address = request.url.path if again else f"{request.url.path}?{request.url.query}".rstrip("?")
        response = view.page(request, "unavailable.html", status=503, again=again, address=address)
        response.headers["Retry-After"] = "5"
        return response

    async def no_passkeys(request: Request, error: Exception) -> Response:
        """The public address is of a kind that browsers make no passkey for: the operator reads why."""
        log.error("no_passkeys", reason=str(error))
        return view.space(request, "error.html", status=503, who=None, notice="no_passkeys")

    app = Starlette(
        routes=ROUTES,
        middleware=[
            Middleware(
                Guard,
                policy=view.policy,
                framed_policy=view.framed_policy,
                https=settings.server.https,
                error_page=error_page,
            ),
            Middleware(GZipMiddleware, minimum_size=500, compresslevel=6),
        ],
        exception_handlers={
            Problem: problem,
            HTTPException: http,
            Unavailable: unavailable,
            SignedOut: enter.signed_out,
            NoPasskeysHere: no_passkeys,
        },
    )
    app.state.door = Door(house, view, Throttle(house))
    return app
