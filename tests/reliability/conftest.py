"""Real processes on a real database, a Telegram of our own, and managers who insist."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.content import Content
from tests.reliability.nursery import Nursery
from tests.reliability.world import World
from tests.telegram.fake import FakeTelegram

Living = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One a test process: what it costs to import is paid once."""
    parent = Nursery()
    yield parent
    parent.close()


@pytest.fixture
def living(nursery: Nursery, database: str, content: Content, tmp_path: Path) -> Living:
    """Opens a deployment where it is asked for, with a Telegram unless told otherwise."""

    @asynccontextmanager
    async def open_world(*, telegram: bool = True, **more: Any) -> AsyncIterator[World]:
        chats = FakeTelegram(gap=0, a_second=10**6)
        await chats.up()
        try:
            world = World(nursery, tmp_path / "world", database, content, telegram=chats if telegram else None, **more)
            async with world.living():
                yield world
                world.trouble()
            assert chats.broken == []
        finally:
            await chats.close()

    return open_world
