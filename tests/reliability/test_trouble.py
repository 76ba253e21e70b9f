"""What befalls a deployment that nobody kills: two devices at once, the database or Telegram away, the clock, a new
questionnaire, a restored backup. Real processes; managers insist; the same comparison in the end.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.content import Content, load_content
from dialogue.events import Commanded
from referential.load import FOLDER
from tests import postgresql
from tests.reliability.conftest import Living
from tests.reliability.managers import Manager, OnTelegram, OnTheWeb, OverTheApi
from tests.reliability.nursery import Nursery
from tests.reliability.schedules import Found, compare
from tests.reliability.world import World

DOORS: tuple[type[Manager], ...] = (OnTheWeb, OverTheApi, OnTelegram)
AWAY = 2.0
"""Seconds that the database is stopped here; thirty in `make soak`."""


def somebody(world: World, first: int, doors: Sequence[type[Manager]] = DOORS) -> list[Manager]:
    return [door(world, random.Random(first + n), first + n) for n, door in enumerate(doors)]


async def each(managers: Sequence[Manager], does: Callable[[Manager], Awaitable[None]]) -> None:
    await asyncio.gather(*map(does, managers))


async def answers(manager: Manager, times: int = 3) -> None:
    """So many questions answered."""
    for _ in range(times):
        await manager.does(manager.answer(manager.luck.choice(manager.standing.choices)))


async def stands(world: World, managers: Sequence[Manager]) -> Found:
    """What was found; nothing may be wrong."""
    found = Found()
    await compare(world, managers, found)
    assert found.fine, found
    return found


def test_two_devices_on_one_question_one_answer_is_taken_whoever_dies(living: Living, database: str) -> None:
    async def story() -> None:
        async with living(telegram=False, servers=1 if database.startswith("sqlite") else 2) as world:
            (phone,) = somebody(world, 0, (OnTheWeb,))
            await phone.begins()
            desk = OnTheWeb(world, random.Random(9), 1)
            desk.cookie, desk.story = phone.cookie, phone.standing  # type: ignore[attr-defined]
            for point in ("", "before commit", "", "after commit", "", "after insert facts"):
                told = phone.standing
                events = [phone.answer(choice) for choice in told.choices[:2]]
                requests = [phone.request(events[0], told.revision), desk.request(events[1], told.revision)]
                if point:
                    world.servers[0].dies(point)
                replies = await asyncio.gather(phone.insists(requests[0]), desk.insists(requests[1]))
                assert sorted(reply.status for reply in replies) == [200, 409]
                taken = events[0] if replies[0].status == 200 else events[1]
                phone.story = desk.story = told.after(taken)
                for device, request, reply in zip((phone, desk), requests, replies, strict=True):
                    device.shows_the_present(request, reply)
            found = await stands(world, [phone])
            assert found.compared.answers == 7
            assert found.kills

    asyncio.run(story())


@pytest.fixture
def own_postgresql() -> object:
    """A server that a test may stop."""
    try:
        with postgresql.running() as server:
            yield server
    except postgresql.NotHere as missing:
        pytest.skip(str(missing))


def test_postgresql_stopped_under_load_delays_and_loses_nothing(
    own_postgresql: postgresql.Server, nursery: Nursery, content: Content, tmp_path: Path
) -> None:
    async def story() -> None:
        with own_postgresql.database() as url:
            world = World(nursery, tmp_path / "world", url, content, servers=2, workers=1)
            async with world.living():
                managers = somebody(world, 0, (OnTheWeb, OverTheApi) * 3)
                stopped = asyncio.Event()

                async def all_along(manager: Manager) -> None:
                    await manager.begins()
                    while not stopped.is_set():
                        await manager.does(manager.something())
                    if manager.standing.choices:  # who reached the end meanwhile has nothing left to answer
                        await answers(manager, 1)

                playing = asyncio.create_task(each(managers, all_along))
                await asyncio.sleep(0.5)
                await asyncio.to_thread(own_postgresql.stop)
                await asyncio.sleep(AWAY)
                await asyncio.to_thread(own_postgresql.start)
                stopped.set()
                await playing
                world.trouble()
                found = await stands(world, managers)
                assert found.again > len(managers)

    asyncio.run(story())


def test_telegram_down_for_a_day_then_every_chat_is_told_where_it_stands(living: Living) -> None:
    async def story() -> None:
        async with living() as world:
            assert world.telegram
            chats = somebody(world, 0, (OnTelegram,) * 4)
            await each(chats, lambda manager: manager.begins())
            with world.house() as house:
                while await asyncio.to_thread(world.waiting, house):
                    await asyncio.sleep(0.02)
            await world.telegram.down()
            await each(chats, answers)
            for _ in range(23):
                world.later(3600)
                await asyncio.sleep(0.05)
            await each(chats, lambda manager: answers(manager, 1))
            before = len(world.telegram.calls)
            await world.telegram.up()
            world.later(600)  # what waits its time to be tried again
            await stands(world, chats)
            shown = [
                call for call in world.telegram.calls[before:] if call.method in ("sendMessage", "editMessageText")
            ]
            # What waited in a row leaves once, as it stands now; at most one more a chat, under way when the rest came.
            assert len(chats) <= len(shown) <= 2 * len(chats)

    asyncio.run(story())


def test_the_clock_a_day_ahead_then_back_and_over_the_changes_of_the_hour(living: Living) -> None:
    async def story() -> None:
        async with living() as world:
            managers = somebody(world, 0)
            await each(managers, lambda manager: manager.begins())
            for jump in (86_400, -86_400, -86_400, 86_400):
                world.servers[0].dies("after telegram.show *")  # leaves a lease that ends in another day
                world.later(jump)
                await each(managers, answers)
                await stands(world, managers)
            spring, autumn = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)
            for n, change in enumerate((spring, autumn), 1):
                world.later((change - datetime.now(UTC) - timedelta(seconds=world.away + 0.3)).total_seconds())
                fresh = somebody(world, 10 * n)
                await each(fresh, lambda manager: manager.begins())
                await each(fresh, lambda manager: answers(manager, 6))
                await stands(world, fresh)

    asyncio.run(story())


def test_a_new_questionnaire_in_the_middle_of_conversations(living: Living, content: Content, tmp_path: Path) -> None:
    newer = tmp_path / "questions"
    shutil.copytree(FOLDER, newer, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = newer / "profile.yml"
    file.write_text(file.read_text().replace("Quel est votre métier ?", "Quel métier exercez-vous ?"))
    changed = load_content(newer)
    assert changed.flow.fingerprint != content.flow.fingerprint

    async def story() -> None:
        async with living() as world:
            under_way = somebody(world, 0)
            await each(under_way, lambda manager: manager.begins())
            await each(under_way, answers)
            world.questions, world.content = newer, changed
            world.servers[0].kill()
            await world.servers[0].child.ended()  # type: ignore[union-attr]
            new = somebody(world, 10)
            await each(new, lambda manager: manager.begins())
            await each([*under_way, *new], answers)
            await stands(world, [*under_way, *new])
            with world.house() as house:
                kept = house.store.db.read(
                    lambda tx: tx.exec_driver_sql("SELECT flow FROM conversations").scalars().all()
                )
            wanted = [content.flow.fingerprint] * 3 + [changed.flow.fingerprint] * 3
            assert sorted(kept) == sorted(wanted)

    asyncio.run(story())


def test_a_restored_backup_brings_back_nothing_erased_and_writes_to_nobody_erased(
    living: Living, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async def story() -> None:
        async with living() as world:
            assert world.telegram
            erased, kept = somebody(world, 0), somebody(world, 10)
            await each([*erased, *kept], lambda manager: manager.begins())
            await each([*erased, *kept], answers)
            await stands(world, [*erased, *kept])
            await world.stop()
            restore = _backed_up(world, tmp_path, request)
            await world.again()
            as_backed_up = [manager.standing for manager in kept]
            await each(kept, answers)
            for event in (Commanded("erase"), Commanded("confirm")):
                await asyncio.gather(*(manager.does(event) for manager in erased))
            await stands(world, [*erased, *kept])
            await world.stop()
            restore()
            world.tally.done.clear()  # the numbers of jobs go back too
            calls = len(world.telegram.calls)
            await world.again()
            for manager, story in zip(kept, as_backed_up, strict=True):
                manager.story = story
            await each(kept, lambda manager: answers(manager, 1))
            await stands(world, [*erased, *kept])
            numbers = {manager.chat for manager in erased if isinstance(manager, OnTelegram)}
            assert not [call for call in world.telegram.calls[calls:] if int(call.given.get("chat_id", 0)) in numbers]

    asyncio.run(story())


def _backed_up(world: World, folder: Path, request: pytest.FixtureRequest) -> Callable[[], None]:
    """A backup of a stopped deployment; what is given back restores it."""
    base = world.base
    if base is None:
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        name = str(make_url(world.url).database)
        server.copy(name, f"{name}_kept")

        def restore() -> None:
            server.drop(name)
            server.copy(f"{name}_kept", name)
            server.drop(f"{name}_kept")

        return restore
    backup = folder / "backup.db"
    with closing(sqlite3.connect(base)) as raw:
        raw.execute(f"VACUUM INTO '{backup}'")

    def restore_file() -> None:
        for file in base.parent.glob(f"{base.name}*"):
            file.unlink()
        shutil.copy(backup, base)

    return restore_file
