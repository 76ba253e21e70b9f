"""Fault points: the places where a test has this very process killed, to see what the next one finds.

One rule: nothing is armed but by `arm`, which the command line calls under the test setting alone. Unarmed, no listener
hangs on the database and a turn passes no point at all. Statements that write and COMMITs are points by themselves;
what is done outside a transaction names its own.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

_WRITES = re.compile(r"\s*(INSERT)\s+INTO\s+(\w+)|\s*(UPDATE)\s+(\w+)|\s*(DELETE)\s+FROM\s+(\w+)", re.IGNORECASE)


class Plan:
    """When to die, read from a file at each point: `PATTERN N`, the N-th pass from now of a point so named.

    The file may be written at any time, and beside it (`.passed`) stands the name of each point passed.
    """

    def __init__(self, file: Path, die: Callable[[], None] | None = None) -> None:
        self._file = file
        self._die = die or _die
        self._lock = threading.Lock()
        self._read = ""
        self._left = 0

    def passes(self, name: str) -> None:
        """Pass a point, or die there."""
        with self._lock:
            wanted = self._wanted()
            pattern, _, number = wanted.rpartition(" ")
            if wanted != self._read:
                self._read, self._left = wanted, int(number or 0)
            with self._file.with_suffix(".passed").open("a") as passed:
                passed.write(f"{name}\n")
            if pattern and fnmatchcase(name, pattern):
                self._left -= 1
                if self._left == 0:
                    self._die()

    def _wanted(self) -> str:
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return ""


_armed: Plan | None = None


def arm(plan: Plan | None) -> None:
    """Follow this plan from now on, in databases opened from now on; None: nothing any more."""
    global _armed  # noqa: PLW0603 — one process, one plan
    _armed = plan


def point(name: str) -> None:
    """A place outside any statement: before and after something leaves, when the server answers…"""
    if _armed is not None:
        _armed.passes(name)


def watch(engine: Engine) -> None:
    """Make every write of this engine a point: before and after each statement, before COMMIT, after COMMIT."""
    if _armed is None:
        return
    plan = _armed

    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        if name := _named(statement):
            plan.passes(f"before {name}")

    def after(_: Any, __: Any, statement: str, *___: Any) -> None:
        if name := _named(statement):
            plan.passes(f"after {name}")

    wrote = threading.local()

    def committing(connection: Connection) -> None:
        if not connection.get_execution_options().get("postgresql_readonly"):
            plan.passes("before commit")
            wrote.here = True

    def committed(*_: Any) -> None:
        if getattr(wrote, "here", False):
            wrote.here = False
            plan.passes("after commit")

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "commit", committing)
    event.listen(engine, "reset", committed)  # the connection goes back to the pool, before anybody is answered


def _named(statement: str) -> str:
    """The verb and the table of a statement that writes; empty for the others."""
    found = _WRITES.match(statement)
    return " ".join(part.lower() for part in found.groups() if part) if found else ""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
