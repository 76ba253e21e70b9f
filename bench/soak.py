"""`make soak MINUTES=N`: what searches by chance, as long as one likes, and how many cases it reached.

In processes of their own: Telegram's updates in any order, 100,000 odd texts to read, and schedules of kills on both
databases, from SEED= on.
Beside them any conversation at all, with Hypothesis, which keeps what fails in .hypothesis and tries that first.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from bench.processes import ROOT
from tests.dialogue.test_machine import Conversation

PERMUTATIONS = "tests/telegram/test_updates.py::test_any_order_and_any_duplicates_end_as_the_clean_run"
NOISE = "tests/dialogue/test_understanding.py::test_no_noise_raises_and_none_is_recorded"
TEXTS = "100000"
"""Random and adversarial texts to read."""
DATABASES = ("sqlite", "postgresql")
AT_ONCE = 200
"""Conversations between two looks at the clock."""


class Counted(Conversation):
    """Counts the conversations that were played to their end."""

    reached = 0

    def teardown(self) -> None:
        super().teardown()
        Counted.reached += 1


def main() -> None:
    """All until the time is over; exit code 1 when one found a fault, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=1000, help="the first schedule, as the last run said")
    given = parser.parse_args()
    python, minutes = sys.executable, str(given.minutes)
    beside = {
        "Telegram": _started([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", PERMUTATIONS], minutes),
        "typed French": _started([python, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", NOISE], minutes),
        **{
            kind: _started([python, "-m", "bench.schedules", kind, minutes, "--seed", str(given.seed)], minutes)
            for kind in DATABASES
        },
    }
    failed = False
    try:
        search(given.minutes)
    except BaseException:
        failed = True
        raise
    finally:
        print(f"conversations: {Counted.reached:,} reached", flush=True)
        for name, process in beside.items():
            said = process.communicate()[0]
            failed = failed or process.returncode != 0
            print(f"{name}: {_short(said) if process.returncode == 0 else said}", flush=True)
    sys.exit(failed)


def _started(command: list[str], minutes: str) -> subprocess.Popen[str]:
    environment = os.environ | {"SOAK_MINUTES": minutes, "RELIABILITY_SLOWNESS": "20", "FUZZ_TEXTS": TEXTS}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _short(said: str) -> str:
    """The line that counts, of all that was said."""
    return str(re.findall(r"(?:soak|sqlite|postgresql): (\d.*)", said)[-1])


def search(minutes: float) -> None:
    """Conversations until the time is over; raises what Hypothesis found."""
    rules = hypothesis.settings(derandomize=False, deadline=None, max_examples=AT_ONCE, stateful_step_count=25)
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        run_state_machine_as_test(Counted, settings=rules)


if __name__ == "__main__":
    main()
