"""`python -m bench [--short]`: measures, prints, and rewrites the figures of docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import measures, telegram
from bench.measures import DEEP, FULL, SHORT, TURNS, Cost, Pace, Size
from bot.content import load_content
from tests import postgresql

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures: rewritten by make bench -->\n", "<!-- end of figures -->\n"


def main() -> None:
    """Measure everything, one thing at a time."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer rounds: about three minutes, rougher figures")
    size = SHORT if parser.parse_args().short else FULL
    began = time.monotonic()
    lines = list(_report(size))
    lines.append(f"The whole bench took {(time.monotonic() - began) / 60:.0f} minutes.")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after, encoding="utf-8")


def _report(size: Size) -> Iterator[str]:
    for line in _lines(size):
        print(line, flush=True)
        yield line


def _lines(size: Size) -> Iterator[str]:
    yield f"{_machine()}  "
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}, load {os.getloadavg()[0]:.1f} at first.  "
    yield f"Command: `{'python -m bench --short' if size is SHORT else 'make bench'}`"
    yield from _starts(size)
    yield from _costs(size)
    yield from _paces(size)
    yield from _telegram(size)
    yield from _network(size)


def _starts(size: Size) -> Iterator[str]:
    found = measures.starts_and_memory(size)
    yield ""
    yield "| start and memory, SQLite | | bar |"
    yield "|---|---|---|"
    yield f"| from a second start to the first page, median of {size.starts} | {found['start']:.2f} s | ≤ 2 s |"
    yield f"| resident, idle after the first page | {found['idle']:.0f} MB | ≤ 150 MB |"
    yield f"| resident, idle, after a first call of the API | {found['api']:.0f} MB | ≤ 150 MB |"
    yield f"| resident after {size.conversations:,} conversations of two turns | {found['full']:.0f} MB | |"


def _costs(size: Size) -> Iterator[str]:
    sections = [section.id for section in load_content().flow.sections if section.asks == "short"]
    found = measures.costs(size, sections)
    yield ""
    yield "| server CPU of a button turn, SQLite | turn | ours, ms | bare, ms | ratio (bar ≤ 2) | page, bytes |"
    yield "|---|---|---|---|---|---|"
    names = {**{str(turn): f"{turn}" for turn in TURNS}, "deep": f"{DEEP}, all answers new"}
    for door, costs in found.items():
        for key, name in names.items():
            cost: Cost = costs[key]
            yield f"| {door} | {name} | {cost.ours:.2f} | {cost.bare:.2f} | {cost.ratio:.2f} | {cost.page:,} |"
    yield ""
    for door, costs in found.items():
        first, last = costs[str(TURNS[0])], costs[str(TURNS[-1])]
        change = 100 * (last.ratio / first.ratio - 1)
        yield f"Flat from turn {TURNS[0]} to {TURNS[-1]} (bar: within 10 %), {door}: {change:+.0f} % on the ratio.  "


def _paces(size: Size) -> Iterator[str]:
    yield ""
    yield "| turns a second | managers | ours | p50, ms | p99, ms | bare | p50, ms | p99, ms | ours / bare |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from _pace_rows("SQLite", measures.paces(size))
    try:
        with postgresql.running(durable=True) as server, server.database() as ours, server.database() as bare:
            yield from _pace_rows("PostgreSQL", measures.paces(size, (ours, bare)))
    except postgresql.NotHere as missing:
        yield f"| PostgreSQL: {missing} | | | | | | | | |"


def _pace_rows(database: str, found: dict[str, dict[int, Pace]]) -> Iterator[str]:
    for door in [name for name in found if not name.endswith("bare")]:
        for people, ours in found[door].items():
            bare = found[f"{door}, bare"][people]
            shown = " | ".join(f"{each.turns:.0f} | {each.p50:.1f} | {each.p99:.0f}" for each in (ours, bare))
            yield f"| {database}, {door} | {people} | {shown} | {ours.turns / bare.turns:.2f} |"


def _telegram(size: Size) -> Iterator[str]:
    found = telegram.webhook(size.chats, size.chat_seconds)
    yield ""
    yield f"| Telegram's webhook, SQLite, {size.chats} chats, {size.chat_seconds:.0f} s | | bar |"
    yield "|---|---|---|"
    yield f"| updates a second | {found.pace:.1f} | 50 |"
    yield f"| from an update's moment to its 200, p50 | {found.p50:.1f} ms | |"
    yield f"| … p95 | {found.p95:.1f} ms | < 300 ms |"
    yield f"| … p99 | {found.p99:.1f} ms | |"
    yield f"| … the slowest | {found.slowest:.0f} ms | |"
    told = f"{found.updates:,} ({found.old} presses on an old button, {found.twice} brought twice)"
    yield f"| updates answered 200 | {told} | |"
    yield f"| deliveries not answered 200, brought again | {found.again} | |"
    yield f"| turns lost | {found.lost} | 0 |"
    yield f"| chats that do not show their present turn in the end | {found.behind} | 0 |"
    yield f"| left in the outbox in the end, or given up | {found.left} | 0 |"
    yield f"| calls that Telegram refuses as badly made | {found.broken} | 0 |"
    yield f"| calls told to come a second later (429) | {found.too_fast} | |"
    yield f"| messages to chats, a second | {found.shown:.1f} | ≤ 30 |"
    yield f"| shows that wait in the outbox at the last update | {found.waiting} | |"
    yield f"| from the last update to an empty outbox | {found.drained:.1f} s | |"


def _network(size: Size) -> Iterator[str]:
    chromium = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    yield ""
    if chromium is None:
        yield "Slow 3G was not measured: Chromium is not installed."
        return
    found = measures.slow_3g(chromium, size.starts)
    kinds = {"document": "first page", "script": "script", "image": "mark", "fetch": "answer to a button"}
    yield f"| slow 3G (400 ms, 400 kbit/s), Chromium, median of {size.starts} | | bar |"
    yield "|---|---|---|"
    yield f"| from the direct link to the first question | {found['first']:.2f} s | ≤ 2.5 s |"
    yield f"| from a button to the next question | {found['answer']:.2f} s | |"
    for key, name in kinds.items():
        if size_of := found.get(f"bytes_{key}"):
            yield f"| {name}, bytes on the wire | {size_of:,.0f} | {'≤ 15 kB' if key == 'document' else ''} |"


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python {platform.python_version()}"


def _commit() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
