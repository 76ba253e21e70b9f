"""Several `autodiag serve` on one PostgreSQL, as real processes: one conversation, one lock, nothing lost or doubled.

On SQLite a second one is refused with a sentence.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from bot.content import Content
from bot.house import House, open_house
from bot.settings import Settings
from dialogue import engine, sessions
from dialogue.events import RECORD
from store import conversations, ways

on_postgresql = pytest.mark.databases("postgresql", because="one process owns a SQLite file")


@dataclass
class Serving:
    """One `autodiag serve`."""

    address: str
    process: subprocess.Popen[str]

    def wait(self) -> None:
        for _ in range(1600):  # a start takes three seconds of processor, on a machine that may be busy
            assert self.process.poll() is None, self.process.communicate()[1]
            try:
                if httpx.get(f"{self.address}/readyz", verify=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail("the server does not answer")


@pytest.fixture
def serve(settings: Settings, tmp_path: Path) -> Iterator[Callable[[], Serving]]:
    """Starts servers on this database, each on a port of its own, without waiting for them."""
    with ExitStack() as stack:

        def start() -> Serving:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            environment = os.environ | {"AUTODIAG_PORT": str(port), "AUTODIAG_HOST": "127.0.0.1"}
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bot.cli", "serve"],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return Serving(f"http://127.0.0.1:{port}", process)

        yield start


@dataclass
class Manager:
    """Somebody whose requests may reach any of the servers: the cookie is theirs, the page is what they last saw."""

    cookies: dict[str, str] = field(default_factory=dict)
    page: str = ""

    def choice(self, place: int = 0) -> dict[str, str]:
        """The form that presses the choice at this place, of the question being asked."""
        before = self.page[: self.page.index('name="choice"')]
        hidden = {name: re.findall(rf'name="{name}" value="([^"]*)"', before) for name in ("node", "revision")}
        choices = re.findall(r'name="choice" value="([^"]*)"', self.page)
        form = {name: values[-1] for name, values in hidden.items() if values}
        return form | {"id": secrets.token_urlsafe(18), "choice": choices[place]}

    def send(self, server: Serving, form: dict[str, str]) -> httpx.Response:
        answer = httpx.post(
            f"{server.address}/autodiag",
            data=form,
            cookies=self.cookies,
            headers={"X-Requested-With": "fragment", "Origin": server.address},
            verify=False,
            timeout=30,
        )
        self.cookies |= dict(answer.cookies)
        if answer.status_code in (200, 409):
            self.page = answer.text
        return answer

    def begin(self, server: Serving) -> None:
        self.page = httpx.get(f"{server.address}/", verify=False).text
        first = {"debut": "1", **self.choice()}
        assert self.send(server, first).status_code == 200

    @property
    def token(self) -> str:
        return next(iter(self.cookies.values()))


def kept(house: House, manager: Manager) -> tuple[int, dict[str, str], dict[str, str]]:
    """The revision, the answers of the snapshot, and those that the log of facts replays to."""

    def work(tx: object) -> tuple[int, dict[str, str], dict[str, str]]:
        way = ways.look_up(tx, house.store.keyring, manager.token, house.today())  # type: ignore[arg-type]
        assert way is not None
        found = conversations.load(tx, house.store.keyring, way.conversation, lock=False)  # type: ignore[arg-type]
        assert found is not None
        replayed = engine.begin(house.flow)
        for fact in conversations.facts_of(tx, found):  # type: ignore[arg-type]
            replayed = engine.step(house.flow, replayed, RECORD.validate_json(fact).event).session
        return found.revision, dict(sessions.load(found.snapshot).autodiag.answers), dict(replayed.answers)

    return house.store.db.read(work)


@pytest.fixture
def beside(settings: Settings, content: Content, serve: Callable[[], Serving]) -> Iterator[Callable[[], House]]:
    """Opens the same database beside the servers, to look."""
    with ExitStack() as stack:

        def look() -> House:
            house = open_house(settings, content=content)
            stack.callback(house.store.close)
            return house

        yield look


@on_postgresql
def test_two_servers_share_every_conversation_and_one_killed_stops_nobody(
    serve: Callable[[], Serving], beside: Callable[[], House]
) -> None:
    servers = [serve(), serve()]  # started at once
    for server in servers:
        server.wait()

    managers = [Manager() for _ in range(8)]
    told: dict[int, dict[str, str]] = {n: {} for n in range(len(managers))}
    killed, begun = threading.Event(), threading.Barrier(len(managers))

    def answers(n: int) -> None:
        """Twelve questions, each asked of one server and answered at the other; then, one being dead, of the living."""
        manager = managers[n]
        manager.begin(servers[n % 2])
        begun.wait(60)  # nobody begins at a server that is dead
        for turn in range(12):
            if n == 0 and turn == 6:
                servers[1].process.kill()
                killed.set()
            form = manager.choice(turn % 2)
            try:
                answer = manager.send(servers[(n + turn) % 2], form)
            except httpx.TransportError:  # killed under us: the same form, again, to the other one
                assert killed.wait(10)
                answer = manager.send(servers[0], form)
            assert answer.status_code == 200
            told[n][form["node"]] = form["choice"]

    with ThreadPoolExecutor(len(managers)) as pool:
        list(pool.map(answers, range(len(managers))))

    house = beside()
    for n, manager in enumerate(managers):
        revision, answered, replayed = kept(house, manager)
        assert told[n].items() <= answered.items()
        assert answered == replayed
        assert revision == len(answered) == len(told[n]) + 1


@on_postgresql
def test_a_conversation_pressed_on_two_servers_at_once_takes_one_answer(
    serve: Callable[[], Serving], beside: Callable[[], House]
) -> None:
    servers = [serve(), serve()]
    for server in servers:
        server.wait()
    manager = Manager()
    manager.begin(servers[0])
    taken = 0
    with ThreadPoolExecutor(4) as pool:
        for _ in range(8):
            forms = [manager.choice(0), manager.choice(1), manager.choice(1)]
            others = [Manager(dict(manager.cookies), manager.page) for _ in forms]
            sent = [pool.submit(o.send, servers[n % 2], f) for n, (o, f) in enumerate(zip(others, forms, strict=True))]
            statuses = sorted(one.result().status_code for one in sent)
            said = [one.result().text for one in sent]
            assert statuses in ([200, 409, 409], [200, 200, 409])  # the same choice twice is nothing to complain of
            taken += 1  # a page that shows a later revision shows the one answer taken
            manager.page = next(page for page in said if f'name="revision" value="{taken + 1}"' in page)
    revision, answered, replayed = kept(beside(), manager)
    assert revision == taken + 1 == len(answered)
    assert answered == replayed


@on_postgresql
def test_what_the_bot_says_first_reaches_a_chat_open_on_any_server(
    serve: Callable[[], Serving], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left after one answer, the chat is open on two servers; days pass; whichever worker speaks, both are told."""
    offset = tmp_path / "seconds"
    monkeypatch.setenv("AUTODIAG_TEST", "1")
    monkeypatch.setenv("AUTODIAG_TEST_CLOCK", str(offset))
    servers = [serve(), serve()]
    for server in servers:
        server.wait()
    manager = Manager()
    manager.begin(servers[0])
    told: list[str] = []
    listening = threading.Barrier(3)

    def hears(server: Serving) -> None:
        address = f"{server.address}/autodiag/nouvelles?t=1"
        with httpx.stream("GET", address, cookies=manager.cookies, timeout=30) as stream:
            lines = (line for line in stream.iter_lines() if line)
            assert next(lines).startswith("retry")
            listening.wait(60)
            told.append(next(line for line in lines if line.startswith("data")))

    with ThreadPoolExecutor(2) as pool:
        heard = [pool.submit(hears, server) for server in servers]
        listening.wait(60)
        for days in range(2, 8):  # the first of these that is neither a Sunday nor a holiday
            then = datetime.now(PARIS).replace(hour=11, minute=0) + timedelta(days=days)
            offset.write_text(str((then - datetime.now(PARIS)).total_seconds()))
            wait(heard, timeout=4)
            if all(one.done() for one in heard):
                break
        for one in heard:
            one.result(timeout=30)
    assert told == ["data: 2", "data: 2"]
    page = httpx.get(f"{servers[1].address}/autodiag", cookies=manager.cookies).text
    assert 'name="revision" value="2"' in page


PARIS = ZoneInfo("Europe/Paris")


@on_postgresql
def test_workers_alone_share_what_is_due_and_stop_when_told(settings: Settings, beside: Callable[[], House]) -> None:
    house = beside()
    with ExitStack() as stack:
        command = [sys.executable, "-m", "bot.cli", "worker"]
        workers = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for one in workers:
            stack.callback(one.kill)
        for one in workers:
            assert one.stdout
            assert one.stdout.readline() == "Le travail de fond est en marche.\n"

        def purged() -> list[tuple[Any, ...]]:
            asked = "select claims, state from outbox where kind = 'purge' and due_at > now()"
            return [tuple(row) for row in house.store.db.read(lambda tx: tx.exec_driver_sql(asked).all())]

        for _ in range(1200):
            if purged():
                break
            time.sleep(0.05)
        assert purged() == [(1, "waiting")]  # done once by one of them, then set an hour on
        for one in workers:
            one.terminate()
        said = [one.communicate(timeout=60)[1] for one in workers]
        assert [one.returncode for one in workers] == [0, 0], said


@pytest.mark.databases("sqlite", because="any number of processes serve one PostgreSQL")
def test_a_second_server_of_one_file_is_refused_with_a_sentence(serve: Callable[[], Serving]) -> None:
    first = serve()
    first.wait()
    second = serve().process
    _, said = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "Autodiag sert déjà cette base" in said
    assert f"dans le processus {first.process.pid}" in said
    assert httpx.get(f"{first.address}/readyz").status_code == 200
