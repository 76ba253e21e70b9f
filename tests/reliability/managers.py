"""Scripted managers over HTTP, each keeping the story that the server acknowledged; they insist like a browser does.

A request that got no answer is sent again with the same id, or its sender looks at where things stand and goes on from
there. 503 and a lost connection mean: again. Any other surprise is an error of the server, and raised.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.managers import Line
from bot.telegram import keys
from dialogue.events import Clicked, Commanded, Event
from tests.reliability.model import Story, begun
from tests.reliability.nursery import SLOWNESS
from tests.reliability.world import World
from tests.telegram.fake import SECRET

_GONE = (403, 404, 410)
"""What an erasure asked twice is answered."""
PATIENCE = 60.0 * SLOWNESS
"""Seconds that somebody insists before it is a fault."""
_REVISION = re.compile(r'name="revision" value="(\d+)"')
_NODE = re.compile(r'name="node" value="([^"]*)"')


class Wrong(Exception):
    """The server answered what it should not."""


@dataclass(frozen=True)
class Request:
    """One request, as often as it is sent. `event`: what it means, None for a look; `revision`: of its page."""

    method: str
    path: str
    headers: str
    body: bytes = b""
    event: Event | None = None
    revision: int | None = None


@dataclass
class Reply:
    """What came back. `revision`: the one shown, where there is one; `asked`: the question shown."""

    status: int
    told: str
    body: bytes
    revision: int | None = None
    asked: str | None = None


@dataclass
class Insisting:
    """How often managers had to insist."""

    requests: int = 0
    acknowledged: int = 0
    again: int = 0
    looked: int = 0


class Manager:
    """Somebody who answers, at one door. `looks`: how often they look again rather than send again."""

    def __init__(self, world: World, luck: random.Random, number: int, *, looks: float = 0.3) -> None:
        self.world, self.luck, self.number, self.looks = world, luck, number, looks
        self.content = world.content
        self.story: Story | None = None
        self.insisting = Insisting()
        self.moved: list[Request] = []
        self._lines: dict[int, Line] = {}
        self._turn = number

    # A door

    @abstractmethod
    def opening(self) -> tuple[Request, Story]:
        """The request that begins, and what it leads to."""

    @abstractmethod
    def opened(self, reply: Reply) -> None:
        """Keep what the door gave."""

    @abstractmethod
    def request(self, event: Event, revision: int | None) -> Request:
        """How the door carries an event."""

    @abstractmethod
    def look(self) -> Request | None:
        """A request for the present turn; None where the door has none."""

    @abstractmethod
    def read(self, reply: Reply) -> Reply:
        """The reply with the revision and the question that it shows."""

    # What they do

    async def plays(self, steps: int) -> None:
        """Begin, then so many events; now and then an old button, a request sent once more, all erased in the end."""
        await self.begins()
        for _ in range(steps):
            await self.does(self.something())
            if self.luck.random() < 0.1:
                await self.repeats()
            if self.luck.random() < 0.1:
                await self.presses_late()
        if self.luck.random() < 0.1:
            await self.does(Commanded("erase"))
            await self.does(Commanded("confirm"))

    async def begins(self) -> None:
        """Open a conversation; the same request until it is answered."""
        request, story = self.opening()
        reply = await self.insists(request)
        self.expect(reply.status in (200, 201), request, reply)
        self.opened(reply)
        self.story = story
        self.acknowledge(request, reply)

    def something(self) -> Event:
        """An answer most of the time."""
        story = self.standing
        if story.choices and self.luck.random() < 0.8:
            return self.answer(self.luck.choice(story.choices))
        if story.asked is None:
            return Commanded(self.luck.choice(("resume", "back", "next", "resume")))
        return Commanded(self.luck.choice(("why", "help", "pause", "resume", "back", "answers")))

    def answer(self, choice: str) -> Event:
        """A press on a choice of the question being asked."""
        assert self.standing.asked
        return Clicked(self.standing.asked, choice)

    async def does(self, event: Event) -> None:
        """Send one event until it is known what became of it."""
        story = self.standing
        request = self.request(event, story.revision)
        again = self.luck.random() >= self.looks
        after = story.after(event)
        reply = await self.insists(request, again=again)
        if reply is None:
            await self.finds_out(request)
            return
        gone = after.erased and reply.status in _GONE
        self.expect(gone or reply.status in (200, 409, 422), request, reply)
        if reply.status in (409, 422):  # refused: nothing moved
            self.expect(after == story, request, reply)
        self.story = after
        if after != story:
            self.moved.append(request)
        self.acknowledge(request, reply)

    async def finds_out(self, request: Request) -> None:
        """No answer came: look where things stand, and go on from there; send again where that does not tell."""
        before, look = self.standing, self.look()
        assert request.event
        after = before.after(request.event)
        self.insisting.looked += 1
        await asyncio.to_thread(self.world.settled)
        reply = await self.insists(look) if look and not after.erased else None
        if reply is None or reply.revision is None:
            reply = await self.insists(request)
            self.expect(reply.status == 200 or (after.erased and reply.status in _GONE), request, reply)
            self.story = after
        else:
            self.story = after if reply.revision == after.revision else before
        self.acknowledge(request, reply)

    async def repeats(self) -> None:
        """A request answered already comes once more, as it was: nothing moves."""
        if self.moved:
            request = self.luck.choice(self.moved)
            reply = await self.insists(request)
            self.expect(reply.status in (200, 409, 422), request, reply)
            self.shows_the_present(request, reply)

    async def presses_late(self) -> None:
        """A button of an earlier page: nothing moves."""
        story = self.standing
        clicked = [event for event in story.events if isinstance(event, Clicked)]
        if story.revision > 1 and clicked:
            old = self.luck.choice(clicked)
            question = story.flows.autodiag.question(old.node)
            choices = [each.id for each in question.choices] if question else [old.choice]
            request = self.request(Clicked(old.node, self.luck.choice(choices)), story.revision - 1)
            reply = await self.insists(request)
            self.expect(reply.status in (200, 409), request, reply)
            self.shows_the_present(request, reply)

    # How they insist

    @property
    def standing(self) -> Story:
        """The story so far."""
        assert self.story
        return self.story

    def acknowledge(self, request: Request, reply: Reply) -> None:
        """Count it as answered, and see that the page shows where the story stands."""
        self.insisting.acknowledged += 1
        self.shows_the_present(request, reply)

    def shows_the_present(self, request: Request, reply: Reply) -> None:
        """Raise Wrong on a page of another turn."""
        if reply.revision is not None:
            self.expect(reply.revision == self.standing.revision, request, reply)
        if reply.asked is not None and self.standing.asked is not None:
            self.expect(reply.asked == self.standing.asked, request, reply)

    def expect(self, fine: bool, request: Request, reply: Reply) -> None:
        """Raise Wrong, with what was sent and what came."""
        if not fine:
            story = self.story
            stands = (story.revision, story.asked, story.held.autodiag.place.kind) if story else None
            raise Wrong(
                f"manager {self.number} stands at {stands}, sent {request.event} of {request.revision}, "
                f"got {reply.status} showing {reply.revision}, {reply.asked}: {reply.body[:300]!r}"
            )

    async def insists(self, request: Request, *, again: bool = True) -> Any:
        """Send until there is an answer; None when there was none to an event, and its sender won't send it again."""
        self.insisting.requests += 1
        wait = 0.02
        async with asyncio.timeout(PATIENCE):
            while True:
                reply = await self.tries(request)
                if reply is not None and reply.status != 503:
                    return self.read(reply)
                if not again and reply is None:
                    return None
                self.insisting.again += 1
                await asyncio.sleep(wait)
                wait = min(0.5, 1.5 * wait)

    async def tries(self, request: Request) -> Reply | None:
        """Send once, to a server that is up; None when it died under it."""
        server = await self.world.server(self._turn)
        self._turn += 1
        line = self._lines.setdefault(server.port, Line(server.port))
        try:
            status, told, body = await line.ask(request.method, request.path, request.headers, request.body)
        except (OSError, asyncio.IncompleteReadError):
            line.close()
            del self._lines[server.port]
            return None
        return Reply(status, told, body)

    def hangs_up(self) -> None:
        """Close what is open."""
        for line in self._lines.values():
            line.close()


class OnTheWeb(Manager):
    """In the web chat, as its script sends forms."""

    cookie = ""

    def opening(self) -> tuple[Request, Story]:
        first = self.content.flow.questionnaire.profile[0]
        event = Clicked(first.id, self.luck.choice(first.choices).id)
        form = {"debut": "1", "node": event.node, "choice": event.choice}
        return self._form(form, event, None), begun(self.content, event)

    def opened(self, reply: Reply) -> None:
        found = re.search(r"set-cookie: ([^;]*)", reply.told)
        if found is None:
            raise Wrong(f"no cookie: {reply.told}")
        self.cookie = f"Cookie: {found[1]}\r\n"

    def request(self, event: Event, revision: int | None) -> Request:
        if isinstance(event, Clicked):
            form = {"node": event.node, "choice": event.choice, "revision": str(revision)}
            return self._form(form, event, revision)
        assert isinstance(event, Commanded)
        return self._form({"command": event.name, **({"node": event.node} if event.node else {})}, event, None)

    def _form(self, form: Mapping[str, str], event: Event, revision: int | None) -> Request:
        headers = (
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
            f"X-Requested-With: fragment\r\n{self.cookie}"
        )
        body = urlencode({"id": secrets.token_urlsafe(18), **form}).encode()
        return Request("POST", "/autodiag", headers, body, event, revision)

    def look(self) -> Request:
        return Request("GET", "/autodiag", f"X-Requested-With: fragment\r\n{self.cookie}")

    def read(self, reply: Reply) -> Reply:
        page = reply.body.decode()
        if found := _REVISION.findall(page):
            reply.revision = int(found[-1])
        if 'name="choice"' in page:
            reply.asked = _NODE.findall(page[: page.index('name="choice"')])[-1]
        return reply


class OverTheApi(Manager):
    """Through /api/v1."""

    id, token = "", ""

    def opening(self) -> tuple[Request, Story]:
        return Request("POST", "/api/v1/conversations", "Content-Type: application/json\r\n", b"{}"), begun(
            self.content
        )

    def opened(self, reply: Reply) -> None:
        told = json.loads(reply.body)
        self.id, self.token = told["id"], told["token"]

    def answer(self, choice: str) -> Event:
        assert self.standing.asked
        return Clicked(self.standing.asked, choice, certain=True)

    def request(self, event: Event, revision: int | None) -> Request:
        told: dict[str, object]
        if isinstance(event, Clicked):
            event = Clicked(event.node, event.choice, certain=True)
            told = {"type": "choice", "node": event.node, "choice": event.choice, "revision": revision}
        else:
            assert isinstance(event, Commanded)
            revision = None
            told = {"type": "command", "name": event.name, **({"node": event.node} if event.node else {})}
        headers = f"Content-Type: application/json\r\nIdempotency-Key: {secrets.token_urlsafe(18)}\r\n{self._bearer}"
        return Request(
            "POST", f"/api/v1/conversations/{self.id}/events", headers, json.dumps(told).encode(), event, revision
        )

    @property
    def _bearer(self) -> str:
        return f"Authorization: Bearer {self.token}\r\n"

    def look(self) -> Request:
        return Request("GET", f"/api/v1/conversations/{self.id}", self._bearer)

    def read(self, reply: Reply) -> Reply:
        turn = json.loads(reply.body).get("turn")
        if turn:
            reply.revision = turn["revision"]
            reply.asked = turn["question"]["node"] if turn["question"] else None
        return reply


class OnTelegram(Manager):
    """In a Telegram chat, by its buttons: each update is brought again until it gets a 2xx."""

    @property
    def chat(self) -> int:
        """The number of the chat."""
        return 7_000_000_000 + self.number

    def opening(self) -> tuple[Request, Story]:
        assert self.world.telegram
        return self._update(self.world.telegram.says(self.chat, "/start"), None, None), begun(self.content)

    def opened(self, reply: Reply) -> None:
        """A chat is its own way in."""

    def request(self, event: Event, revision: int | None) -> Request:
        assert revision is not None
        if isinstance(event, Clicked):
            key: keys.Key = keys.Pick(revision, event.node, event.choice)
        else:
            assert isinstance(event, Commanded)
            key = keys.Order(revision, event.name, event.node)
        assert self.world.telegram
        shown = self.world.telegram.chats[self.chat]
        pressed = self.world.telegram.presses_data(self.chat, keys.write(key), shown[-1].number if shown else 1)
        return self._update(pressed, event, revision)

    def _update(self, update: Mapping[str, Any], event: Event | None, revision: int | None) -> Request:
        headers = f"Content-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
        return Request("POST", "/telegram", headers, json.dumps(update).encode(), event, revision)

    def look(self) -> None:
        return None

    def read(self, reply: Reply) -> Reply:
        return reply
