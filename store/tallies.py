"""Totals that outlive the conversations they count: how many milestones were reached, by door, and nothing else.

One rule: a turn adds to them in its own transaction, one statement, and only when it reaches a milestone; never for a
trial. No date, branch or campaign stands beside a count, so nothing here can be traced to a firm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from store.tables import tallies


def add(tx: Connection, door: str, reached: Sequence[str]) -> None:
    """Count these milestones for this door: begun, restarted, short_done, done, tutorial_done, visit_wanted/CHOICE."""
    rows = [{"door": door, "milestone": name, "n": n} for name, n in sorted(Counter(reached).items())]
    insert = (sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert)(tallies).values(rows)
    more = {"n": tallies.c.n + insert.excluded.n}
    tx.execute(insert.on_conflict_do_update(index_elements=[tallies.c.door, tallies.c.milestone], set_=more))


def totals(tx: Connection) -> dict[tuple[str, str], int]:
    """How many, by door and milestone."""
    return {(row.door, row.milestone): row.n for row in tx.execute(select(tallies))}
