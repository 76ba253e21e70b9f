"""Migrations: one linear history for the tables of every room, run by itself at start.

One rule: rows are never lost by a change of shape. On SQLite foreign keys are off while tables are rebuilt, in one
explicit transaction that ends with a check of foreign keys and a count of rows. Alembic is imported only when needed.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from store.engine import Database

HEAD = "0009"  # the newest file in versions/; a test holds it

_VERSION = table("alembic_version", column("version_num"))


class MigrationProblem(Exception):
    """The database cannot be brought to this version; the message is a French sentence for the operator."""


def upgrade(db: Database) -> bool:
    """Bring the database to HEAD; True if something was done. All or nothing. Raises MigrationProblem."""
    if db.read(stored_revision) == HEAD:
        return False
    from store.migrations.run import run  # alembic costs half a second: only when there is something to do

    run(db, Path(__file__).parent)
    return True


def stored_revision(tx: Connection) -> str | None:
    """The revision this database stands at, or None for a new one."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.scalar(select(_VERSION.c.version_num))
