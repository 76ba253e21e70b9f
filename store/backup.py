"""A copy of a SQLite database while it serves, and putting one back: never half a file, never under a stale log.

A copy holds neither the keys nor the erasure journal. What PostgreSQL needs is its own tools: docs/deploy.md.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from store.engine import Database
from store.keys import fsync_folder

REPLACED = ".remplacee"
"""What the name of the database that was there ends with, once another is put in its place."""


class BackupProblem(Exception):
    """No copy was made, or none was put back; the message is a French sentence for the operator."""


def back_up(database: Path, to: Path) -> None:
    """Copy the database as it stands at one moment; whoever serves it goes on. Erased rows leave nothing in the copy.

    Raises BackupProblem. A copy that could not be finished is not left behind.
    """
    if not database.exists():
        raise BackupProblem(f"La base {database} n'existe pas : rien à copier.")
    if to.exists():
        raise BackupProblem(f"{to} existe déjà : donnez un autre nom, une sauvegarde n'en écrase jamais une autre.")
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as source:
            source.execute("VACUUM INTO ?", (str(part),))
        _sound(part)
        _on_disk(part)
        part.rename(to)
        fsync_folder(to.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupProblem(f"La copie n'a pas pu être faite ({error}). Vérifiez la place et les droits.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def put_back(db: Database, copy: Path) -> Path | None:
    """Put a copy in the place of the database, which nobody may serve; where the one that was there is kept, if any.

    Raises BackupProblem, or AlreadyOwned.
    """
    if db.path is None:
        raise BackupProblem(
            "Avec PostgreSQL, remettez la copie avec pg_restore, puis lancez cette commande sans fichier."
        )
    path, part = db.path, db.path.with_name(f"{db.path.name}.part")
    if not copy.is_file():
        raise BackupProblem(f"La sauvegarde {copy} n'existe pas.")
    db.own()
    try:
        _sound(copy)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(copy, part)
        part.chmod(0o600)
        _on_disk(part)
        kept = _aside(path)
        part.replace(path)
        fsync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupProblem(f"La copie n'a pas pu être remise ({error}). La base d'avant est intacte.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return kept


def _sound(copy: Path) -> None:
    """Raises BackupProblem for what is not a whole database of ours."""
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?immutable=1", uri=True)) as opened:
            said = opened.execute("PRAGMA integrity_check").fetchone()[0]
            opened.execute("SELECT version_num FROM alembic_version")
    except sqlite3.DatabaseError as error:
        said = str(error)
    if said != "ok":
        raise BackupProblem(f"{copy} n'est pas une base d'Autodiag entière ({said}). Prenez une autre sauvegarde.")


def _aside(path: Path) -> Path | None:
    """Give the database that is there another name, with its log in it; its place then has no log at all."""
    kept = path.with_name(f"{path.name}{REPLACED}")
    logs = [Path(f"{path}-wal"), Path(f"{path}-shm")]
    if not path.exists():
        for log in logs:
            log.unlink(missing_ok=True)
        return None
    try:
        with closing(sqlite3.connect(path)) as opened:
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:  # broken: its log goes with it, as it is
        for log in logs:
            if log.exists():
                log.replace(f"{kept}{log.name.removeprefix(path.name)}")
    kept.unlink(missing_ok=True)
    os.link(path, kept)  # so that at no moment there is no database here
    for log in logs:
        log.unlink(missing_ok=True)
    return kept


def _on_disk(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
