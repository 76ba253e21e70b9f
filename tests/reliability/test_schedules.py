"""Twenty schedules a database, each from its seed: kills and other trouble while managers answer at every door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.reliability.conftest import Living
from tests.reliability.managers import OnTelegram, OnTheWeb, OverTheApi
from tests.reliability.schedules import Found, play

SCHEDULES = 20
DOORS = (OnTheWeb, OverTheApi, OnTelegram)


def test_twenty_schedules_lose_nothing_and_say_nothing_twice(
    living: Living, database: str, record_property: Callable[[str, object], None]
) -> None:
    async def story() -> Found:
        found = Found()
        servers = 1 if database.startswith("sqlite") else 2
        async with living(servers=servers) as world:
            for seed in range(SCHEDULES):
                await play(world, seed, found, first=10 * seed, steps=6, doors=DOORS)
                assert found.fine, f"seed {seed}: {found}"
        return found

    found = asyncio.run(story())
    assert found.schedules == SCHEDULES
    assert found.kills.total() >= SCHEDULES // 2
    assert found.troubles.total() >= 3
    record_property("found", str(found))
