"""Opening the store in the one right order, so that a wrong start changes nothing.

Key first (a database already sealed never gets a new one), key check before any migration, migrations, then the
erasure journal. Called once by each process at start.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, exists, inspect, select

from store import meta, migrations
from store.engine import Database
from store.journal import Journal
from store.keys import KeyProblem, Keyring
from store.tables import conversations, insert_once
from store.tables import meta as meta_table

_KEY_CHECK = "key_check"


@dataclass(frozen=True, slots=True)
class Store:
    """What a process holds of the store while it runs. `brought_back`: the erased found there, erased again."""

    db: Database
    keyring: Keyring
    journal: Journal
    brought_back: int = 0

    def close(self) -> None:
        """Finish what waits and let go of everything."""
        self.db.close()


def open_store(url: str, key_file: Path, journal_file: Path | None = None, *, own: bool = False) -> Store:
    """Open, create if new, migrate, check the key, replay the journal (by default beside the key).

    `own` is for the process that serves. Raises KeyProblem, JournalMissing, AlreadyOwned, MigrationProblem or
    Unavailable.
    """
    db = Database(url)
    try:
        if own:
            db.own()
        sealed, check = db.read(seal_of)
        keyring = Keyring.open(key_file, may_create=not sealed)
        if sealed:
            _compare(keyring, check, key_file)
        migrations.upgrade(db)
        db.write(lambda tx: _compare(keyring, _first_check(tx, keyring), key_file))
        journal = Journal(journal_file or key_file.with_name("effacements.journal"))
        brought_back = db.write(lambda tx: journal.replay(tx, keyring))
        if brought_back:
            db.scrub()
    except BaseException:
        db.close()
        raise
    return Store(db, keyring, journal, brought_back)


def seal_of(tx: Connection) -> tuple[bool, str | None]:
    """Whether a key already seals this database, and the check value it left."""
    if not inspect(tx).has_table("meta"):
        return False, None
    check = meta.get(tx, _KEY_CHECK)
    return check is not None or bool(tx.scalar(select(exists().select_from(conversations)))), check


def fits(keyring: Keyring, check: str | None) -> bool:
    """Whether this key left this check value."""
    return check is not None and hmac.compare_digest(check, _check_value(keyring))


def _first_check(tx: Connection, keyring: Keyring) -> str | None:
    """The stored check value, left now if this database had none; of two starts at once, the first one's."""
    insert_once(tx, meta_table, key=_KEY_CHECK, value=_check_value(keyring))
    return meta.get(tx, _KEY_CHECK)


def _check_value(keyring: Keyring) -> str:
    return keyring.digest(_KEY_CHECK, "autodiag").hex()


def _compare(keyring: Keyring, check: str | None, key_file: Path) -> None:
    if not fits(keyring, check):
        raise KeyProblem(
            f"La clé {key_file} n'est pas celle qui a chiffré cette base. Remettez la bonne clé à cet endroit depuis "
            "votre copie de sauvegarde, ou indiquez la base qui va avec cette clé. Rien n'a été modifié."
        )
