"""Is this database whole? What `autodiag db check` tells: revision, tables, key, and the file itself on SQLite.

Reads only, and makes nothing: neither a file, nor a key, nor a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, exc, text

from store import migrations
from store.engine import Database, Unavailable
from store.keys import KeyProblem, Keyring
from store.open import fits, seal_of


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, as a French sentence that says what to do when it is not `fine`."""

    fine: bool
    sentence: str


def check(url: str, key_file: Path, declared: MetaData) -> Iterator[Finding]:
    """Look at one thing after another; stop where the next would make no sense. `declared`: the tables of all rooms."""
    db = Database(url)
    try:
        yield from _check(db, key_file, declared)
    except Unavailable as error:
        yield Finding(False, str(error))
    finally:
        db.close()


def _check(db: Database, key_file: Path, declared: MetaData) -> Iterator[Finding]:
    if db.path is not None and not db.path.exists():
        yield Finding(False, f"La base {db.path} n'existe pas encore. Lancez : autodiag db upgrade")
        return
    if db.is_sqlite:
        sound = _soundness(db)
        yield sound
        if not sound.fine:
            return
    revision = db.read(migrations.stored_revision)
    if revision != migrations.HEAD:
        stands = f"à la révision {revision}" if revision else "vide"
        yield Finding(False, f"La base est {stands}, et il faut {migrations.HEAD}. Lancez : autodiag db upgrade")
        return
    yield Finding(True, f"Révision {revision}, la dernière.")
    yield db.read(lambda tx: _tables(tx, declared))
    yield db.read(lambda tx: _key(tx, key_file))


def _soundness(db: Database) -> Finding:
    try:
        said = db.read(lambda tx: [str(row[0]) for row in tx.execute(text("PRAGMA integrity_check")).all()])
        orphans = db.read(lambda tx: [str(row[0]) for row in tx.execute(text("PRAGMA foreign_key_check")).all()])
    except exc.DatabaseError as error:
        said, orphans = [str(error.orig)], []
    if said == ["ok"] and not orphans:
        return Finding(True, "Le fichier est sain.")
    found = "; ".join([*said[:3], *(f"{table} : une ligne sans conversation" for table in orphans[:3])])
    return Finding(False, f"Le fichier est abîmé ({found}). Arrêtez Autodiag et restaurez une sauvegarde.")


def _tables(tx: Connection, declared: MetaData) -> Finding:
    from alembic.autogenerate import compare_metadata  # slow to import, and needed here only
    from alembic.migration import MigrationContext

    different = compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), declared)
    if not different:
        return Finding(True, f"Les {len(declared.tables)} tables sont celles que le programme attend.")
    return Finding(
        False,
        f"Les tables ne sont pas celles que le programme attend ({len(different)} différences, d'abord : "
        f"{_named(different[0])}). Restaurez une sauvegarde, ou signalez ce message.",
    )


def _named(difference: object) -> str:
    """A difference as Alembic says it, in short: a tuple, or a list of tuples for one column."""
    first = difference[0] if isinstance(difference, list) else difference
    return ", ".join(str(part) for part in first[:4]) if isinstance(first, tuple) else str(first)


def _key(tx: Connection, key_file: Path) -> Finding:
    sealed, left = seal_of(tx)
    try:
        keyring = Keyring.open(key_file, may_create=False)
    except KeyProblem as problem:
        if not sealed and not key_file.exists():
            return Finding(True, "La base est neuve : sa clé sera créée au premier démarrage.")
        return Finding(False, str(problem))
    if sealed and not fits(keyring, left):
        return Finding(False, f"La clé {key_file} n'est pas celle qui a chiffré cette base. Remettez la bonne clé.")
    return Finding(True, "La clé est celle de cette base." if sealed else "La base est neuve, sa clé est prête.")
