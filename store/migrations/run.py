"""How migrations run: the guards around Alembic. Called by `upgrade` only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, func, inspect, select, table, text

from store.engine import Database
from store.migrations import MigrationProblem, stored_revision

_LOCK = 7266180  # any number of ours: one process migrates a PostgreSQL database at a time


def config(scripts: Path) -> Config:
    """Alembic's configuration, without any file."""
    made = Config()
    made.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return made


def run(db: Database, scripts: Path) -> None:
    """Upgrade to the newest revision in one transaction, and refuse to commit if rows were lost.

    On PostgreSQL other processes may serve meanwhile: they wait, so that rows that come and go do not look lost.
    """
    settings = config(scripts)
    with db.migrating() as tx:
        if not db.is_sqlite:
            tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _known(tx, settings):  # another process did it while this one waited
            return
        if not db.is_sqlite:
            for name in _names(tx):
                tx.execute(text(f'LOCK TABLE "{name}" IN ACCESS EXCLUSIVE MODE'))
        before = _counts(tx)
        settings.attributes["connection"] = tx
        with _triggers_aside(tx):
            command.upgrade(settings, "head")
        _check(tx, before)


@contextmanager
def _triggers_aside(tx: Connection) -> Iterator[None]:
    """SQLite rebuilds a table under another name: a trigger that reads it stops that, and those on it are dropped.

    So they are put aside and back. One that a migration makes again under its name replaces the old one.
    """
    if tx.dialect.name != "sqlite":
        yield
        return
    listed = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    kept = {str(row.name): str(row.sql) for row in tx.execute(listed).all()}
    for name in kept:
        tx.execute(text(f'DROP TRIGGER "{name}"'))
    yield
    made = {str(row.name) for row in tx.execute(listed).all()}
    for name, statement in kept.items():
        if name not in made:
            tx.exec_driver_sql(statement)


def _known(tx: Connection, settings: Config) -> bool:
    """Whether the newest revision is there already. Raises MigrationProblem for one that these scripts do not know."""
    revision, scripts = stored_revision(tx), ScriptDirectory.from_config(settings)
    try:
        scripts.get_revision(revision or "base")
    except CommandError:
        raise MigrationProblem(
            f"Cette base vient d'une version plus récente d'Autodiag (révision {revision}). "
            "Installez cette version-là, ou restaurez une sauvegarde plus ancienne. Rien n'a été modifié."
        ) from None
    return revision == scripts.get_current_head()


def _names(tx: Connection) -> list[str]:
    return sorted(name for name in inspect(tx).get_table_names() if name != "alembic_version")


def _counts(tx: Connection) -> dict[str, int]:
    return {name: tx.scalar(select(func.count()).select_from(table(name))) or 0 for name in _names(tx)}


def _check(tx: Connection, before: dict[str, int]) -> None:
    after = _counts(tx)
    lost = [name for name, rows in before.items() if name in after and after[name] != rows]
    orphans = tx.execute(text("PRAGMA foreign_key_check")).all() if tx.dialect.name == "sqlite" else []
    if lost or orphans:
        where = ", ".join(lost) or ", ".join(sorted({str(row[0]) for row in orphans}))
        raise MigrationProblem(
            f"La mise à jour de la base aurait perdu des lignes ({where}) : elle a été annulée, rien n'a été modifié. "
            "Gardez la version précédente d'Autodiag et signalez ce message."
        )
