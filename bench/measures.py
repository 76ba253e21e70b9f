"""The measures, each a function that gives its figures. CPU is the server's own, in turn with the bare route's."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench import processes
from bench.managers import Line, Manager, OfTheBareRoute, OnTheWeb, OverTheApi
from bench.processes import Server
from store import tables
from store.engine import Database

DOORS: dict[str, Callable[[int, str], Manager]] = {"web": OnTheWeb, "api": OverTheApi}
TURNS = (5, 50, 500)
DEEP = 32


@dataclass(frozen=True)
class Size:
    """How long to measure. `people`: conversations at each turn; `rounds`: of measures in turn.

    `chats`, `chat_seconds`: of Telegram.
    """

    people: int
    rounds: int
    seconds: float
    conversations: int
    starts: int
    chats: int
    chat_seconds: float


FULL = Size(people=16, rounds=12, seconds=6, conversations=10_000, starts=7, chats=300, chat_seconds=60)
SHORT = Size(people=6, rounds=4, seconds=2, conversations=1_000, starts=3, chats=50, chat_seconds=10)


@dataclass(frozen=True)
class Cost:
    """Server CPU of a turn, in ms: ours and the bare route's, and the bytes of the page."""

    ours: float
    bare: float
    page: int

    @property
    def ratio(self) -> float:
        return self.ours / self.bare


@dataclass(frozen=True)
class Pace:
    """Turns a second, and how long a manager waits, in ms."""

    turns: float
    p50: float
    p99: float


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="autodiag-bench-") as name:
        yield Path(name)


async def _each(managers: Sequence[Manager], act: Callable[[Manager], Awaitable[None]]) -> None:
    for manager in managers:
        await act(manager)


async def _together(managers: Sequence[Manager], act: Callable[[Manager], Awaitable[None]]) -> None:
    await asyncio.gather(*(act(manager) for manager in managers))


async def _first_page(server: Server) -> str:
    line = Line(server.port)
    _, _, page = await line.ask("GET", "/")
    line.close()
    return page.decode()


async def _has_api(server: Server) -> bool:
    line = Line(server.port)
    status, _, _ = await line.ask("POST", "/api/v1/conversations", "Content-Type: application/json\r\n", b"{}")
    line.close()
    return status == 201


async def doors_of(server: Server) -> list[str]:
    """The doors that this server has."""
    return ["web", "api"] if await _has_api(server) else ["web"]


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'data' / 'autodiag.db'}"


def plan_of(url: str) -> str:
    """The bytes that one turn writes, as the bare route must write them."""
    db = Database(url)
    row = func.length(tables.conversations.c.snapshot) + func.length(tables.conversations.c.wrapped_key)
    log = func.length(tables.facts.c.payload)
    found = db.read(lambda tx: (tx.scalar(select(func.avg(row))), tx.scalar(select(func.avg(log)))))
    db.close()
    return json.dumps({"row": round(float(found[0] or 0)), "log": round(float(found[1] or 0))})


async def _forward(manager: Manager, turns: int) -> None:
    """Begin, and answer; the conversation is then at this turn."""
    await manager.begin()
    for _ in range(turns - 1):
        await manager.press()


async def _older(manager: Manager, turns: int) -> None:
    """A conversation as old as this that asks its fifth question: go back and answer again, and again."""
    await _forward(manager, TURNS[0])
    for _ in range((turns - TURNS[0]) // 2):
        await manager.command("back")
        await manager.press()


async def _deep(manager: Manager, sections: Sequence[str], turns: int) -> None:
    """Answer the short path, then open sections one after another, and stop in the middle of one."""
    await manager.begin()
    done = 1
    for section in ("", *sections):
        if section:
            await manager.command("deepen", section)
        while manager.asked:
            if done >= turns:
                return
            await manager.press()
            done += 1
    raise RuntimeError(f"the questionnaire has no {turns} questions")


async def _keep_page(bare: Server, name: str, page: bytes) -> None:
    line = Line(bare.port)
    await line.ask("POST", "/page", f"X-Page: {name}\r\n", page)
    line.close()


class _Stage:
    """One population of managers, all about to press the same button, and the bare route's managers beside."""

    def __init__(self, name: str, ours: list[Manager], prepare: Callable[[Manager], Awaitable[None]]) -> None:
        self.name, self.ours, self.prepare = name, ours, prepare
        self.bare: list[Manager] = []
        self.spent, self.spent_bare, self.presses = 0.0, 0.0, 0

    async def round(self, server: Server, bare: Server) -> None:
        await _each(self.ours, self.prepare)
        before = server.cpu()
        await _each(self.ours, lambda manager: manager.press())
        self.spent += server.cpu() - before
        if not self.bare:
            sample = self.ours[0]
            await _keep_page(bare, self.name, sample.page)
            self.bare = [OfTheBareRoute(bare.port, self.name, sample.sent) for _ in self.ours]
            await _each(self.bare, lambda manager: manager.begin())
        before = bare.cpu()
        await _each(self.bare, lambda manager: manager.press())
        self.spent_bare += bare.cpu() - before
        self.presses += len(self.ours)

    @property
    def cost(self) -> Cost:
        each = 1000 / self.presses
        return Cost(self.spent * each, self.spent_bare * each, len(self.ours[0].page))

    def close(self) -> None:
        for manager in (*self.ours, *self.bare):
            manager.close()


async def _costs(server: Server, bare: Server, size: Size, sections: Sequence[str]) -> dict[str, dict[str, Cost]]:
    first = await _first_page(server)
    found: dict[str, dict[str, Cost]] = {}
    for door in await doors_of(server):

        def people(kind: Callable[[int, str], Manager] = DOORS[door]) -> list[Manager]:
            return [kind(server.port, first) for _ in range(size.people)]

        async def to_five(manager: Manager) -> None:
            await _forward(manager, TURNS[0] - 1)

        async def back(manager: Manager) -> None:
            await manager.command("back")

        stages = [_Stage(f"{door}-{TURNS[0]}", people(), to_five)]
        for turn in TURNS[1:]:
            stage = _Stage(f"{door}-{turn}", people(), back)
            await _together(stage.ours, lambda manager, turn=turn: _older(manager, turn - size.rounds))  # type: ignore[misc]
            stages.append(stage)
        deep = _Stage(f"{door}-deep", people(), back)
        await _together(deep.ours, lambda manager: _deep(manager, sections, DEEP))
        stages.append(deep)
        for stage in stages:  # once for nothing: what is made at the first call is made
            await stage.round(server, bare)
            stage.spent, stage.spent_bare, stage.presses = 0.0, 0.0, 0
        for _ in range(size.rounds):
            for stage in stages:
                await stage.round(server, bare)
        found[door] = {stage.name.partition("-")[2]: stage.cost for stage in stages}
        for stage in stages:
            stage.close()
    return found


def costs(size: Size, sections: Sequence[str]) -> dict[str, dict[str, Cost]]:
    """Server CPU of a button turn on SQLite, by door and by turn ("5", "50", "500", "deep")."""
    with _folder() as folder, processes.autodiag(folder) as server:
        asyncio.run(_some(server))
        with processes.bare(folder, None, plan_of(_sqlite(folder))) as bare:
            return asyncio.run(_costs(server, bare, size, sections))


async def _some(server: Server) -> None:
    manager = OnTheWeb(server.port, await _first_page(server))
    await _forward(manager, 12)
    manager.close()


async def _pace(make: Callable[[], Manager], people: int, seconds: float) -> Pace:
    """So many managers press as fast as they are answered, each a new conversation after a dozen answers."""
    waits: list[float] = []
    began = time.perf_counter()
    counts_from, until = began + min(1.0, seconds / 4), began + min(1.0, seconds / 4) + seconds

    async def one() -> None:
        manager = make()
        turns = 0
        while (now := time.perf_counter()) < until:
            await (manager.press() if turns % 12 else manager.begin())
            turns += 1
            if now >= counts_from:
                waits.append(1000 * (time.perf_counter() - now))
        manager.close()

    await asyncio.gather(*(one() for _ in range(people)))
    cut = statistics.quantiles(waits, n=100)
    return Pace(len(waits) / (time.perf_counter() - counts_from), cut[49], cut[98])


async def _paces(server: Server, bare: Server, size: Size) -> dict[str, dict[int, Pace]]:
    first = await _first_page(server)
    doors = await doors_of(server)
    found: dict[str, dict[int, Pace]] = {}
    for people in (1, 16, 64):
        for door in doors:
            sample = DOORS[door](server.port, first)
            await _forward(sample, 6)
            await _keep_page(bare, f"{door}-pace", sample.page)
            body = sample.sent
            sample.close()
            ours = await _pace(lambda d=door: DOORS[d](server.port, first), people, size.seconds)  # type: ignore[misc]
            beside = await _pace(
                lambda d=door, b=body: OfTheBareRoute(bare.port, f"{d}-pace", b),  # type: ignore[misc]
                people,
                size.seconds,
            )
            found.setdefault(door, {})[people] = ours
            found.setdefault(f"{door}, bare", {})[people] = beside
    return found


def paces(size: Size, urls: tuple[str, str] | None = None) -> dict[str, dict[int, Pace]]:
    """Turns a second at 1, 16 and 64 managers; `urls`: of two PostgreSQL databases, else on SQLite."""
    ours, beside = urls or (None, None)
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        server = stack.enter_context(processes.autodiag(folder, ours))
        asyncio.run(_some(server))
        plan = plan_of(ours or _sqlite(folder))
        bare = stack.enter_context(processes.bare(folder / "bare", beside, plan))
        return asyncio.run(_paces(server, bare, size))


def starts_and_memory(size: Size) -> dict[str, float]:
    """Seconds from a second start to the first page (median); MB idle, and after many conversations."""
    with _folder() as folder:
        with processes.autodiag(folder):
            pass
        seconds, idle = [], 0.0
        for _ in range(size.starts):
            with processes.autodiag(folder) as server:
                seconds.append(server.seconds)
                time.sleep(0.5)
                idle = server.memory()
        with processes.autodiag(folder) as server:
            asyncio.run(_has_api(server))
            time.sleep(0.5)
            with_api = server.memory()
        with processes.autodiag(folder) as server:
            asyncio.run(_open_many(server, size.conversations))
            full = server.memory()
    return {"start": statistics.median(seconds), "idle": idle, "api": with_api, "full": full}


async def _open_many(server: Server, conversations: int) -> None:
    first = await _first_page(server)
    left = iter(range(conversations))

    async def one() -> None:
        manager = OnTheWeb(server.port, first)
        for _ in left:
            await manager.begin()
            await manager.press()
        manager.close()

    await asyncio.gather(*(one() for _ in range(16)))


def slow_3g(executable: str, starts: int) -> dict[str, float]:
    """Chromium on slow 3G (400 ms, 400 kbit/s), a fresh one each time: bytes and seconds to the first question."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    seconds: list[float] = []
    answered: list[float] = []
    sizes: dict[str, int] = {}
    with _folder() as folder, processes.autodiag(folder) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        for _ in range(starts):
            page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
            devtools = page.context.new_cdp_session(page)
            devtools.send("Network.enable")
            devtools.send("Network.emulateNetworkConditions", slow)
            names: dict[str, str] = {}
            wire: dict[str, int] = {}

            def named(told: Any, names: dict[str, str] = names) -> None:
                names[told["requestId"]] = told["type"].lower()

            def finished(told: Any, names: dict[str, str] = names, wire: dict[str, int] = wire) -> None:
                wire[names[told["requestId"]]] = int(told["encodedDataLength"])

            devtools.on("Network.responseReceived", named)
            devtools.on("Network.loadingFinished", finished)
            began = time.perf_counter()
            page.goto(f"http://localhost:{server.port}/?par=direct", wait_until="commit")
            page.locator('button[name="choice"]').first.wait_for()
            seconds.append(time.perf_counter() - began)
            page.wait_for_load_state("load")
            before = page.locator("main").get_attribute("data-at")
            began = time.perf_counter()
            page.locator('button[name="choice"]').first.click()
            page.wait_for_function("before => document.querySelector('main').dataset.at !== before", arg=before)
            answered.append(time.perf_counter() - began)
            page.wait_for_timeout(100)
            sizes = wire
            page.context.close()
        browser.close()
    named_sizes = {f"bytes_{kind}": float(count) for kind, count in sizes.items()}
    return {"first": statistics.median(seconds), "answer": statistics.median(answered), **named_sizes}
