"""Real processes that start in a tenth of a second: a process that has imported the product forks one a start.

What runs is `autodiag serve` (or `worker`) as the command line runs it, in a process of its own, killed like any other;
only the second and a half of imports is not paid again. `launched` starts the command itself, imports and all.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

import bot.api.app
import bot.app
import bot.house
import bot.serve
import bot.telegram.poll
import bot.telegram.show
from bot.cli import app
from bot.content import load_content
from bot.settings import load_settings

ROOT = Path(__file__).parent.parent.parent
SLOWNESS = float(os.environ.get("RELIABILITY_SLOWNESS", "1"))
"""How many times longer than usual to wait before it is a fault: a soak runs behind everything else."""


class Child:
    """A process started; `status` once it has ended: what it exited with, or minus the signal that killed it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self._ended = threading.Event()

    def kill(self) -> None:
        """SIGKILL, unless it is over."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, unless it is over."""
        if self.status is None:
            os.kill(self.pid, signal.SIGTERM)

    def ends(self, status: int) -> None:
        """Called by whoever reaps it."""
        self.status = status
        self._ended.set()

    async def ended(self) -> int:
        """Wait for its end."""
        while self.status is None:
            await asyncio.to_thread(self._ended.wait, 1)
        return self.status


def launched(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
    """The command itself, from nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=log.open("ab"),
    )
    child = Child(process.pid)
    threading.Thread(target=lambda: child.ends(process.wait()), daemon=True).start()
    return child


class Nursery:
    """The parent of the processes, as its user sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._born = threading.Condition(self._lock)
        self._last: Child | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, content: Path | None = None
    ) -> Child:
        """Start `autodiag COMMAND`. `content`: another folder of questions than the product's own."""
        told = {"command": list(command), "environment": dict(environment), "log": str(log)}
        assert self._process.stdin
        with self._starting, self._born:
            self._last = None
            self._process.stdin.write(json.dumps({**told, "content": str(content or "")}) + "\n")
            self._process.stdin.flush()
            self._born.wait_for(lambda: self._last is not None, 60)
            born: Child | None = self._last
            if born is None:
                raise RuntimeError("the nursery does not answer")
            return born

    def close(self) -> None:
        """End the parent, which ends those that live."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)
        self._thread.join(20)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told: dict[str, int] = json.loads(line)
            with self._born:
                if "born" in told:
                    self._last = self._children[told["born"]] = Child(told["born"])
                    self._born.notify_all()
                else:
                    self._children.pop(told["died"]).ends(told["status"])


def main() -> None:
    """The parent: imports everything, then forks a process for each line read, and tells those that end."""
    content = load_content()
    bot.house.load_content = lambda *_: content  # type: ignore[attr-defined]
    _remember_templates()
    _warm_up()
    gc.collect()
    gc.freeze()  # the children share what is here, and do not look through it
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    told, living = b"", set[int]()
    while True:
        ready = select.select([0, reading], [], [])[0]
        if reading in ready:
            os.read(reading, 4096)
            for pid, status in _reaped():
                living.discard(pid)
                _tell(died=pid, status=status)
        if 0 in ready:
            more = os.read(0, 65536)
            if not more:
                break
            *lines, told = (told + more).split(b"\n")
            for line in lines:
                pid = _fork(json.loads(line), reading, writing)
                living.add(pid)
                _tell(born=pid)
    for pid in living:
        os.kill(pid, signal.SIGKILL)


def _remember_templates() -> None:
    """Compile each template once, in the parent: half of what a start would take."""
    compiled: dict[object, Any] = {}
    really: Any = jinja2.Environment.compile

    def compile(self: jinja2.Environment, source: str, *more: Any, **named: Any) -> Any:  # noqa: A001 — the library's name
        key = (source, more, tuple(named.items()), bool(self.autoescape), self.trim_blocks, self.lstrip_blocks)
        if key not in compiled:
            compiled[key] = really(self, source, *more, **named)
        return compiled[key]

    jinja2.Environment.compile = compile  # type: ignore[method-assign, assignment]


def _warm_up() -> None:
    """Open a house and its doors once, so that whatever is imported late is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings()
        kept = {
            "database_url": f"sqlite:///{folder / 'data' / 'autodiag.db'}",
            "key_file": folder / "keys" / "master.key",
            "erasure_journal": folder / "keys" / "effacements.journal",
        }
        storage = settings.storage.model_copy(update=kept)
        house = bot.house.open_house(settings.model_copy(update={"storage": storage}))
        bot.app.create_app(house)
        bot.house.day_off(house.today())
        house.store.close()


def _tell(**told: int) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _reaped() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _fork(told: dict[str, Any], *ours: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor in ours:
        os.close(descriptor)
    log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, nothing), (1, nothing), (2, log)):
        os.dup2(source, target)
    os.environ.update(told["environment"])
    code = 1
    try:
        code = _run(told["command"], told["content"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(command: list[str], content: str) -> int:
    if content:
        loaded = load_content(Path(content))
        bot.house.load_content = lambda *_: loaded  # type: ignore[attr-defined]
    try:
        app(command, standalone_mode=True)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    main()
