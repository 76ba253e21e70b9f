"""The application that a server serves: the API under /api/v1, /metrics for who may, the web chat for all the rest.

A dispatcher by path, so that each door answers its own errors in its own way. Nothing is decided here.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.api.app import create_api
from bot.house import House
from bot.metrics import Metrics

UNDER = "/api/v1"


def create_app(house: House, web: ASGIApp) -> ASGIApp:
    """Every door that speaks HTTP. Whoever may not read the figures gets the web chat's own "no such page"."""
    api, metrics = create_api(house), Metrics(house)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == UNDER or path.startswith(f"{UNDER}/"):
                await api({**scope, "root_path": scope.get("root_path", "") + UNDER}, receive, send)
                return
            if path == "/metrics" and metrics.open_to(scope):
                await metrics(scope, receive, send)
                return
        await web(scope, receive, send)

    return app
