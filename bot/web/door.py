"""What each route is given, and the cookie: a device's way into its conversation."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.entrance import who
from bot.house import House
from bot.turn import Gone, Present, look
from bot.web.form import Form, read_form
from bot.web.guard import Throttle
from bot.web.view import View
from store import ways

DAY = 86_400


@dataclass(frozen=True)
class Door:
    """The house as the web sees it."""

    house: House
    view: View
    throttle: Throttle

    @property
    def cookie(self) -> str:
        """Its name; over https, one that no other host can have set."""
        return "__Host-autodiag" if self.house.settings.server.https else "autodiag"

    def token(self, request: Request) -> str:
        """The token that this device shows, or empty."""
        given = request.cookies.get(self.cookie, "")
        return given if len(given) <= 200 else ""

    async def form(self, request: Request) -> Form:
        """The form of a POST. Raises Problem."""
        return await read_form(request, self.house.settings)

    async def conversation(self, request: Request) -> str | None:
        """The conversation of this device; counts as a use of its way, so for POST only."""
        token = self.token(request)
        return await who(self.house, token) if token else None

    async def glance(self, request: Request) -> Present | None:
        """The present turn of this device, without writing anything: for GET."""
        token, store, today = self.token(request), self.house.store, self.house.today()
        if not token:
            return None
        way = await store.db.query(lambda tx: ways.look_up(tx, store.keyring, token, today))
        try:
            return await look(self.house, way.conversation) if way else None
        except Gone:
            return None

    def remember(self, response: Response, token: str) -> None:
        """Let this device come back by itself, from now on and for the days of the settings."""
        server = self.house.settings.server
        response.set_cookie(
            self.cookie, token, max_age=server.cookie_days * DAY, secure=server.https, httponly=True, samesite="lax"
        )

    def forget(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(self.cookie, secure=self.house.settings.server.https, httponly=True, samesite="lax")


def door_of(request: Request) -> Door:
    """The door that `create_app` put in the application's state."""
    found: Door = request.app.state.door
    return found
