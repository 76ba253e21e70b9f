"""Starting: in the right order, or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from bot.rooms import TABLES
from store import conversations, migrations, tables
from store.engine import AlreadyOwned, Database, Unavailable
from store.keys import KeyProblem, Keyring
from store.migrations import MigrationProblem
from store.migrations.run import config, run


@pytest.mark.databases("sqlite", because="it is about the modes of its files")
def test_the_first_start_makes_everything_private(place: Any, store: Any) -> None:
    assert place.data.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in place.data.iterdir()} == {0o600}


def test_a_second_start_finds_the_same_conversations(place: Any, store: Any, begin: Any) -> None:
    said = begin(store, snapshot=b"bonjour")
    store.close()
    again = place.open()
    found = again.db.read(lambda tx: conversations.load(tx, again.keyring, said.id, lock=False))
    again.close()
    assert found is not None
    assert found.snapshot == b"bonjour"


def _all_rows(place: Any) -> list[Any]:
    db = Database(place.url)
    rows = db.read(lambda tx: [tx.execute(select(table)).all() for table in tables.metadata.sorted_tables])
    db.close()
    return rows


def test_another_key_is_refused_and_changes_nothing(
    place: Any, store: Any, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    store.close()
    before = _all_rows(place)
    place.key.rename(place.key.with_name("aside"))
    Keyring.open(place.key, may_create=True)
    monkeypatch.setattr(migrations, "upgrade", lambda _: pytest.fail("migrated before the key was checked"))
    with pytest.raises(KeyProblem, match="n'est pas celle qui a chiffré cette base"):
        place.open()
    assert _all_rows(place) == before


def test_a_lost_key_is_never_replaced_by_a_new_one(place: Any, store: Any, begin: Any) -> None:
    begin(store)
    store.close()
    kept = place.key.read_bytes()
    place.key.unlink()
    with pytest.raises(KeyProblem, match="introuvable"):
        place.open()
    assert not place.key.exists()
    place.key.write_bytes(kept)
    place.key.chmod(0o600)
    place.open().close()


def test_conversations_without_a_key_check_do_not_take_a_new_key(place: Any, store: Any, begin: Any) -> None:
    begin(store)
    store.db.write(lambda tx: tx.execute(tables.meta.delete()))
    store.close()
    place.key.unlink()
    with pytest.raises(KeyProblem):
        place.open()


@pytest.mark.databases("sqlite", because="any number of processes serve one PostgreSQL")
def test_two_servers_on_one_file_is_one_too_many(place: Any) -> None:
    first = place.open(own=True)
    first.db.own()  # asking twice is harmless
    with pytest.raises(AlreadyOwned, match="sert déjà cette base"):
        place.open(own=True)
    place.open().close()  # a command beside the server is welcome
    first.close()
    place.open(own=True).close()


def test_the_migrations_make_exactly_the_tables_declared(store: Any) -> None:
    differences = store.db.read(
        lambda tx: compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), TABLES)
    )
    assert differences == []


def test_the_head_written_down_is_the_newest_migration() -> None:
    folder = Path(migrations.__file__).parent
    assert ScriptDirectory.from_config(config(folder)).get_current_head() == migrations.HEAD


def test_a_start_with_nothing_to_migrate_does_not_pay_for_alembic(place: Any, store: Any) -> None:
    store.close()
    code = (
        "import sys; from pathlib import Path; from store.open import open_store\n"
        f"open_store({place.url!r}, Path({str(place.key)!r})).close()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_database_from_a_newer_version_is_refused(place: Any, store: Any) -> None:
    store.db.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    store.close()
    with pytest.raises(MigrationProblem, match="plus récente"):
        place.open()


MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = {this!r}, {below!r}
def upgrade():
    {body}
"""


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (
            "with op.batch_alter_table('conversations', recreate=REBUILD) as b: b.add_column(sa.Column('x', sa.Text))",
            False,
        ),
        ("op.execute('DELETE FROM facts')", True),
        ("op.execute('DELETE FROM conversations')", True),
    ],
    ids=["rebuilding a parent keeps its children", "deleting rows", "deleting a parent"],
)
def test_a_migration_never_loses_rows(
    place: Any, store: Any, begin: Any, tmp_path: Any, body: str, refused: bool
) -> None:
    begin(store)
    scripts = tmp_path / "scripts"
    (scripts / "versions").mkdir(parents=True)
    folder = migrations.__path__[0]
    (scripts / "env.py").write_text((Path(folder) / "env.py").read_text())
    (scripts / "versions" / "a.py").write_text(MIGRATION.format(this=migrations.HEAD, below=None, body="pass"))
    body = body.replace("REBUILD", "'always'" if store.db.is_sqlite else "'never'")
    (scripts / "versions" / "b.py").write_text(MIGRATION.format(this="next", below=migrations.HEAD, body=body))

    def rows(tx: Any) -> tuple[int, int, str]:
        counts = [tx.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("conversations", "facts")]
        return counts[0], counts[1], tx.scalar(text("SELECT version_num FROM alembic_version"))

    if refused:
        with pytest.raises(MigrationProblem, match="annulée"):
            run(store.db, scripts)
    else:
        run(store.db, scripts)
    assert store.db.read(rows) == (1, 1, migrations.HEAD if refused else "next")
    if store.db.is_sqlite:
        assert store.db.write(lambda tx: tx.scalar(text("PRAGMA foreign_keys"))) == 1


@pytest.mark.databases("sqlite", because="PostgreSQL rebuilds no table")
@pytest.mark.parametrize("table", ["conversations", "openings"])
def test_a_table_rebuilt_keeps_the_triggers_that_read_it_and_its_own(
    place: Any, store: Any, tmp_path: Any, table: str
) -> None:
    scripts = tmp_path / "scripts"
    (scripts / "versions").mkdir(parents=True)
    (scripts / "env.py").write_text((Path(migrations.__path__[0]) / "env.py").read_text())
    (scripts / "versions" / "a.py").write_text(MIGRATION.format(this=migrations.HEAD, below=None, body="pass"))
    body = f"with op.batch_alter_table({table!r}, recreate='always') as b: b.add_column(sa.Column('x', sa.Text))"
    (scripts / "versions" / "b.py").write_text(MIGRATION.format(this="next", below=migrations.HEAD, body=body))
    triggers = text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    before = store.db.read(lambda tx: tx.execute(triggers).all())
    assert len(before) >= 2
    run(store.db, scripts)
    assert store.db.read(lambda tx: tx.execute(triggers).all()) == before


@pytest.mark.databases("sqlite", because="PostgreSQL has no data folder of ours")
def test_a_data_folder_that_cannot_be_made_is_a_sentence(place: Any) -> None:
    place.data.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="ne peut pas être ouvert"):
        place.open()


@pytest.mark.databases("sqlite", because="it is about locks on its file")
def test_a_command_beside_the_server_never_takes_its_log_away(place: Any, store: Any, begin: Any) -> None:
    """Closing any handle on the file would drop our locks on it; the other would think itself alone, and tidy up."""
    begin(store)
    store.db.read(lambda _: store.db.read(lambda tx: tx.scalar(text("SELECT 1"))))  # a second connection of ours
    log = Path(f"{place.base}-wal")
    before = log.stat().st_ino
    code = (
        "from pathlib import Path; from store.open import open_store\n"
        f"open_store({place.url!r}, Path({str(place.key)!r})).close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert log.stat().st_ino == before
