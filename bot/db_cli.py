"""`autodiag db`: the database brought up to date, checked, copied, put back, rid of what was erased."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import shell

if TYPE_CHECKING:
    from store.engine import Database

app = typer.Typer(no_args_is_help=True, help="La base : la mettre à niveau, la vérifier, la copier, la remettre.")


@app.command("upgrade")
def upgrade() -> None:
    """Met les tables à niveau, et dit d'où à où ; `serve` le fait aussi, à son démarrage."""
    from store import migrations
    from store.engine import AlreadyOwned, Database, Unavailable

    db = Database(shell.settings().storage.database_url)
    try:
        before = db.read(migrations.stored_revision)
        if before != migrations.HEAD:
            db.own()
        done = migrations.upgrade(db)
    except (AlreadyOwned, migrations.MigrationProblem, Unavailable) as error:
        shell.stop(1, error)
    finally:
        db.close()
    if done:
        print(f"Base mise à niveau : de {before or 'rien'} à {migrations.HEAD}.")
    else:
        print(f"Base déjà à niveau : révision {migrations.HEAD}.")


@app.command("check")
def check() -> None:
    """Vérifie la base sans rien changer : le fichier, la révision, les tables, la clé."""
    from bot.rooms import TABLES
    from store.check import check as check_database

    storage = shell.settings().storage
    wanting = False
    for finding in check_database(storage.database_url, storage.key_file, TABLES):
        wanting = wanting or not finding.fine
        print(f"{'bon' if finding.fine else 'À REVOIR'}  {finding.sentence}")
    if wanting:
        raise typer.Exit(1)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Le fichier à créer.")]) -> None:
    """Copie la base SQLite pendant qu'elle sert, sans les clés. Avec PostgreSQL : pg_dump (docs/deploy.md)."""
    from store.backup import BackupProblem, back_up
    from store.engine import Database

    path = Database(shell.settings().storage.database_url).path
    if path is None:
        shell.stop(1, "Cette base est sur PostgreSQL : copiez-la avec pg_dump (docs/deploy.md).")
    try:
        back_up(path, file)
    except BackupProblem as problem:
        shell.stop(1, problem)
    print(f"Copie faite : {file} ({max(1, file.stat().st_size // 1024)} Ko). La clé n'y est pas.")


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="La copie à remettre ; sans elle : déjà remise.")] = None,
) -> None:
    """Remet une copie de la base, Autodiag arrêté, et efface de nouveau ce qui l'avait été depuis."""
    from store import outbox
    from store.backup import BackupProblem, put_back
    from store.engine import AlreadyOwned, Database, Unavailable

    settings = shell.settings()
    kept = None
    with _closing(Database(settings.storage.database_url)) as db:
        try:
            db.own()
            kept = put_back(db, file) if file else None
        except (AlreadyOwned, BackupProblem, Unavailable) as problem:
            shell.stop(1, problem)
    house = shell.house(settings)
    try:
        house.store.db.write(lambda tx: outbox.doubt_all(tx, house.now()))
        erased = house.store.brought_back
        print(f"Base remise. Effacements rejoués : {erased}.")
        print("Ce qui attendait de partir est peut-être déjà parti : voyez « autodiag outbox list --tout ».")
        if kept:
            print(f"La base d'avant est gardée dans {kept} : supprimez-la dès que vous n'en avez plus besoin.")
    except Unavailable as error:
        shell.stop(1, error)
    finally:
        house.store.close()


@app.command()
def scrub() -> None:
    """Fait quitter le disque à ce qui a été effacé. Sur PostgreSQL, arrête les réponses un instant : la nuit."""
    from store.engine import Unavailable

    house = shell.house()
    try:
        if not house.store.db.scrub(wholly=True):
            shell.stop(1, "Une lecture longue est en cours. Réessayez dans un instant.")
        print("Fait.")
    except Unavailable as error:
        shell.stop(1, error)
    finally:
        house.store.close()


@contextmanager
def _closing(db: Database) -> Iterator[Database]:
    try:
        yield db
    finally:
        db.close()
