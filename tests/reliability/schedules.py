"""Schedules drawn from a seed: who answers what, and what befalls the server meanwhile; then what is left is compared.

One seed gives one schedule. Time is the machine's own, so that the same seed meets the same kinds of trouble at about
the same moments, not at the same instruction.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from bot.house import House
from bot.telegram.face import face
from bot.turn import Gone, Present, look, records
from bot.worker import LEASE
from dialogue.events import Event, TimerFired
from store import chats, ways
from tests.reliability.managers import Manager, OnTelegram, OnTheWeb, OverTheApi
from tests.reliability.model import Compared, Story
from tests.reliability.nursery import SLOWNESS
from tests.reliability.world import Process, World

POINTS = (
    "*",
    "before insert inbox",
    "after insert inbox",
    "before insert conversations",
    "after insert ways",
    "before update conversations",
    "after update conversations",
    "after insert facts",
    "before insert outbox",
    "after insert outbox",
    "before commit",
    "after commit",
    "before telegram.show *",
    "after telegram.show *",
    "before update outbox",
    "after update outbox",
    "* chats",
)
"""Where a schedule may have the server killed."""


@dataclass
class Found:
    """What schedules came to, one or many."""

    schedules: int = 0
    requests: int = 0
    again: int = 0
    looked: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    compared: Compared = field(default_factory=Compared)
    sent: int = 0
    sent_twice: int = 0
    sent_twice_unknown: int = 0
    behind: int = 0
    unexplained: list[str] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether every bar is held."""
        return self.compared.fine and not (self.sent_twice or self.behind or self.unsound)


DOORS: tuple[type[Manager], ...] = (OnTheWeb, OverTheApi, OnTheWeb, OverTheApi, OnTelegram)
Outage = Callable[[], Coroutine[Any, Any, None]]
"""Takes the database away for a time."""


async def play(
    world: World,
    seed: int,
    found: Found,
    *,
    first: int,
    steps: int = 8,
    doors: Sequence[type[Manager]] = DOORS,
    outage: Outage | None = None,
) -> None:
    """One schedule: managers at every door, one to three things that befall; then the comparison, into `found`.

    `outage`: what befalls first, where it is given.
    """
    luck = random.Random(seed)
    managers = [door(world, random.Random(luck.random()), first + n) for n, door in enumerate(doors)]
    away = asyncio.ensure_future(outage()) if outage else None
    found.troubles["database stopped"] += bool(away)
    befalling = asyncio.create_task(_befalls(world, luck, found, away))
    try:
        async with asyncio.TaskGroup() as group:
            for manager in managers:
                group.create_task(manager.plays(steps))
    finally:
        befalling.cancel()
        await asyncio.gather(befalling, return_exceptions=True)
        if away:
            await away
        world.small_disk(None)
        for process in world.processes:
            process.spare()
        for manager in managers:
            manager.hangs_up()
    world.trouble()
    found.schedules += 1
    await compare(world, managers, found)


async def _befalls(world: World, luck: random.Random, found: Found, away: asyncio.Future[None] | None) -> None:
    """What happens to the servers while managers answer: one to three things."""
    if away:
        await asyncio.shield(away)
    for _ in range(luck.randint(1, 3)):
        process = luck.choice(world.processes)
        what = luck.choice(("point", "point", "kill", "disk" if world.base else "cut"))
        await process.up.wait()
        if what == "point":
            process.dies(luck.choice(POINTS), luck.randint(1, 4))
            await _until_dead(process, 0.5)
        elif what == "kill":
            await asyncio.sleep(luck.uniform(0, 0.1))
            process.kill()
            await _until_dead(process, 1)
        elif what == "disk":
            found.troubles["writes refused by the disk"] += 1
            world.small_disk(luck.randint(0, 8))
            await asyncio.sleep(luck.uniform(0.05, 0.2))
            world.small_disk(None)
        else:
            found.troubles["connections cut"] += 1
            await asyncio.to_thread(world.cut_connections)
        await asyncio.sleep(luck.uniform(0, 0.1))


async def _until_dead(process: Process, within: float) -> None:
    until = asyncio.get_running_loop().time() + within
    while process.up.is_set() and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.01)
    process.spare()


async def compare(world: World, managers: Sequence[Manager], found: Found, *, drained: bool = True) -> None:
    """Compare what the database holds, and what chats show, with what was acknowledged."""
    with world.house() as house:
        if world.telegram and drained:
            await _drained(world, house)
        for manager in managers:
            found.requests += manager.insisting.requests
            found.again += manager.insisting.again
            found.looked += manager.insisting.looked
            if manager.story is None:
                continue
            named = await asyncio.to_thread(house.store.db.read, lambda tx, m=manager: _named(house, tx, m))
            try:
                here = await look(house, named) if named else None
                kept = [record.event for record in await records(house, named)] if named else None
            except Gone:
                here = kept = None
            if kept is not None:
                manager.story = _spoken_to(manager.story, kept, found)
            found.compared.add(manager.story, kept, here.revision if here else 0, here.held if here else None)
            if isinstance(manager, OnTelegram) and here and drained:
                found.behind += _behind(world, house, manager, here)
    found.unsound += world.tally.unsound
    found.unexplained += world.tally.unexplained
    world.tally.unexplained.clear()
    found.kills += world.tally.kills
    _sent(world, found)
    world.tally.unsound.clear()
    world.tally.kills.clear()


def _spoken_to(story: Story, kept: Sequence[Event], found: Found) -> Story:
    """The story with what the bot said first at its end, each thing once."""
    said: list[Event] = []
    for event in kept[len(story.events) :]:
        if not isinstance(event, TimerFired):
            break
        found.compared.doubled += event in said
        said.append(event)
        story = story.after(event)
    return story


def _named(house: House, tx: Connection, manager: Manager) -> str | None:
    """The conversation of a manager, by their own way in."""
    keyring, today = house.store.keyring, house.today()
    if isinstance(manager, OnTelegram):
        found = chats.find(tx, keyring, chats.token(keyring, "telegram", manager.chat), today)
        return found[0].conversation if found else None
    assert isinstance(manager, OnTheWeb | OverTheApi)
    token = manager.token if isinstance(manager, OverTheApi) else manager.cookie.partition("=")[2].strip()
    way = ways.look_up(tx, keyring, token, today)
    return way.conversation if way else None


async def _drained(world: World, house: House, within: float = 60 * SLOWNESS) -> None:
    """Wait until nothing is left to send, a lease ahead where dead processes hold some. Raises TimeoutError."""
    began = asyncio.get_running_loop().time()
    ahead = world.base is not None  # there, what a dead process was at is free at the next start
    async with asyncio.timeout(within):
        while await asyncio.to_thread(world.waiting, house):
            world.trouble()
            if not ahead and asyncio.get_running_loop().time() > began + 2:
                world.later(2 * LEASE.total_seconds())
                ahead = True
            await asyncio.sleep(0.05)


def _behind(world: World, house: House, manager: OnTelegram, here: Present) -> bool:
    """Whether the chat does not show the present turn, or shows others too that no unknown outcome explains."""
    assert world.telegram
    keyboard = face(here, house.words).keyboard
    rows = [[each.to_dict() for each in row] for row in keyboard.inline_keyboard] if keyboard else []
    shown = [shown.buttons for shown in world.telegram.chats[manager.chat] if shown.buttons]
    more = world.tally.unknown_of[here.conversation]
    behind = rows not in shown or len(shown) > 1 + more
    if behind:
        told = [[button.get("callback_data") for row in each for button in row][:2] for each in shown]
        world.tally.unexplained.append(f"chat of revision {here.revision}, {more} unknown, buttons {told}")
    return behind


def _sent(world: World, found: Found) -> None:
    """How often each job was done: more than once, and not because a death left its fate unknown."""
    for process in world.processes:
        world.hear(process)
    done, unknown = world.tally.done, world.tally.unknown
    found.sent = len(done)
    found.sent_twice_unknown = sum(min(n - 1, unknown[job]) for job, n in done.items())
    found.sent_twice = sum(max(0, n - 1 - unknown[job]) for job, n in done.items())
