"""A Bot API of our own, over real sockets: keeps the chats, enforces the limits, and fails as it is told to.

Refuses what `rules` refuses (and remembers it, so that a test fails on it), answers 429 beyond one message a second in
a chat or thirty in all, redelivers to a webhook until a 2xx, and can be blocked, slow, cut, broken or down.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

import httpx

from tests.telegram.rules import MESSAGES, Broken, check

TOKEN = "987654321:AAcanary_of_the_token_0123456789abcd"
SECRET = "canary-of-the-secret-0123456789"
NAME = "autodiag_essai_bot"
FIRST_NAME = "Zephyrine-Canary"


@dataclass
class Shown:
    """A message of the bot as its reader sees it."""

    number: int
    text: str
    buttons: list[list[dict[str, str]]] = field(default_factory=list)
    kind: str = "text"
    data: bytes = b""

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.buttons for button in row]


@dataclass
class Call:
    """One request that the API received."""

    method: str
    given: dict[str, Any]
    at: float


Fault = Callable[[str, dict[str, Any]], "int | str | None"]
"""Given a call: None to serve it, a status to fail with, "cut" (done, answer lost), "drop" (not done), "slow"."""


class FakeTelegram:
    """See the module. `gap` and `a_second`: the limits, shorter in tests that play long."""

    def __init__(self, *, gap: float = 1.0, a_second: int = 30) -> None:
        self.gap, self.a_second = gap, a_second
        self.calls: list[Call] = []
        self.broken: list[str] = []
        self.refused_pace = 0
        self.redeliveries = 0
        self.blocked: set[int] = set()
        self.chats: dict[int, list[Shown]] = defaultdict(list)
        self.answered: list[str] = []
        self.settings: dict[str, Any] = {}
        self.fault: Fault = lambda method, given: None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._numbers = itertools.count(100)
        self._updates = itertools.count(random.Random(7).randrange(10**8))
        self._queue: list[dict[str, Any]] = []
        self._came = asyncio.Event()
        self._last: dict[int, float] = {}
        self._window: deque[float] = deque()
        self._delivering: asyncio.Task[None] | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Listen; at the same port as before, when it was down."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """No connection is accepted any more, and those open are cut."""
        if self._server:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def close(self) -> None:
        if self._delivering:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)
        await self.down()

    # A person's side

    def says(self, chat: int, text: str, **more: Any) -> dict[str, Any]:
        """Type something; the update."""
        return self.sends(chat, text=text, **more)

    def sends(self, chat: int, kind: str = "private", edited: bool = False, **content: Any) -> dict[str, Any]:
        """Send a message of any content; the update."""
        message = {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "chat": {"id": chat, "type": kind, "first_name": FIRST_NAME},
            "from": {"id": abs(chat), "is_bot": False, "first_name": FIRST_NAME},
            **content,
        }
        if "text" in content and content["text"].startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(content["text"].split()[0])}]
        if edited:
            message["edit_date"] = int(time.time())
        name = "channel_post" if kind == "channel" else "edited_message" if edited else "message"
        return self._put({name: message})

    def presses(self, chat: int, label: str, *, on: Shown | None = None) -> dict[str, Any]:
        """Press a button by its words, on the last message that has it; the update."""
        for shown in [on] if on else reversed(self.chats[chat]):
            for button in (button for row in shown.buttons for button in row):
                if button["text"] == label:
                    return self.presses_data(chat, button["callback_data"], shown.number)
        raise AssertionError(f"no button {label!r}; there are {[shown.labels for shown in self.chats[chat]][-3:]}")

    def presses_data(self, chat: int, data: str, message: int) -> dict[str, Any]:
        query = {
            "id": str(random.getrandbits(60)),
            "from": {"id": chat, "is_bot": False, "first_name": FIRST_NAME},
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": message, "date": int(time.time()), "chat": {"id": chat, "type": "private"}},
        }
        return self._put({"callback_query": query})

    def membership(self, chat: int, status: str, kind: str = "private") -> dict[str, Any]:
        """Block the bot ("kicked"), let it in again, or put it in a group ("member")."""
        (self.blocked.add if status == "kicked" else self.blocked.discard)(chat)
        user = {"id": 987654321, "is_bot": True, "first_name": "Autodiag"}
        until = {"until_date": 0} if status == "kicked" else {}
        change = {
            "chat": {"id": chat, "type": kind, "first_name": FIRST_NAME},
            "from": {"id": abs(chat), "is_bot": False, "first_name": FIRST_NAME},
            "date": int(time.time()),
            "old_chat_member": {"user": user, "status": "left"},
            "new_chat_member": {"user": user, "status": status, **until},
        }
        return self._put({"my_chat_member": change})

    def restart_numbers(self) -> None:
        """After an idle week, ids of updates go on from anywhere: here, from further back."""
        self._updates = itertools.count(random.Random(11).randrange(1000))

    def again(self, update: dict[str, Any]) -> None:
        """Deliver an update once more."""
        self._queue.append(update)
        self._came.set()

    def _put(self, content: dict[str, Any]) -> dict[str, Any]:
        update = {"update_id": next(self._updates), **content}
        self._queue.append(update)
        self._came.set()
        return update

    def last(self, chat: int) -> Shown:
        return self.chats[chat][-1]

    async def sees(self, chat: int, wanted: Callable[[Shown], bool], *, within: float = 15) -> Shown:
        """Wait until the last message of the chat is so."""
        until = time.monotonic() + within
        while not (self.chats[chat] and wanted(self.last(chat))):
            if time.monotonic() > until:
                raise AssertionError(f"never seen; last: {self.chats[chat][-2:]}, broken: {self.broken}")
            await asyncio.sleep(0.005)
        return self.last(chat)

    # Delivery to a webhook

    def deliver_to(self, address: str, *, secret: str = SECRET) -> None:
        """Bring updates to this address from now on, each again until a 2xx."""
        self._delivering = asyncio.create_task(self._deliver(address, secret))

    async def _deliver(self, address: str, secret: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                while self._queue:
                    update = self._queue.pop(0)
                    try:
                        answer = await client.post(
                            address, json=update, headers={"X-Telegram-Bot-Api-Secret-Token": secret}
                        )
                        arrived = answer.is_success
                    except httpx.HTTPError:
                        arrived = False
                    if not arrived:
                        self.redeliveries += 1
                        self._queue.insert(0, update)
                        await asyncio.sleep(0.05)
                self._came.clear()
                await self._came.wait()

    # The API

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                _, path, _ = first.split(" ")
                answer = await self._answer(path, _given(headers.get("content-type", ""), body))
                if answer is None:
                    break
                status, said = answer
                data = json.dumps(said).encode()
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, path: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        _, bot, method = path.split("/")
        if bot != f"bot{TOKEN}":
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        if method != "getUpdates":
            self.calls.append(Call(method, given, time.monotonic()))
        fault = self.fault(method, given)
        if fault == "drop":
            return None
        if isinstance(fault, int):
            more = {"parameters": {"retry_after": 1}} if fault == 429 else {}
            return fault, {"ok": False, "error_code": fault, "description": f"Told to fail: {fault}", **more}
        try:
            read = check(method, given)
            if (wait := self._too_fast(method, read)) is not None:
                self.refused_pace += 1
                said = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {wait}"}
                return 429, {**said, "parameters": {"retry_after": wait}}
            if int(read.get("chat_id", 0)) in self.blocked:
                return 403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
            result = await self._do(method, read)
        except Broken as broken:
            if not str(broken).startswith("message"):
                self.broken.append(f"{method}: {broken}")
            return 400, {"ok": False, "error_code": 400, "description": f"Bad Request: {broken}"}
        return None if fault == "cut" else (200, {"ok": True, "result": result})

    def _too_fast(self, method: str, read: dict[str, Any]) -> int | None:
        now = time.monotonic()
        if method not in MESSAGES:
            return None
        chat = int(read["chat_id"])
        while self._window and self._window[0] <= now - 1:
            self._window.popleft()
        if now - self._last.get(chat, 0) < self.gap or len(self._window) >= self.a_second:
            return 1
        self._last[chat] = now
        self._window.append(now)
        return None

    async def _do(self, method: str, read: dict[str, Any]) -> Any:
        chat = int(read.get("chat_id", 0))
        match method:
            case "getMe":
                return {"id": 987654321, "is_bot": True, "first_name": "Autodiag", "username": NAME}
            case "getUpdates":
                return await self._fetch(int(read.get("offset", 0)), float(read.get("timeout", 0)))
            case "sendMessage" | "sendPhoto" | "sendDocument":
                text = read.get("text", read.get("caption", ""))
                kind = {"sendMessage": "text", "sendPhoto": "photo", "sendDocument": "document"}[method]
                data = read.get("photo", read.get("document", b""))
                shown = Shown(next(self._numbers), text, read.get("reply_markup", []), kind, data)
                self.chats[chat].append(shown)
                return self._message(chat, shown)
            case "editMessageText" | "editMessageReplyMarkup":
                found = self._find(chat, int(read["message_id"]))
                text = read.get("text", found.text)
                buttons = read.get("reply_markup", [])
                if method == "editMessageText" and found.kind != "text":
                    raise Broken("message there is no text in the message to edit")
                if (text, buttons) == (found.text, found.buttons):
                    raise Broken("message is not modified: same content")
                found.text, found.buttons = text, buttons
                return self._message(chat, found)
            case "deleteMessage":
                self.chats[chat].remove(self._find(chat, int(read["message_id"])))
            case "answerCallbackQuery":
                self.answered.append(read["callback_query_id"])
            case _:
                self.settings[method] = read
        return True

    async def _fetch(self, offset: int, patience: float) -> list[dict[str, Any]]:
        self._queue = [update for update in self._queue if update["update_id"] >= offset]
        until = time.monotonic() + patience
        while not self._queue and time.monotonic() < until:
            await asyncio.sleep(0.01)
        return list(self._queue)

    def _find(self, chat: int, number: int) -> Shown:
        found = next((shown for shown in self.chats[chat] if shown.number == number), None)
        if found is None:
            raise Broken("message to edit not found")
        return found

    def _message(self, chat: int, shown: Shown) -> dict[str, Any]:
        bot = {"id": 987654321, "is_bot": True, "first_name": "Autodiag", "username": NAME}
        where = {"id": chat, "type": "private"}
        return {"message_id": shown.number, "date": int(time.time()), "chat": where, "from": bot, "text": shown.text}


def _given(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a request: a form, or parts of which files stay bytes."""
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    parsed = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in parsed.get_payload():
        assert not isinstance(part, str)
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename():
            files[name] = data
        else:
            fields[name] = data.decode()
    for name, value in fields.items():
        if isinstance(value, str) and value.startswith("attach://"):
            fields[name] = files[value.removeprefix("attach://")]
    return {**files, **fields} if not any(isinstance(v, bytes) for v in fields.values()) else fields
