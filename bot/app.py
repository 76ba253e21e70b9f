"""The application that a server serves: Telegram's hook, the API, the figures for who may, the web chat for the rest.

A dispatcher by path, so that each door answers its own errors in its own way. Nothing is decided here.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.api.app import create_api
from bot.house import House
from bot.metrics import Metrics
from bot.web.app import create_app as create_web

API = "/api/v1"


def create_app(house: House) -> ASGIApp:
    """Every door that speaks HTTP. Whoever may not read the figures gets the web chat's own "no such page"."""
    web, api, metrics, hook = create_web(house), create_api(house), Metrics(house), _hook(house)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == API or path.startswith(f"{API}/"):
                await api({**scope, "root_path": scope.get("root_path", "") + API}, receive, send)
                return
            if path == "/metrics" and metrics.open_to(scope):
                await metrics(scope, receive, send)
                return
            if hook and path == "/telegram":
                await hook(scope, receive, send)
                return
        await web(scope, receive, send)

    return app


def _hook(house: House) -> ASGIApp | None:
    telegram = house.settings.telegram
    if not telegram.on or telegram.mode != "webhook":
        return None
    from bot.telegram.webhook import route  # the library takes half a second: only where there is a bot

    return Starlette(routes=[route(house)])
