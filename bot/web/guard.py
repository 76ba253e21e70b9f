"""What every answer passes through: headers, the limit on bodies, the log by route, and the page for our own faults.

Also the throttles of the web: wrong codes by client address, papers by conversation. Answering is never throttled.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.house import House
from bot.throttle import neighbourhood, throttle_of
from bot.web.form import LARGEST, UPLOADS, Problem
from bot.web.frame import framed

log = structlog.get_logger("web")

WRONG_CODES = RateLimitItemPerMinute(20, 15)
"""Wrong hand-over codes from one address: many phones may share it, a guesser tries thousands."""

PAPERS = RateLimitItemPerMinute(10, 10)
"""Papers drawn for one conversation: each takes the processor for a tenth of a second."""

SLOWEST = 15.0
"""Seconds for a body to arrive whole; our longest form takes a tenth of one on a poor network."""

LEFT = 499
"""What the log says of somebody who left before the answer; nobody receives it."""

ErrorPage = Callable[[Request, int, str], Awaitable[Response]]


class Throttle:
    """Counts what one address, or one conversation, does; in memory."""

    def __init__(self, house: House) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._house = throttle_of(house)

    def begins(self, request: Request) -> None:
        """Counts one conversation begun. Raises Problem when there are too many."""
        if self._house.begins(host_of(request)):
            raise Problem(429, "too_many")

    def may_try_code(self, request: Request) -> None:
        """Raises Problem after too many wrong codes."""
        if not self._window.test(WRONG_CODES, "code", neighbourhood(host_of(request))):
            raise Problem(429, "too_many_codes")

    def wrong_code(self, request: Request) -> None:
        """Counts one wrong code."""
        self._window.hit(WRONG_CODES, "code", neighbourhood(host_of(request)))

    def may_draw(self, conversation: str) -> bool:
        """Counts one paper; False when this conversation has had many."""
        return self._window.hit(PAPERS, "paper", conversation)


class Guard:
    """ASGI middleware, outermost of ours. `policy` and `framed_policy` are Content-Security-Policies."""

    def __init__(self, app: ASGIApp, *, policy: str, framed_policy: str, https: bool, error_page: ErrorPage) -> None:
        self.app = app
        self.framed_policy = framed_policy
        self.error_page = error_page
        self.headers: Mapping[str, str] = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            **({"Strict-Transport-Security": "max-age=31536000"} if https else {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                if status in (408, 413):
                    headers["Connection"] = "close"
                if framed(scope):
                    headers["Content-Security-Policy"] = self.framed_policy
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._guarded(scope, receive, sending)
        except ClientDisconnect:
            status = LEFT
        except Exception as error:
            # A fault of ours: a calm page, and in the log where it was, without its words.
            frames = traceback.extract_tb(error.__traceback__)[-4:]
            where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            log.error("fault", route=route_of(scope), fault=type(error).__name__, where=where)
            if status:
                raise
            await self._answer(scope, receive, sending, 500, "fault")
        finally:
            spent = round(1000 * (time.perf_counter() - began), 1)
            log.info("request", method=scope["method"], route=route_of(scope), status=status, ms=spent)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a body that says it is too long before reading it, and one that proves too long, or too slow."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        most = UPLOADS.get(scope["path"], LARGEST)
        if not declared.isdigit() or int(declared) > most:
            await self._answer(scope, receive, send, 413, "too_big")
            return
        read, whole, until = 0, False, asyncio.get_running_loop().time() + SLOWEST

        async def receiving() -> Message:
            nonlocal read, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "too_slow") from None
            read, whole = read + len(message.get("body", b"")), not message.get("more_body", False)
            if read > most:
                raise Problem(413, "too_big")
            return message

        await self.app(scope, receiving, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, status: int, code: str) -> None:
        response = await self.error_page(Request(scope), status, code)
        await response(scope, receive, send)


def route_of(scope: Scope) -> str:
    """The template of the route, never the path: a path may hold a token."""
    return getattr(scope.get("route"), "path", "(aucune)")


def host_of(request: Request) -> str:
    """The client's address; uvicorn has already believed, or not, the proxies of the settings."""
    return request.client.host if request.client else ""
