"""How a due job is chosen and taken: the statements of `store.outbox.claim`, made once.

One rule: the choice looks through neither what is settled nor what waits behind something, however long both are.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Select, and_, bindparam, exists, select, update

from store.tables import outbox

TAKEN = "taken"


def head() -> ColumnElement[bool]:
    """Nothing older on the same line is still to be settled."""
    older = outbox.alias("older")
    ahead = and_(older.c.line == outbox.c.line, older.c.id < outbox.c.id, older.c.settled_at.is_(None))
    return ~exists(select(older.c.id).where(ahead))


def take(tx: Connection, of_kinds: bool, given: dict[str, Any]) -> dict[str, Any] | None:
    """The row taken, as it is now, and the state that it was in (`was`); None if nothing is due."""
    first, then = _taking(tx.dialect.name, of_kinds)
    needed = {name: given[name] for name in ("now", "but", *(["kinds"] if of_kinds else ()))}
    if then is None:
        row = tx.execute(first, needed | {"until": given["until"]}).mappings().one_or_none()
        return None if row is None else dict(row)
    chosen = tx.execute(first, needed).one_or_none()
    if chosen is None:
        return None
    taken = tx.execute(then, {"taken": chosen.id, "until": given["until"]}).mappings().one()
    return {**taken, "was": chosen.state}


@cache
def _oldest(of_kinds: bool) -> Select[Any]:
    wanted = select(outbox.c.id, outbox.c.state).where(
        outbox.c.settled_at.is_(None), outbox.c.next_at <= bindparam("now"), head()
    )
    if of_kinds:
        wanted = wanted.where(outbox.c.kind.in_(bindparam("kinds", expanding=True)))
    wanted = wanted.where(outbox.c.id.not_in(bindparam("but", expanding=True)))
    return wanted.order_by(outbox.c.next_at, outbox.c.id).limit(1)


@cache
def _taking(dialect: str, of_kinds: bool) -> tuple[Executable, Executable | None]:
    """One statement on PostgreSQL, where the choice must be made once (MATERIALIZED) and skip what others choose.

    Two on SQLite, where BEGIN IMMEDIATE keeps others out.
    """
    mark = {
        "attempts": outbox.c.attempts + 1,
        "claims": outbox.c.claims + 1,
        "next_at": bindparam("until"),
        "state": TAKEN,
    }
    if dialect == "sqlite":
        return _oldest(of_kinds), update(outbox).where(outbox.c.id == bindparam("taken")).values(mark).returning(outbox)
    chosen = _oldest(of_kinds).with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED")
    taken = update(outbox).where(outbox.c.id == chosen.c.id).values(mark)
    return taken.returning(*outbox.c, chosen.c.state.label("was")), None
