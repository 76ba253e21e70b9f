"""What every answer passes through: headers, the limit on bodies, the log by route, and the page for our own faults.

Also the throttles, by client address: beginnings, and wrong codes. Answering is never throttled.
"""

from __future__ import annotations

import ipaddress
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.form import LARGEST, Problem

log = structlog.get_logger("web")

WRONG_CODES = RateLimitItemPerMinute(20, 15)
"""Wrong hand-over codes from one address: many phones may share it, a guesser tries thousands."""

ErrorPage = Callable[[Request, int, str], Awaitable[Response]]


class Throttle:
    """Counts what one address does, in memory. An IPv6 client is its /64."""

    def __init__(self, conversations_per_hour: int) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._begin = RateLimitItemPerHour(conversations_per_hour)

    def begins(self, request: Request) -> None:
        """Counts one conversation begun. Raises Problem when there are too many."""
        if not self._window.hit(self._begin, "begin", _address(request)):
            raise Problem(429, "too_many")

    def may_try_code(self, request: Request) -> None:
        """Raises Problem after too many wrong codes."""
        if not self._window.test(WRONG_CODES, "code", _address(request)):
            raise Problem(429, "too_many_codes")

    def wrong_code(self, request: Request) -> None:
        """Counts one wrong code."""
        self._hit(WRONG_CODES, request)

    def _hit(self, item: RateLimitItem, request: Request) -> None:
        self._window.hit(item, "code", _address(request))


class Guard:
    """ASGI middleware, outermost of ours. `policy` is the Content-Security-Policy."""

    def __init__(self, app: ASGIApp, *, policy: str, https: bool, error_page: ErrorPage) -> None:
        self.app = app
        self.error_page = error_page
        self.headers: Mapping[str, str] = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
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
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._guarded(scope, receive, sending)
        except Exception as error:
            # A fault of ours: a calm page, and in the log where it was, without its words.
            frames = traceback.extract_tb(error.__traceback__)[-4:]
            where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            log.error("fault", route=_route(scope), fault=type(error).__name__, where=where)
            if status:
                raise
            await self._answer(scope, receive, sending, 500, "fault")
        finally:
            spent = round(1000 * (time.perf_counter() - began), 1)
            log.info("request", method=scope["method"], route=_route(scope), status=status, ms=spent)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a body that says it is too long before reading it, and one that proves it as soon as it does."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > LARGEST:
            await self._answer(scope, receive, send, 413, "too_big")
            return
        read = 0

        async def receiving() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:
                raise Problem(413, "too_big")
            return message

        await self.app(scope, receiving, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, status: int, code: str) -> None:
        response = await self.error_page(Request(scope), status, code)
        if status == 413:
            response.headers["Connection"] = "close"
        await response(scope, receive, send)


def _route(scope: Scope) -> str:
    """The template of the route, never the path: a path may hold a token."""
    return getattr(scope.get("route"), "path", "(aucune)")


def _address(request: Request) -> str:
    """The client's address; uvicorn has already believed, or not, the proxies of the settings."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
