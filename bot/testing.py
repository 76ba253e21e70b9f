"""The test setting: what a test alone may ask of a process that serves, by its environment.

One rule: a variable of tests without AUTODIAG_TEST=1, or at a public https address, keeps the process from starting.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from bot.settings import PREFIX, Settings, SettingsError
from store import faults
from store.clock import Clock

TEST = f"{PREFIX}TEST"
FAULTS = f"{TEST}_FAULTS"
"""The file that says at which write to die: store/faults.py."""
CLOCK = f"{TEST}_CLOCK"
"""The file of the seconds to add to the time. Written at any moment, it moves every process that has it."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the outbox when the clock may jump."""


def begin(settings: Settings) -> bool:
    """Take the variables of tests; whether there are any. Raises SettingsError where they may not stand."""
    given = sorted(name for name in os.environ if name.startswith(TEST))
    if not given:
        return False
    if os.environ.get(TEST) != "1":
        raise SettingsError([f"{given[-1]} ne sert qu'aux essais de fiabilité : retirez cette variable."])
    if settings.server.https:
        raise SettingsError([f"{TEST}=1 est réservé aux essais, pas à un site en https : retirez cette variable."])
    if file := os.environ.get(FAULTS):
        faults.arm(faults.Plan(Path(file)))
    return True


def clock() -> Clock:
    """The clock of the house: moved by a file under the test setting, and never otherwise."""
    file = os.environ.get(CLOCK) if os.environ.get(TEST) == "1" else None
    return Clock(partial(_offset, Path(file))) if file else Clock()


def look_every(usual: float) -> float:
    """How often a worker looks at the outbox: often enough not to sleep through a day that a test makes pass."""
    return min(usual, LOOK_EVERY) if os.environ.get(CLOCK) else usual


def _offset(file: Path) -> timedelta:
    with suppress(OSError, ValueError):
        return timedelta(seconds=float(file.read_text(encoding="ascii")))
    return timedelta(0)
