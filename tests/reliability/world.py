"""One deployment as processes: servers (and workers), killed and started again on the same port, and what they leave.

`keep` starts each process again as it dies; between the two it looks at what was left, as nobody else has yet.
"""

from __future__ import annotations

import asyncio
import random
import re
import resource
import shutil
import socket
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import Connection, make_url, select

from bench.managers import Line
from bot.content import Content
from bot.house import House, open_house
from bot.settings import load_settings
from store import tables
from tests.reliability.nursery import ROOT, SLOWNESS, Child, Nursery, launched
from tests.telegram.fake import SECRET, TOKEN, FakeTelegram

_DONE = re.compile(r"after telegram\.\w+ \d+")
_TAKEN = "SELECT id, conversation FROM outbox WHERE state = 'taken'"
_ASIDE = "aside"
"""What our own connections to PostgreSQL are called."""
_OTHER_FILES = 40_000
"""Bytes left to what the processes write besides: their logs, the points that they pass."""
STARTING = 60.0 * SLOWNESS
"""Seconds given to a process to answer."""


@dataclass
class Tally:
    """What happened to a deployment.

    `points`: those passed, the ids of jobs left out. `done`: how often each job that leaves was done, by its id.
    `unknown`: jobs that a killed process had taken and not marked, by id; `unknown_of`: by conversation.
    """

    kills: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    unsound: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    done: Counter[int] = field(default_factory=Counter)
    unknown: Counter[int] = field(default_factory=Counter)
    unknown_of: Counter[str] = field(default_factory=Counter)


@dataclass
class Process:
    """`autodiag serve` or `worker`, whichever of its lives it is at. `plan`: where store.faults reads when to die."""

    name: str
    command: Sequence[str]
    port: int
    plan: Path
    log: Path
    child: Child | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    last: str = "starting"

    def dies(self, where: str, nth: int = 1) -> None:
        """Have it killed at the n-th pass of a point so named, from now on."""
        new = self.plan.with_suffix(".new")
        new.write_text(f"{where} {nth}")
        new.rename(self.plan)

    def spare(self) -> None:
        """No point kills it any more."""
        self.plan.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.child:
            self.child.kill()

    def told(self) -> list[str]:
        """The points passed since this was last asked."""
        file = self.plan.with_suffix(".passed")
        taken = file.with_suffix(".taken")
        with suppress(FileNotFoundError):
            file.rename(taken)
            return taken.read_text().splitlines()
        return []


class World:
    """A database, its key, and the processes that serve it. `imported_every`: one start in so many is from nothing."""

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        url: str,
        content: Content,
        *,
        servers: int = 1,
        workers: int = 0,
        telegram: FakeTelegram | None = None,
        questions: Path | None = None,
        more: dict[str, str] | None = None,
        imported_every: int = 0,
    ) -> None:
        self.nursery, self.folder, self.url, self.content = nursery, folder, url, content
        self.telegram, self.questions = telegram, questions
        self.more = more or {}
        self.imported_every = imported_every
        self.tally = Tally()
        self.after_death: list[Callable[[Process], None]] = []
        folder.mkdir(parents=True, exist_ok=True)
        config = re.sub(r"(conversations_par_heure:) \d+", r"\1 100000000", (ROOT / "config.yml").read_text())
        (folder / "config.yml").write_text(config)
        self.clock, self.away = folder / "seconds", 0.0
        self.servers = [self._process(f"server-{n}", ["serve"], _free_port()) for n in range(servers)]
        self.workers = [self._process(f"worker-{n}", ["worker"], 0) for n in range(workers)]
        self._keeping: list[asyncio.Task[None]] = []

    @property
    def processes(self) -> list[Process]:
        """Servers, then workers."""
        return [*self.servers, *self.workers]

    @property
    def base(self) -> Path | None:
        """The file of the database, on SQLite."""
        parsed = make_url(self.url)
        return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None

    def _process(self, name: str, command: Sequence[str], port: int) -> Process:
        return Process(name, command, port, self.folder / f"{name}.plan", self.folder / f"{name}.log")

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told, but for their port and their plan."""
        found = {
            "AUTODIAG_CONFIG": str(self.folder / "config.yml"),
            "AUTODIAG_DATABASE_URL": self.url,
            "AUTODIAG_DATA_DIR": str(self.folder / "data"),
            "AUTODIAG_KEY_FILE": str(self.folder / "keys" / "master.key"),
            "AUTODIAG_HOST": "127.0.0.1",
            "AUTODIAG_LOG_LEVEL": "warning",
            "AUTODIAG_TEST": "1",
            "AUTODIAG_TEST_CLOCK": str(self.clock),
        }
        if self.telegram:
            found |= {
                "AUTODIAG_TELEGRAM_TOKEN": TOKEN,
                "AUTODIAG_TELEGRAM_SECRET": SECRET,
                "AUTODIAG_TELEGRAM_MODE": "webhook",
                "AUTODIAG_TELEGRAM_API": self.telegram.address,
            }
        return found | self.more

    # Lives

    @asynccontextmanager
    async def living(self) -> AsyncIterator[World]:
        """Everything up, and kept up; stopped politely at the end."""
        try:
            await asyncio.gather(*map(self.start, self.processes))
            self._keeping = [asyncio.create_task(self._keep(process)) for process in self.processes]
            yield self
        finally:
            await self.stop()

    async def start(self, process: Process) -> None:
        """Start one and wait until it answers. Raises RuntimeError with its log when it stops instead."""
        own = {"AUTODIAG_PORT": str(process.port), "AUTODIAG_TEST_FAULTS": str(process.plan)}
        environment = self.environment | {name: value for name, value in own.items() if value != "0"}
        process.stopping = False
        if self.imported_every == 0 or self.tally.starts % self.imported_every:
            process.child = await asyncio.to_thread(
                self.nursery.start, process.command, environment, process.log, self.questions
            )
        else:
            process.child = await asyncio.to_thread(launched, process.command, environment, process.log)
        self.tally.starts += 1
        if await self._answers(process):
            process.up.set()

    async def _answers(self, process: Process) -> bool:
        """Whether it answers, once it does or is over. Raises RuntimeError on an end that nobody asked for."""
        assert process.child
        until = asyncio.get_running_loop().time() + STARTING
        while asyncio.get_running_loop().time() < until:
            if process.child.status is not None:
                if process.child.status < 0:
                    return False
                raise RuntimeError(f"{process.name} stopped: {process.log.read_text()[-2000:]}")
            if process.port == 0:
                return True
            line = Line(process.port)
            try:
                if (await line.ask("GET", "/readyz"))[0] == 200:
                    return True
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                line.close()
            await asyncio.sleep(0.01)
        raise RuntimeError(f"{process.name} does not answer: {process.log.read_text()[-2000:]}")

    async def _keep(self, process: Process) -> None:
        while True:
            assert process.child
            status = await process.child.ended()
            process.up.clear()
            if process.stopping:
                return
            if status != -9:
                raise RuntimeError(f"{process.name} ended with {status}: {process.log.read_text()[-2000:]}")
            process.spare()
            self.hear(process, dead=True)
            await asyncio.to_thread(self._left_by, process)
            for look in self.after_death:
                look(process)
            await self.start(process)

    def hear(self, process: Process, *, dead: bool = False) -> None:
        """Count the points that it passed; the last one is where it died."""
        told = process.told()
        names = [re.sub(r" \d+$", " *", line) for line in told]
        if names:
            process.last = names[-1]
        if dead:
            self.tally.kills[process.last] += 1
        self.tally.points.update(names)
        self.tally.done.update(int(line.rsplit(" ", 1)[1]) for line in told if _DONE.fullmatch(line))

    def trouble(self) -> None:
        """Raise what ended a keeper, if something did."""
        for task in self._keeping:
            if task.done() and not task.cancelled():
                task.result()

    async def stop(self) -> None:
        """SIGTERM to all, and wait."""
        for process in self.processes:
            process.stopping = True
            process.spare()
            if process.child:
                process.child.stop()
        for process in self.processes:
            if process.child:
                await process.child.ended()
            process.up.clear()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def again(self) -> None:
        """Stop everything, politely, and start it again."""
        await self.stop()
        await asyncio.gather(*map(self.start, self.processes))
        self._keeping = [asyncio.create_task(self._keep(process)) for process in self.processes]

    async def server(self, n: int) -> Process:
        """A server that is up: the n-th if it can be."""
        while True:
            self.trouble()
            wanted = self.servers[n % len(self.servers)]
            for process in (wanted, *self.servers):
                if process.up.is_set():
                    return process
            try:
                async with asyncio.timeout(1):
                    await wanted.up.wait()
            except TimeoutError:
                continue

    # What is left

    def _left_by(self, process: Process) -> None:
        """Look at the database between two lives: is the file sound, what had been taken and not marked?"""
        with self._as_left() as url:
            if self.base:
                self.tally.unsound += unsound(Path(str(make_url(url).database)))
                with closing(sqlite3.connect(str(make_url(url).database))) as raw:
                    rows = raw.execute(_TAKEN).fetchall()
            else:
                with self.beside() as connection:
                    rows = connection.execute(_TAKEN).fetchall()
        self.tally.unknown.update(job for job, _ in rows)
        self.tally.unknown_of.update(conversation for _, conversation in rows if conversation)

    @contextmanager
    def _as_left(self) -> Iterator[str]:
        """The URL of the database as it stands: of a copy, on SQLite, so that nobody repairs what the next must."""
        base = self.base
        if base is None:
            yield self.url
            return
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            copy = Path(name) / base.name
            shutil.copy(base, copy)
            if (log := base.with_name(f"{base.name}-wal")).exists():
                shutil.copy(log, copy.with_name(log.name))
            yield f"sqlite:///{copy}"

    @contextmanager
    def house(self) -> Iterator[House]:
        """The same database beside the servers, to look."""
        settings = load_settings(self.folder / "config.yml")
        kept = {
            "database_url": self.url,
            "data_dir": self.folder / "data",
            "key_file": self.folder / "keys" / "master.key",
            "erasure_journal": self.folder / "keys" / "effacements.journal",
        }
        storage = settings.storage.model_copy(update=kept)
        house = open_house(settings.model_copy(update={"storage": storage}), content=self.content)
        try:
            yield house
        finally:
            house.store.close()

    # Trouble

    def later(self, seconds: float) -> None:
        """Move the clock of every process by so much more, or less."""
        self.away += seconds
        new = self.clock.with_suffix(".new")
        new.write_text(str(self.away))
        new.rename(self.clock)

    def small_disk(self, pages: int | None) -> None:
        """Let the servers write so many pages more in the log of SQLite (None: as they wish): real write errors."""
        most = resource.RLIM_INFINITY
        if pages is not None and self.base:
            log = self.base.with_name(f"{self.base.name}-wal")
            most = max(log.stat().st_size if log.exists() else 0, _OTHER_FILES) + 4096 * pages
        for process in self.processes:
            if process.child and process.child.status is None:
                with suppress(ProcessLookupError):  # killed meanwhile
                    resource.prlimit(process.child.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def cut_connections(self) -> None:
        """PostgreSQL ends every connection of the servers, whatever they are at."""
        with self.beside() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = current_database() AND application_name <> '{_ASIDE}'"
            )

    def beside(self) -> psycopg.Connection:
        """A connection of ours to PostgreSQL, which no trouble cuts."""
        return psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True, application_name=_ASIDE)

    def settled(self) -> None:
        """Wait until what a dead process had asked of PostgreSQL is over; SQLite dies with its process."""
        if self.base is None:
            with self.beside() as connection:
                connection.execute("SELECT id FROM conversations FOR UPDATE")

    def waiting(self, house: House) -> int:
        """Jobs that must leave for a chat and have not."""
        mine = tables.outbox.c.kind.like("telegram.%") & tables.outbox.c.state.in_(("waiting", "taken", "maybe"))

        def count(tx: Connection) -> int:
            return len(tx.execute(select(tables.outbox.c.id).where(mine)).all())

        return house.store.db.read(count)


def unsound(base: Path) -> list[str]:
    """What SQLite finds wrong in a file."""
    with closing(sqlite3.connect(base)) as raw:
        found = [row[0] for row in raw.execute("PRAGMA integrity_check") if row[0] != "ok"]
        return found + [f"orphan in {row[0]}" for row in raw.execute("PRAGMA foreign_key_check")]


def _free_port() -> int:
    """One below those that the system gives to clients: it stays free while its server is dead."""
    for port in random.sample(range(12_000, 32_000), 200):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
