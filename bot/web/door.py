"""What each route is given, and a device's way into its conversation: a cookie, or in a frame the forms' own token."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.entrance import who, who_limited
from bot.house import House
from bot.turn import Bearer, Gone, Present, look
from bot.web.form import FIELDS, Form, read_form
from bot.web.frame import frame_of
from bot.web.guard import Throttle
from bot.web.view import View

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
        """The token that this device shows, or empty. In a frame, `form` reads it; the cookie says nothing there."""
        frame = frame_of(request)
        given = frame.token if frame else request.cookies.get(self.cookie, "")
        return given if len(given) <= 200 else ""

    async def form(self, request: Request, *, most: int = FIELDS) -> Form:
        """The form of a POST, of so many fields at most. Raises Problem."""
        form = await read_form(request, self.house.settings, most=most)
        if frame := frame_of(request):
            frame.token, frame.host = form.fields.get("acces", ""), form.fields.get("hote", "")
        return form

    async def conversation(self, request: Request) -> str | None:
        """The conversation of this device; counts as a use of its way, so for POST only."""
        token = self.token(request)
        return await who(self.house, token) if token else None

    async def by_mail(self, request: Request) -> str | None:
        """The conversation of which this device knows the next question only, having come by a mailed link."""
        token = "" if frame_of(request) else self.token(request)
        return await who_limited(self.house, token) if token else None

    async def glance(self, request: Request, *, limited: bool = False) -> Present | None:
        """The present turn of this device, without writing anything: for GET. `limited`: a mailed link's too."""
        token = self.token(request)
        limited = limited and frame_of(request) is None
        try:
            return await look(self.house, Bearer(token, limited=limited)) if token else None
        except Gone:
            return None

    async def lost(self, request: Request, *, notice: str = "") -> Response:
        """The page for a device that may not see what it asks for: it knows nothing, or came by a mailed link."""
        template = "locked.html" if await self.by_mail(request) else "lost.html"
        return self.view.page(request, template, status=403, notice=notice)

    def remember(self, request: Request, response: Response, token: str) -> None:
        """Let this device come back by itself, from now on and for the days of the settings. Not in a frame."""
        if frame_of(request):
            return
        server = self.house.settings.server
        response.set_cookie(
            self.cookie, token, max_age=server.cookie_days * DAY, secure=server.https, httponly=True, samesite="lax"
        )

    def forget(self, request: Request, response: Response) -> None:
        """Take the cookie back, if it ever was ours to give."""
        if frame_of(request):
            return
        response.delete_cookie(self.cookie, secure=self.house.settings.server.https, httponly=True, samesite="lax")


def door_of(request: Request) -> Door:
    """The door that `create_app` put in the application's state."""
    found: Door = request.app.state.door
    return found
