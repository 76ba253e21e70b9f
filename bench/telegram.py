"""Telegram's webhook under load: a real `autodiag serve` in webhook mode, a Bot API of our own, many chats that press.

Updates come at their own moments, whether the one before is answered or not, and a wait is counted from that moment.
What each chat must come to is worked out beforehand with the same engine, and compared with the database afterwards.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from bench import processes
from bench.managers import Line
from bot.content import load_content
from bot.house import House, open_house
from bot.settings import load_settings
from bot.telegram import keys
from bot.telegram.face import face
from bot.turn import Present, look
from dialogue.engine import asking, begin, step
from dialogue.events import Clicked
from dialogue.flow import Flow
from dialogue.session import Session, dump
from store import chats, tables
from store.engine import Database
from tests.telegram.fake import SECRET, TOKEN, FakeTelegram
from tests.telegram.rules import MESSAGES

A_SECOND = 50
CONNECTIONS = 40
"""What Telegram opens to a webhook at most, unless told otherwise."""
OLD, TWICE = 0.1, 0.1
"""Of the presses: on the button of an earlier question; brought once more though answered 200."""
FIRST_CHAT = 7_000_000_000
DRAINING = 300
"""Seconds given to the outbox to empty itself."""
_WAITING = tables.outbox.c.kind.like("telegram.%") & tables.outbox.c.state.in_(("waiting", "taken", "maybe"))
_GIVEN_UP = tables.outbox.c.state == "failed"


@dataclass(frozen=True)
class Found:
    """The figures; waits in ms, `drained` in seconds. `again`: deliveries not answered 200, brought until they were."""

    updates: int
    old: int
    twice: int
    again: int
    pace: float
    p50: float
    p95: float
    p99: float
    slowest: float
    lost: int
    behind: int
    left: int
    shown: float
    too_fast: int
    broken: int
    waiting: int
    drained: float


@dataclass
class Chat:
    """What a chat must come to, and the button that it pressed last."""

    number: int
    session: Session
    revision: int = 1
    pressed: keys.Pick | None = None
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Press:
    """`at`: seconds from the beginning."""

    at: float
    chat: Chat
    key: keys.Pick
    old: bool
    twice: bool


def webhook(people: int, seconds: float) -> Found:
    """So many chats, each in its turn, 50 updates a second for so long."""
    with tempfile.TemporaryDirectory(prefix="autodiag-bench-") as name:
        return asyncio.run(_measured(Path(name), people, seconds))


def _planned(flow: Flow, people: int, seconds: float) -> tuple[list[Chat], list[Press]]:
    luck = random.Random(4)  # noqa: S311 — the same presses each time
    everybody = [Chat(FIRST_CHAT + number, begin(flow)) for number in range(people)]
    presses: list[Press] = []
    at, updates = luck.expovariate(A_SECOND), 0
    while at < seconds:
        chat = everybody[len(presses) % people]
        old = chat.pressed is not None and luck.random() < OLD
        key = _old(flow, chat) if old else _next(flow, chat, luck)
        presses.append(Press(at, chat, key, old, luck.random() < TWICE))
        updates += 1 + presses[-1].twice
        at += sum(luck.expovariate(A_SECOND) for _ in range(1 + presses[-1].twice))
    return everybody, presses


def _next(flow: Flow, chat: Chat, luck: random.Random) -> keys.Pick:
    """A choice of the question that this chat is asked, taken."""
    asked = asking(flow, chat.session)
    if asked is None:
        raise RuntimeError("more presses than questions: more chats are needed")
    key = keys.Pick(chat.revision, asked.question.id, luck.choice(asked.question.choices).id)
    chat.session = step(flow, chat.session, Clicked(key.node, key.choice)).session
    chat.revision, chat.pressed = chat.revision + 1, key
    return key


def _old(flow: Flow, chat: Chat) -> keys.Pick:
    """Another choice of the question before: explained, and nothing changes."""
    assert chat.pressed is not None  # noqa: S101 — the caller looks
    question = flow.question(chat.pressed.node)
    choices = question.choices if question else ()
    other = next(choice.id for choice in choices if choice.id != chat.pressed.choice)
    return keys.Pick(chat.pressed.revision, chat.pressed.node, other)


class _Hook:
    """What brings updates: so many connections, and each update again until it gets a 2xx."""

    def __init__(self, port: int) -> None:
        self._free: asyncio.Queue[Line] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            self._free.put_nowait(Line(port))
        self.again = 0

    async def bring(self, update: dict[str, Any]) -> None:
        headers = f"Content-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
        body = json.dumps(update).encode()
        line = await self._free.get()
        try:
            while (await line.ask("POST", "/telegram", headers, body))[0] != 200:
                self.again += 1
                await asyncio.sleep(0.05)
        finally:
            self._free.put_nowait(line)

    def close(self) -> None:
        while not self._free.empty():
            self._free.get_nowait().close()


async def _measured(folder: Path, people: int, seconds: float) -> Found:
    flow = load_content().flow
    everybody, presses = _planned(flow, people, seconds)
    telegram = FakeTelegram()
    await telegram.up()
    settings = {
        "AUTODIAG_TELEGRAM_TOKEN": TOKEN,
        "AUTODIAG_TELEGRAM_SECRET": SECRET,
        "AUTODIAG_TELEGRAM_MODE": "webhook",
        "AUTODIAG_TELEGRAM_API": telegram.address,
    }
    serving = processes.autodiag(folder, more=settings)
    server = await asyncio.to_thread(serving.__enter__)
    db = Database(f"sqlite:///{folder / 'data' / 'autodiag.db'}")
    try:
        hook = _Hook(server.port)
        for chat in everybody:
            await hook.bring(telegram.says(chat.number, "/start"))
        await _drained(db)
        before = len(telegram.calls)
        began = time.perf_counter()
        waits = await _pressed(telegram, hook, presses, began)
        last, waiting = time.perf_counter(), await _count(db)
        await _drained(db)
        ended = time.perf_counter()
        hook.close()
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)
        await telegram.close()
    calls = [call for call in telegram.calls[before:] if call.method in MESSAGES]
    left = db.read(lambda tx: tx.scalar(select(func.count()).where(_WAITING | _GIVEN_UP)) or 0)
    db.close()
    lost, behind = await _compared(folder, telegram, everybody)
    cut = statistics.quantiles(waits, n=100)
    return Found(
        updates=len(waits),
        old=sum(press.old for press in presses),
        twice=sum(press.twice for press in presses),
        again=hook.again,
        pace=len(waits) / (last - began),
        p50=cut[49],
        p95=cut[94],
        p99=cut[98],
        slowest=max(waits),
        lost=lost,
        behind=behind,
        left=left,
        shown=len(calls) / (ended - began),
        too_fast=telegram.refused_pace,
        broken=len(telegram.broken),
        waiting=waiting,
        drained=ended - last,
    )


async def _pressed(telegram: FakeTelegram, hook: _Hook, presses: Sequence[Press], began: float) -> list[float]:
    """Ms from the moment of each update to its 200: what waits for its chat or for a connection counts."""
    waits: list[float] = []

    async def one(press: Press) -> None:
        moment = began + press.at
        async with press.chat.one_at_a_time:
            message = telegram.last(press.chat.number).number
            update = telegram.presses_data(press.chat.number, keys.write(press.key), message)
            for _ in range(1 + press.twice):
                await hook.bring(update)
                now = time.perf_counter()
                waits.append(1000 * (now - moment))
                moment = now

    async with asyncio.TaskGroup() as group:
        for press in presses:
            await asyncio.sleep(began + press.at - time.perf_counter())
            group.create_task(one(press))
    return waits


async def _count(db: Database) -> int:
    def work(tx: Connection) -> int:
        return tx.scalar(select(func.count()).where(_WAITING)) or 0

    return await asyncio.to_thread(db.read, work)


async def _drained(db: Database) -> None:
    """Wait until nothing is left to send."""
    until = time.perf_counter() + DRAINING
    while await _count(db) and time.perf_counter() < until:  # noqa: ASYNC110 — another process empties it
        await asyncio.sleep(0.1)


async def _compared(folder: Path, telegram: FakeTelegram, everybody: Sequence[Chat]) -> tuple[int, int]:
    """Turns lost, and chats that do not show their present turn."""
    settings = load_settings(folder / "config.yml")
    kept = {
        "database_url": f"sqlite:///{folder / 'data' / 'autodiag.db'}",
        "key_file": folder / "keys" / "master.key",
        "erasure_journal": folder / "keys" / "effacements.journal",
    }
    house = open_house(settings.model_copy(update={"storage": settings.storage.model_copy(update=kept)}))
    lost = behind = 0
    for chat in everybody:
        here = await _here(house, chat)
        missing = abs(chat.revision - here.revision)
        lost += missing or dump(here.session) != dump(chat.session)
        keyboard = face(here, house.words).keyboard
        rows = [[each.to_dict() for each in row] for row in keyboard.inline_keyboard] if keyboard else []
        buttons = [shown.buttons for shown in telegram.chats[chat.number] if shown.buttons]
        behind += buttons != [rows] or telegram.last(chat.number).buttons != rows
    house.store.close()
    return lost, behind


async def _here(house: House, chat: Chat) -> Present:
    keyring = house.store.keyring
    token = chats.token(keyring, "telegram", chat.number)
    found = await house.store.db.query(lambda tx: chats.find(tx, keyring, token, house.today()))
    if found is None:
        raise RuntimeError("a /start was answered 200 and lost")
    return await look(house, found[0].conversation)
