"""A house that speaks to the fake Telegram, by polling or by webhook, and a person who plays it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import uvicorn
from pydantic import SecretStr
from sqlalchemy import Connection, select

from bot.app import create_app
from bot.content import Content
from bot.house import House, open_house
from bot.serve import working
from bot.settings import Settings
from bot.telegram.door import TELEGRAM, Door
from bot.telegram.pace import Pace
from bot.telegram.post import Post
from bot.turn import Present, look
from store import tables
from tests.telegram.fake import SECRET, TOKEN, FakeTelegram, Shown

CHAT = 7_310_042_991
"""A chat's number: a canary too."""
FAST = 0.02
"""The gap between two messages of a chat, where a test is not about it."""


@dataclass
class Talk:
    """The two sides of a conversation."""

    house: House
    telegram: FakeTelegram
    chat: int = CHAT

    async def says(self, text: str, wanted: Callable[[Shown], bool] = lambda shown: bool(shown.buttons)) -> Shown:
        """Type something, and wait for a new message with buttons."""
        before = self.telegram.chats[self.chat][-1].number if self.telegram.chats[self.chat] else 0
        self.telegram.says(self.chat, text)
        return await self.telegram.sees(self.chat, lambda shown: shown.number > before and wanted(shown))

    async def presses(self, label: str, on: Shown | None = None) -> Shown:
        """Press a button, and wait until what is shown has changed."""
        last = self.telegram.last(self.chat)
        before = (last.number, last.text, last.buttons)
        self.telegram.presses(self.chat, label, on=on)
        return await self.telegram.sees(
            self.chat, lambda shown: bool(shown.buttons) and (shown.number, shown.text, shown.buttons) != before
        )

    async def answers_all(self, pick: Callable[[list[str]], str] = lambda labels: labels[0]) -> Shown:
        """Answer until there is a picture of the result; `pick` chooses among the buttons of the question."""
        shown = self.telegram.last(self.chat)
        while shown.kind != "photo":
            labels = [label for label in shown.labels if label != "Je ne sais pas"]
            shown = await self.presses(pick(labels))
        return shown

    async def here(self) -> Present:
        """The present turn of the one conversation."""
        names = await self.house.store.db.query(_names)
        assert len(names) == 1, names
        return await look(self.house, names[0])

    async def settles(self) -> None:
        """Wait until nothing is left to send."""
        for _ in range(500):
            if not await self.house.store.db.query(_waiting):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the outbox never empties")


def _names(tx: Connection) -> list[str]:
    return list(tx.scalars(select(tables.conversations.c.id)))


def _waiting(tx: Connection) -> int:
    mine = tables.outbox.c.kind.like("telegram.%") & tables.outbox.c.state.in_(("waiting", "taken", "maybe"))
    return len(tx.execute(select(tables.outbox.c.id).where(mine)).all())


def at_telegram(settings: Settings, address: str, mode: str = "poll") -> Settings:
    """These settings, with a bot at this address."""
    telegram = settings.telegram.model_copy(
        update={"token": SecretStr(TOKEN), "secret": SecretStr(SECRET), "mode": mode, "api": address}
    )
    return settings.model_copy(update={"telegram": telegram})


@asynccontextmanager
async def talking(
    settings: Settings,
    content: Content,
    mode: str = "poll",
    *,
    gap: float = FAST,
    a_second: int = 1000,
    now: Callable[[], datetime] | None = None,
) -> AsyncIterator[Talk]:
    """Everything up and running; the fake's limits are as much shorter as the pace is. No broken request at the end."""
    telegram = FakeTelegram(gap=gap * 0.95, a_second=a_second)
    await telegram.up()
    house = open_house(at_telegram(settings, telegram.address, mode), now=now, content=content)
    house.doors[TELEGRAM] = Door(house, Post(house.settings.telegram, Pace(gap, a_second * 0.93)))
    try:
        async with working(house), _served(house, telegram, mode):
            yield Talk(house, telegram)
    finally:
        await telegram.close()
        house.store.close()
    assert telegram.broken == []
    assert telegram.refused_pace == 0


@asynccontextmanager
async def _served(house: House, telegram: FakeTelegram, mode: str) -> AsyncIterator[None]:
    if mode == "poll":
        yield
        return
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(house), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        telegram.deliver_to(f"http://127.0.0.1:{listening.getsockname()[1]}/telegram")
        try:
            yield
        finally:
            server.should_exit = True
            await serving
