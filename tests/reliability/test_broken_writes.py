"""Every n-th write refused, in turn, by the disk or by the network: nothing half saved, and the next try works.

The errors are real ones: a limit on the size of files (the kernel refuses the write), a disk of a few hundred kilobytes
that is full, a connection that PostgreSQL itself cuts.
"""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from bot.content import Content
from bot.house import House, open_house
from bot.settings import Settings
from bot.turn import Present, begin, look, records, take
from dialogue import engine, sessions
from dialogue.events import Clicked
from store.engine import Unavailable
from tests.reliability.world import unsound

PAGE = 4096
only_sqlite = pytest.mark.databases("sqlite", because="its files are here; PostgreSQL has its own disk")


def run(work: Coroutine[Any, Any, Present]) -> Present:
    return asyncio.run(work)


def started(house: House) -> Present:
    return run(_begun(house))


async def _begun(house: House) -> Present:
    here, _ = await begin(house, door="web", incoming=secrets.token_urlsafe(18))
    return here


async def answered(house: House, here: Present, incoming: str) -> Present:
    """The first choice of the question being asked, under this id."""
    step = engine.asking(*sessions.front(here.flows, here.held))
    assert step
    event = Clicked(step.question.id, step.question.choices[0].id)
    return await take(
        house,
        door="web",
        incoming=incoming,
        conversation=here.conversation,
        revision=here.revision,
        event=event,
    )


def refused_then_taken(house: House, here: Present, trouble: Callable[[], Any]) -> tuple[Present, bool]:
    """One answer in the trouble, then again without it, under one id: the turn after, and whether it was refused.

    What was refused left nothing; what was taken, in the trouble or after, was taken once.
    """
    incoming = secrets.token_urlsafe(18)
    refused = False
    with trouble():
        try:
            run(answered(house, here, incoming))
        except Unavailable:
            refused = True
    now = run(look(house, here.conversation))
    assert now.revision in ((here.revision, here.revision + 1) if refused else (here.revision + 1,))
    log = len(asyncio.run(records(house, here.conversation)))
    assert log == now.revision - 1  # whole or absent
    after = run(answered(house, here, incoming))
    assert after.revision == here.revision + 1
    assert len(asyncio.run(records(house, here.conversation))) == here.revision
    return replace(after, outcome="taken"), refused


@contextmanager
def no_further_than(file: Path, pages: int) -> Iterator[None]:
    """The kernel refuses what this process would write further in a file than so many pages from where it ends."""
    now = file.stat().st_size if file.exists() else 0
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (now + PAGE * pages, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@only_sqlite
def test_each_write_refused_in_its_turn_by_the_disk(house: House) -> None:
    base = house.store.db.path
    assert base
    log = base.with_name(f"{base.name}-wal")
    here, refusals, n = started(house), 0, 0
    while True:
        here, refused = refused_then_taken(house, here, partial(no_further_than, log, n))
        refusals += refused
        if not refused:
            break
        n += 1
    assert refusals >= 5  # as many pages as a turn writes
    assert unsound(base) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, where this account may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a small disk: run as root")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@only_sqlite
def test_a_disk_that_fills_up_at_each_write_in_its_turn(settings: Settings, content: Content, small_disk: Path) -> None:
    base = small_disk / "autodiag.db"
    storage = settings.storage.model_copy(update={"database_url": f"sqlite:///{base}"})
    house = open_house(settings.model_copy(update={"storage": storage}), content=content)
    here, refusals, n = started(house), 0, 0

    @contextmanager
    def full_but(pages: int) -> Iterator[None]:
        ballast = small_disk / "ballast"
        space = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * max(0, (space.f_bavail - pages) * space.f_frsize))
        try:
            yield
        finally:
            ballast.unlink()

    while True:
        here, refused = refused_then_taken(house, here, partial(full_but, n))
        refusals += refused
        if not refused:
            break
        n += 1
    house.store.close()
    assert refusals >= 3
    assert unsound(base) == []


@pytest.mark.databases("postgresql", because="SQLite has no connection to lose")
def test_each_statement_loses_its_connection_in_its_turn(house: House, database: str) -> None:
    here, refusals = started(house), 0
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as admin:

        @contextmanager
        def cut_at(nth: int) -> Iterator[None]:
            """PostgreSQL ends the connection just before its n-th statement, or its COMMIT."""
            left = nth

            def passing(connection: Any, *_: object) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    pid = connection.connection.driver_connection.info.backend_pid
                    admin.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])

            for name in ("before_cursor_execute", "commit"):
                event.listen(house.store.db.writer, name, passing)
            try:
                yield
            finally:
                for name in ("before_cursor_execute", "commit"):
                    event.remove(house.store.db.writer, name, passing)

        for nth in range(1, 30):
            here, refused = refused_then_taken(house, here, partial(cut_at, nth))
            refusals += refused
            if not refused:
                break
    assert refusals >= 5
