"""`make soak MINUTES=N`: what searches by chance, as long as one likes, and how many cases it reached.

Telegram's updates in any order, in a process of their own; beside it any conversation at all, with Hypothesis, which
keeps what fails in .hypothesis and tries it first the next time.
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
AT_ONCE = 200
"""Conversations between two looks at the clock."""


class Counted(Conversation):
    """Counts the conversations that were played to their end."""

    reached = 0

    def teardown(self) -> None:
        super().teardown()
        Counted.reached += 1


def main() -> None:
    """Both until the time is over; exit code 1 when one found a fault, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    minutes: float = parser.parse_args().minutes
    permutations = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", PERMUTATIONS],
        cwd=ROOT,
        env=os.environ | {"SOAK_MINUTES": str(minutes)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        search(minutes)
    finally:
        print(f"conversations: {Counted.reached:,} reached", flush=True)
        told = permutations.communicate()[0]
        found = re.search(r"soak: (.*)", told)
        print(f"Telegram: {found[1]}" if found and permutations.returncode == 0 else told)
    sys.exit(permutations.returncode)


def search(minutes: float) -> None:
    """Conversations until the time is over; raises what Hypothesis found."""
    rules = hypothesis.settings(derandomize=False, deadline=None, max_examples=AT_ONCE, stateful_step_count=25)
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        run_state_machine_as_test(Counted, settings=rules)


if __name__ == "__main__":
    main()
