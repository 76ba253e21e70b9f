"""Managers who press buttons over HTTP, one connection each: in the web chat, through the API, or of the bare route."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode

_CHOICE = re.compile(r'name="choice" value="([^"]*)"')
_NODE = re.compile(r'name="node" value="([^"]*)"')
_REVISION = re.compile(r'name="revision" value="([^"]*)"')


class Line:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> tuple[int, str, bytes]:
        """Status, headers, body (unzipped). A connection that the server left idle too long is opened again."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n{headers}"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        writer.write(request)
        told = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"content-length: (\d+)", told)
        data = await reader.readexactly(int(length[1])) if length else b""
        if "content-encoding: gzip" in told:
            data = gzip.decompress(data)
        return int(told[9:12]), told, data

    def close(self) -> None:
        """Hang up."""
        if self._streams:
            self._streams[1].close()


class Manager(Protocol):
    """Somebody who answers. `asked`: whether a question is being asked; `page`: the last answer received."""

    page: bytes
    sent: bytes
    """The body of the last request."""

    @property
    def asked(self) -> bool: ...
    async def begin(self) -> None: ...
    async def press(self) -> None: ...
    async def command(self, name: str, node: str = "") -> None: ...
    def close(self) -> None: ...


class OnTheWeb:
    """In the web chat, as its script sends forms: fragments come back."""

    def __init__(self, port: int, first: str) -> None:
        self.line = Line(port)
        self.first = first
        self.page, self.sent, self._cookie = b"", b"", ""

    @property
    def asked(self) -> bool:
        return b'name="choice"' in self.page

    async def begin(self) -> None:
        """The first button of the welcome page, which opens the conversation."""
        self._cookie = ""
        await self._send({"debut": "1", **self._form(self.first)})

    async def press(self) -> None:
        """The first choice of the question being asked."""
        await self._send(self._form(self.page.decode()))

    async def command(self, name: str, node: str = "") -> None:
        """A command of the menu."""
        await self._send({"command": name, **({"node": node} if node else {})})

    def close(self) -> None:
        self.line.close()

    def _form(self, page: str) -> dict[str, str]:
        choice = _CHOICE.search(page)
        if choice is None:
            raise RuntimeError("nothing is asked")
        nodes, revisions = _NODE.findall(page, 0, choice.start()), _REVISION.findall(page, 0, choice.start())
        return {"node": nodes[-1], "choice": choice[1], **({"revision": revisions[-1]} if revisions else {})}

    async def _send(self, form: dict[str, str]) -> None:
        self.sent = urlencode({"id": secrets.token_urlsafe(18), **form}).encode()
        headers = (
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
            f"X-Requested-With: fragment\r\n{self._cookie}"
        )
        status, told, self.page = await self.line.ask("POST", "/autodiag", headers, self.sent)
        if status != 200:
            raise RuntimeError(f"{status} to {form}")
        cookie = re.search(r"set-cookie: ([^;]*)", told)
        self._cookie = f"Cookie: {cookie[1]}\r\n" if cookie else self._cookie


class OverTheApi:
    """Through /api/v1."""

    def __init__(self, port: int, first: str = "") -> None:
        self.line = Line(port)
        self.page, self.sent = b"", b""
        self._id, self._token = "", ""
        self._turn: Any = None

    @property
    def asked(self) -> bool:
        return bool(self._turn["question"])

    async def begin(self) -> None:
        """Open a conversation."""
        told = await self._send("/api/v1/conversations", {}, 201)
        self._id, self._token = told["id"], told["token"]

    async def press(self) -> None:
        """The first choice of the question being asked."""
        asked = self._turn["question"]
        choice = {"node": asked["node"], "choice": asked["choices"][0]["id"], "revision": self._turn["revision"]}
        await self._send(f"/api/v1/conversations/{self._id}/events", {"type": "choice", **choice}, 200)

    async def command(self, name: str, node: str = "") -> None:
        """A command."""
        told = {"type": "command", "name": name, **({"node": node} if node else {})}
        await self._send(f"/api/v1/conversations/{self._id}/events", told, 200)

    def close(self) -> None:
        self.line.close()

    async def _send(self, path: str, told: Mapping[str, object], expected: int) -> Any:
        self.sent = json.dumps(told).encode()
        headers = f"Content-Type: application/json\r\nIdempotency-Key: {secrets.token_urlsafe(18)}\r\n"
        if path.endswith("events"):
            headers += f"Authorization: Bearer {self._token}\r\n"
        status, _, self.page = await self.line.ask("POST", path, headers, self.sent)
        if status != expected:
            raise RuntimeError(f"{status} to {told}: {self.page!r}")
        answer = json.loads(self.page)
        self._turn = answer["turn"]
        return answer


class OfTheBareRoute:
    """Sends bodies of one length to the bare route; every page is the one kept under `page_name`."""

    def __init__(self, port: int, page_name: str, body: bytes) -> None:
        self.line = Line(port)
        self.page, self.sent, self.page_name = b"", body, page_name
        self._name = ""

    @property
    def asked(self) -> bool:
        return True

    async def begin(self) -> None:
        """A new row."""
        self._name = secrets.token_hex(16)
        await self.press()

    async def press(self) -> None:
        """One turn."""
        headers = f"X-Name: {self._name}\r\nX-Page: {self.page_name}\r\nContent-Type: application/octet-stream\r\n"
        status, _, self.page = await self.line.ask("POST", "/turn", headers, self.sent)
        if status != 200:
            raise RuntimeError(f"{status} from the bare route")

    async def command(self, name: str, node: str = "") -> None:
        """The same."""
        await self.press()

    def close(self) -> None:
        self.line.close()
