"""The application that a server serves: Telegram's hook, the API, the figures for who may, the web chat for the rest.

A dispatcher by path, so that each door answers its own errors in its own way. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.house import House
from bot.metrics import Metrics
from bot.web.app import create_app as create_web

API = "/api/v1"


def create_app(house: House) -> ASGIApp:
    """Every door that speaks HTTP. Whoever may not read the figures gets the web chat's own "no such page"."""
    web, api, metrics, hook = create_web(house), _AtFirstCall(lambda: _api(house)), Metrics(house), _hook(house)

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


class _AtFirstCall:
    """An application made when it is first asked for, in a thread, so that nobody else waits meanwhile."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._made: ASGIApp | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        await self._made(scope, receive, send)


def _api(house: House) -> ASGIApp:
    from bot.api.app import create_api  # FastAPI takes half a second, a third of a start

    return create_api(house)


def _hook(house: House) -> ASGIApp | None:
    telegram = house.settings.telegram
    if not telegram.on or telegram.mode != "webhook":
        return None
    from bot.telegram.webhook import route  # the library takes half a second: only where there is a bot

    return Starlette(routes=[route(house)])
