"""Schedules of kills and other trouble on real processes, as long as one likes: tests/reliability, seed after seed.

`python -m bench.schedules sqlite 10 --seed 200` plays seeds 200, 201… for ten minutes, and says which comes next. A
seed that finds a fault is printed with what was found, and the run ends with code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.content import Content, load_content
from tests import postgresql
from tests.reliability.nursery import Nursery
from tests.reliability.schedules import Found, Outage, play
from tests.reliability.world import World
from tests.telegram.fake import FakeTelegram

TOGETHER = 40
"""Schedules on one database; then a new one, so that none gets slow to copy."""
FROM_NOTHING = 40
"""One start in so many is the command itself, imports and all."""
STOPPED = 30.0
"""Seconds that PostgreSQL stays stopped, in one schedule in twenty."""
TELL_EVERY = 60.0


def main() -> None:
    """Play until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m bench.schedules", description=__doc__)
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    until, seed, found = time.monotonic() + 60 * given.minutes, given.seed, Found()
    nursery, content = Nursery(), load_content()
    try:
        while time.monotonic() < until:
            with _database(given.database) as (folder, url, server):
                seed = asyncio.run(_played(nursery, content, folder, url, server, seed, until, found))
    finally:
        nursery.close()
        print(f"{given.database}: {told(found)}; seeds {given.seed} to {seed - 1}, next SEED={seed}", flush=True)
    sys.exit(0 if found.fine else 1)


def told(found: Found) -> str:
    """What was found, on one line."""
    compared = found.compared
    troubles = ", ".join(f"{n} {what}" for what, n in found.troubles.items() if n)
    return (
        f"{found.schedules} schedules, {found.kills.total()} kills at {len(found.kills)} kinds of points, {troubles}; "
        f"{found.requests} requests, sent again {found.again} times, {found.looked} looked for; "
        f"{compared.conversations} conversations, {compared.answers} answers: "
        f"lost {compared.lost}, doubled {compared.doubled}, otherwise wrong {len(compared.otherwise)}; "
        f"{found.sent} sends: twice {found.sent_twice}, twice after an unknown outcome {found.sent_twice_unknown}; "
        f"chats behind {found.behind}; files unsound {len(found.unsound)}"
    )


@contextmanager
def _database(kind: str) -> Iterator[tuple[Path, str, postgresql.Server | None]]:
    with tempfile.TemporaryDirectory(prefix="autodiag-soak-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield folder, f"sqlite:///{folder / 'data' / 'autodiag.db'}", None
            return
        with postgresql.running() as server, server.database() as url:
            yield folder, url, server


async def _played(
    nursery: Nursery,
    content: Content,
    folder: Path,
    url: str,
    server: postgresql.Server | None,
    seed: int,
    until: float,
    found: Found,
) -> int:
    """Schedules on one database; the next seed."""
    chats = FakeTelegram(gap=0, a_second=10**6)
    await chats.up()
    world = World(
        nursery,
        folder,
        url,
        content,
        servers=2 if server else 1,
        workers=1 if server else 0,
        telegram=chats,
        imported_every=FROM_NOTHING,
    )
    said, sent, twice, unknown = time.monotonic(), found.sent, found.sent_twice, found.sent_twice_unknown
    try:
        async with world.living():
            for n in range(TOGETHER):
                if time.monotonic() > until:
                    break
                outage = _outage(server) if server and seed % 20 == 9 else None
                await _one(world, seed, found, first=10 * n, steps=40 if seed % 4 == 3 else 8, outage=outage)
                seed += 1
                if time.monotonic() > said + TELL_EVERY:
                    said = time.monotonic()
                    print(f"… {told(found)}", flush=True)
    finally:
        found.sent, found.sent_twice = found.sent + sent, found.sent_twice + twice
        found.sent_twice_unknown += unknown
    await chats.close()
    if chats.broken:
        raise RuntimeError(f"badly made calls: {chats.broken[:3]}")
    return seed


async def _one(world: World, seed: int, found: Found, *, first: int, steps: int, outage: Outage | None) -> None:
    try:
        await play(world, seed, found, first=first, steps=steps, outage=outage)
    except BaseException:
        print(f"SEED={seed} failed: {told(found)}", flush=True)
        for process in world.processes:
            print(process.name, process.log.read_text()[-3000:], flush=True)
        raise
    if not found.fine:
        print(f"SEED={seed} found: {found.compared} {found.unexplained} {told(found)}", flush=True)
        for process in world.processes:
            print(process.name, process.log.read_text()[-3000:], flush=True)
        raise SystemExit(1)


def _outage(server: postgresql.Server) -> Outage:
    async def outage() -> None:
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(STOPPED)
        await asyncio.to_thread(server.start)

    return outage


if __name__ == "__main__":
    main()
