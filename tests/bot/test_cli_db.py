"""`autodiag db upgrade` and `db check`: what they say of a database, and that looking changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot.cli import app
from bot.house import House
from bot.settings import Settings
from store import migrations
from store.engine import Database
from store.keys import Keyring
from tests import postgresql


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["db", *words])
    return found.exit_code, found.output


@pytest.fixture
def bare(settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of a database that nobody has migrated."""
    if settings.storage.database_url.startswith("sqlite"):
        yield settings
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with server.database("template0") as url:
        monkeypatch.setenv("AUTODIAG_DATABASE_URL", url)
        yield settings.model_copy(update={"storage": settings.storage.model_copy(update={"database_url": url})})


def test_upgrading_says_from_where_to_where_and_once_only(bare: Settings) -> None:
    assert autodiag("upgrade") == (0, f"Base mise à niveau : de rien à {migrations.HEAD}.\n")
    assert autodiag("upgrade") == (0, f"Base déjà à niveau : révision {migrations.HEAD}.\n")
    code, said = autodiag("check")
    assert code == 0
    assert "sa clé sera créée au premier démarrage" in said
    assert not bare.storage.key_file.exists()


def test_checking_a_database_not_migrated_says_what_to_run(bare: Settings) -> None:
    code, said = autodiag("check")
    assert code == 1
    assert "autodiag db upgrade" in said
    assert not bare.storage.data_dir.exists()


def test_a_database_in_order(house: House) -> None:
    code, said = autodiag("check")
    assert code == 0
    assert "À REVOIR" not in said
    assert f"Révision {migrations.HEAD}, la dernière." in said
    assert "La clé est celle de cette base." in said
    assert ("Le fichier est sain." in said) is house.store.db.is_sqlite


def test_another_key_is_said(house: House) -> None:
    key = house.settings.storage.key_file
    key.unlink()
    code, said = autodiag("check")
    assert (code, "introuvable" in said, key.exists()) == (1, True, False)
    Keyring.open(key, may_create=True)
    code, said = autodiag("check")
    assert code == 1
    assert "n'est pas celle qui a chiffré cette base" in said


def test_tables_changed_by_hand_are_said(house: House) -> None:
    house.store.db.write(lambda tx: tx.execute(text("ALTER TABLE ways ADD COLUMN surprise TEXT")))
    code, said = autodiag("check")
    assert code == 1
    assert "surprise" in said


def test_a_database_that_does_not_answer_is_a_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODIAG_DATABASE_URL", "postgresql://autodiag@localhost:9/nothing")
    for command in ("check", "upgrade"):
        code, said = autodiag(command)
        assert code == 1
        assert "La base ne répond pas" in said


@pytest.mark.databases("sqlite", because="it damages the file")
def test_a_damaged_file_is_said(settings: Settings, house: House) -> None:
    house.store.close()
    file = Path(str(house.store.db.path))
    with sqlite3.connect(file) as raw:
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_inbox_received_on'").fetchone()[0]
        page = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()
    data = bytearray(file.read_bytes())
    data[(root - 1) * page : root * page] = b"\x55" * page
    file.write_bytes(data)
    code, said = autodiag("check")
    assert code == 1
    assert "Le fichier est abîmé" in said


@pytest.mark.databases("sqlite", because="PostgreSQL has no owner")
def test_upgrading_waits_until_nobody_serves(settings: Settings) -> None:
    serving = Database(settings.storage.database_url)
    serving.own()
    code, said = autodiag("upgrade")
    serving.close()
    assert code == 1
    assert "sert déjà cette base" in said
