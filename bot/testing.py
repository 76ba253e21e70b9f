"""The test setting: what a test alone may ask of a process that serves, by its environment.

One rule: a variable of tests without AUTODIAG_TEST=1, or at a public https address, keeps the process from starting.
"""

from __future__ import annotations

import os
from pathlib import Path

from bot.settings import PREFIX, Settings, SettingsError
from store import faults

TEST = f"{PREFIX}TEST"
FAULTS = f"{TEST}_FAULTS"
"""The file that says at which write to die: store/faults.py."""


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
