"""`python -m bench.mutations`: takes one safety away at a time, in a copy of the tree, and sees tests turn red.

Each selection of tests is green on the untouched copy first, and must then fail (not err) without the safety. Exit code
1 when one stays green: the tests would not notice that it is gone. Names given as arguments run those alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT

KILLED = "tests/reliability/test_killed_everywhere.py"
POINTS = "*commit|after insert inbox|after insert facts|before telegram.show*"
"""Where the server is killed here: a few of the points, to be quick."""
_FAILED = 1
"""What pytest ends with when tests failed; anything else than that and 0 is a mistake of ours."""


@dataclass(frozen=True)
class Mutation:
    """One safety. `was`, `becomes`: its lines, and what stands in their place; `seen_by`: tests, each to turn red."""

    name: str
    file: str
    was: str
    becomes: str
    seen_by: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "inbox claim",
        "store/inbox.py",
        "    return tables.insert_once(tx, tables.inbox, door=door, digest=digest, received_on=today)",
        "    tables.insert_once(tx, tables.inbox, door=door, digest=digest, received_on=today)\n    return True",
        ("tests/bot/test_turn.py -k same_message_twice", "tests/reliability/test_schedules.py -k sqlite"),
    ),
    Mutation(
        "lock of the conversation",
        "store/conversations.py",
        "_LOCKED = _WANTED.with_for_update()",
        "_LOCKED = _WANTED",
        (
            "tests/store/test_postgresql.py -k locked_conversation",
            "tests/bot/test_turn.py -k two_devices_that_press_at_once",
        ),
    ),
    Mutation(
        "lock of the SQLite file's owner",
        "store/engine.py",
        "            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "            pass",
        ("tests/store/test_open.py -k two_servers_on_one_file", "tests/bot/test_several_processes.py -k second_server"),
    ),
    Mutation(
        "transaction, SQLite",
        "store/engine.py",
        "    return engine\n\n\ndef _postgresql_engine",
        '    @event.listens_for(engine, "after_cursor_execute")\n'
        "    def alone(connection: Connection, *_: object) -> None:\n"
        "        raw = _sqlite(connection)\n"
        "        if raw is not None:\n"
        '            raw.execute("COMMIT")\n'
        "            raw.execute(begin)\n\n"
        "    return engine\n\n\ndef _postgresql_engine",
        ("tests/store/test_killed.py -k sqlite", f"{KILLED} -k sqlite"),
    ),
    Mutation(
        "transaction, PostgreSQL",
        "store/engine.py",
        "    return create_engine(url, pool_size=2 * _THREADS,",
        '    return create_engine(url, isolation_level="AUTOCOMMIT", pool_size=2 * _THREADS,',
        ("tests/store/test_killed.py -k postgresql", f"{KILLED} -k postgresql"),
    ),
    Mutation(
        "lease: it never begins",
        "store/outbox.py",
        '"until": now + lease,',
        '"until": now,',
        ("tests/store/test_outbox.py -k one_at_a_time", "tests/store/test_conversations.py -k taker_died"),
    ),
    Mutation(
        "lease: it never ends",
        "store/outbox.py",
        '"until": now + lease,',
        '"until": now + 9999 * lease,',
        ("tests/store/test_conversations.py -k taker_died", f"{KILLED} -k postgresql"),
    ),
    Mutation(
        "expiry",
        "store/outbox.py",
        '    expired = row["expires_at"] is not None and row["expires_at"] <= now',
        "    expired = False",
        ("tests/store/test_outbox.py -k time_has_passed", "tests/bot/test_worker.py -k time_has_passed"),
    ),
    Mutation(
        "revision of the button",
        "bot/turn.py",
        "        if revision is not None and revision != loaded.revision:",
        "        if False:",
        ("tests/bot/test_turn.py -k old_button",),
    ),
    Mutation(
        "COMMIT before the answer",
        "store/engine.py",
        "                answers = [_alone(tx, one, together=len(batch) > 1) for one in batch]",
        "                for one in batch:\n"
        "                    _alone(tx, one, together=len(batch) > 1)()\n"
        "                threading.Event().wait(0.2)\n"
        "                answers: list[partial[None]] = []",
        (f"{KILLED} -k sqlite",),
    ),
    Mutation(
        "erasure journal at the start",
        "store/open.py",
        "        brought_back = db.write(lambda tx: journal.replay(tx, keyring))",
        "        brought_back = 0",
        ("tests/store/test_conversations.py -k restored_backup", "tests/reliability/test_trouble.py -k backup"),
    ),
)


def main() -> None:
    """Every mutation, or those named."""
    wanted = [each for each in MUTATIONS if not sys.argv[1:] or any(name in each.name for name in sys.argv[1:])]
    survived = 0
    with tempfile.TemporaryDirectory(prefix="autodiag-mutations-") as name:
        tree = Path(name) / "tree"
        ignored = shutil.ignore_patterns(
            ".venv", ".git", "data", "__pycache__", ".hypothesis", ".mypy_cache", ".*_cache"
        )
        shutil.copytree(ROOT, tree, ignore=ignored)
        for selection in dict.fromkeys(seen for each in wanted for seen in each.seen_by):
            code, seconds = _tests(tree, selection)
            print(
                f"untouched: {'green' if code == 0 else f'NOT GREEN ({code})'}, {seconds:.0f} s: {selection}",
                flush=True,
            )
            survived += code != 0
        for each in wanted:
            with _without(tree, each):
                for selection in each.seen_by:
                    code, seconds = _tests(tree, selection)
                    said = "red" if code == _FAILED else f"STILL GREEN ({code})" if code == 0 else f"BROKEN ({code})"
                    print(f"without {each.name}: {said}, {seconds:.0f} s: {selection}", flush=True)
                    survived += code != _FAILED
    print(f"{len(wanted)} safeties taken away, {survived} not seen", flush=True)
    sys.exit(1 if survived else 0)


@contextmanager
def _without(tree: Path, mutation: Mutation) -> Iterator[None]:
    file = tree / mutation.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(mutation.was) != 1:
        raise SystemExit(f"{mutation.name}: its lines are not found once in {mutation.file}; mend bench/mutations.py")
    file.write_text(whole.replace(mutation.was, mutation.becomes), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(whole, encoding="utf-8")


def _tests(tree: Path, selection: str) -> tuple[int, float]:
    """Run tests of the copy until the first failure; what pytest ended with, and how long it took."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *selection.split()]
    found = subprocess.run(
        command,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "RELIABILITY_POINTS": POINTS},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return found.returncode, time.monotonic() - began


if __name__ == "__main__":
    main()
