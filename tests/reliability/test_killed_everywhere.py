"""A server killed with SIGKILL at every point where it writes, or sends: what was acknowledged is there, once.

Managers at the three doors insist until they are answered; each then stands where the pure engine says.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from fnmatch import fnmatchcase

from tests.reliability.conftest import Living
from tests.reliability.managers import Manager, OnTelegram, OnTheWeb, OverTheApi
from tests.reliability.schedules import Found, compare
from tests.reliability.world import World

WANTED = os.environ.get("RELIABILITY_POINTS", "*").split("|")
DOORS: tuple[type[Manager], ...] = (OnTheWeb, OverTheApi, OnTelegram)
AT_LEAST = {
    "before insert inbox",
    "after insert inbox",
    "after insert conversations",
    "after insert ways",
    "after insert chats",
    "after update conversations",
    "after insert facts",
    "after insert outbox",
    "before commit",
    "after commit",
    "before telegram.show *",
    "after telegram.show *",
    "before update outbox",
    "after update outbox",
    "after update chats",
}
"""Points without which this would prove nothing."""


async def a_few_turns(world: World, number: int, doors: tuple[type[Manager], ...] = DOORS) -> list[Manager]:
    """Somebody new at each door, at once, who answers twice."""
    managers = [door(world, random.Random(number + n), number + n) for n, door in enumerate(doors)]

    async def plays(manager: Manager) -> None:
        await manager.begins()
        for _ in range(2):
            await manager.does(manager.answer(manager.standing.choices[0]))
        manager.hangs_up()

    await asyncio.gather(*map(plays, managers))
    return managers


async def an_hour_later(world: World) -> list[str]:
    """The points of what recurs each hour."""
    world.later(3601)
    found: list[str] = []
    async with asyncio.timeout(60):
        while not any("delete" in point for point in found):
            await asyncio.sleep(0.5)
            found += points_of(world)
        await asyncio.sleep(1)
    return list(dict.fromkeys([*found, *points_of(world)]))


async def quiet(world: World, managers: Sequence[Manager]) -> Found:
    """What was found once nothing is left to send."""
    found = Found()
    await compare(world, managers, found)
    return found


def test_killed_at_every_point_nothing_acknowledged_is_lost_or_doubled(living: Living) -> None:
    async def story() -> None:
        async with living() as world:
            everybody = await a_few_turns(world, 0)
            assert (await quiet(world, everybody)).fine
            points_of(world)  # those of the start
            everybody += await a_few_turns(world, 10)
            assert (await quiet(world, everybody)).fine
            points = points_of(world)
            recurring = [point for point in await an_hour_later(world) if point not in points]
            assert "before delete inbox" in recurring
            assert set(points) >= AT_LEAST
            points, recurring = only(points), only(recurring[::4])  # one transaction: a few of its statements
            for n, point in enumerate(points, 2):
                kills = world.tally.kills.total()
                world.servers[0].dies(point)
                everybody += await a_few_turns(world, 10 * n, doors_to(point, n))
                await dead(world, kills + 1, point)
                assert not world.tally.unsound, point
            for point in recurring:
                kills = world.tally.kills.total()
                world.servers[0].dies(point)
                for _ in range(5):  # its time may have come while the server was being started again
                    world.later(3601)
                    if await dies(world, kills + 1, within=8):
                        break
                await dead(world, kills + 1, point)
            points += recurring
            found = await quiet(world, everybody)
            assert found.fine, found
            assert found.kills.total() == len(points)
            assert found.compared.conversations == len(everybody) > len(points) - len(recurring)

    asyncio.run(story())


def only(points: list[str]) -> list[str]:
    """Those wanted: all, unless a run of mutations is in a hurry."""
    return [point for point in points if any(fnmatchcase(point, wanted) for wanted in WANTED)]


def doors_to(point: str, n: int) -> tuple[type[Manager], ...]:
    """Telegram for what only Telegram writes; else one of the three after another."""
    if any(name in point for name in ("chats", "outbox", "telegram", "delete")):
        return (OnTelegram,)
    if "commit" in point:
        return DOORS
    return (OnTheWeb,) if "insert ways" in point else (DOORS[n % 3],)


def points_of(world: World) -> list[str]:
    """The points passed since this was last asked."""
    for process in world.processes:
        world.hear(process)
    found = list(world.tally.points)
    world.tally.points.clear()
    return found


async def dead(world: World, kills: int, point: str) -> None:
    """Wait until so many were killed in all: a point of the worker comes after the answer."""
    if not await dies(world, kills, within=30):
        raise AssertionError(f"nobody passed {point}")


async def dies(world: World, kills: int, *, within: float) -> bool:
    """Whether so many are killed in all within these seconds."""
    until = asyncio.get_running_loop().time() + within
    while world.tally.kills.total() < kills and asyncio.get_running_loop().time() < until:
        world.trouble()
        await asyncio.sleep(0.01)
    return world.tally.kills.total() >= kills
