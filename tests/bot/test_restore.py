"""The restore drill, for real: a backup taken while it serves, put back, and what was erased since is gone again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from sqlalchemy import Connection, make_url, select
from typer.testing import CliRunner

from bot import turn
from bot.cli import app
from bot.content import Content
from bot.house import House, open_house
from bot.settings import Settings
from bot.turn import Gone
from dialogue.events import Clicked
from store import conversations, outbox, tables
from tests import postgresql

FIRST = Clicked("branche", "optique")


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["db", *words])
    return found.exit_code, found.output


def begin(house: House, name: str) -> str:
    """A conversation with a show that waits to leave; its id."""
    begun, _ = asyncio.run(turn.begin(house, door="web", incoming=f"{name}-unguessable", first=FIRST))

    def show(tx: Connection) -> None:
        loaded = conversations.load(tx, house.store.keyring, begun.conversation, lock=True)
        assert loaded
        given = {"conversation": loaded.id, "revision": 1, "kind": "mail", "payload": b"x", "line": loaded.id}
        outbox.append(tx, loaded.key, **given, due_at=house.now())  # type: ignore[arg-type]
        later = house.now() + timedelta(days=9)
        outbox.schedule(tx, kind="later", key=loaded.id, due_at=later, conversation=loaded.id)

    house.store.db.write(show)
    return begun.conversation


def there(house: House, name: str) -> bool:
    try:
        asyncio.run(turn.look(house, name))
    except Gone:
        return False
    return True


@pytest.fixture
def opened(settings: Settings, content: Content) -> Callable[..., House]:
    return lambda **how: open_house(settings, content=content, **how)


@pytest.mark.databases("sqlite", because="PostgreSQL has its own tools, tried below")
def test_the_drill_on_sqlite(settings: Settings, opened: Callable[..., House], tmp_path: Path) -> None:
    copy = tmp_path / "sauvegarde.db"
    house = opened(own=True)
    gone, kept = begin(house, "gone"), begin(house, "kept")
    assert autodiag("backup", str(copy))[0] == 0  # while it serves
    asyncio.run(turn.erase(house, gone))
    since = begin(house, "since")
    code, said = autodiag("restore", str(copy))
    assert code == 1
    assert "sert déjà cette base" in said
    house.store.close()

    with sqlite3.connect(copy) as raw:  # it is really in there
        assert raw.execute("select count(*) from conversations where id = ?", (gone,)).fetchone() == (1,)
    code, said = autodiag("restore", str(copy))
    assert (code, "Effacements rejoués : 1." in said) == (0, True), said
    again = opened(own=True)
    assert [there(again, name) for name in (gone, kept, since)] == [False, True, False]
    served = settings.storage.data_dir / "autodiag.db"
    for file in (served, Path(f"{served}-wal")):
        assert gone.encode() not in file.read_bytes()
    waiting = again.store.db.read(lambda tx: tx.execute(select(tables.outbox.c.kind, tables.outbox.c.state)).all())
    found = [tuple(row) for row in waiting]
    assert ("mail", "maybe") in found  # it may have left since: not blindly again
    assert ("later", "waiting") in found  # this one surely did not
    again.store.close()
    with sqlite3.connect(settings.storage.data_dir / "autodiag.db.remplacee") as raw:  # what was replaced is kept whole
        assert raw.execute("select count(*) from conversations where id = ?", (since,)).fetchone() == (1,)


@pytest.mark.databases("sqlite", because="the script is for a file")
def test_the_drill_s_script_tries_a_backup_beside_what_serves(
    settings: Settings, opened: Callable[..., House], tmp_path: Path
) -> None:
    copy = tmp_path / "sauvegarde.db"
    house = opened(own=True)
    gone, kept = begin(house, "gone"), begin(house, "kept")
    assert autodiag("backup", str(copy))[0] == 0
    asyncio.run(turn.erase(house, gone))

    def drill(file: Path) -> subprocess.CompletedProcess[str]:
        script = Path(__file__).parents[2] / "scripts" / "restore-drill.sh"
        return subprocess.run([script, file], capture_output=True, text=True, check=False)

    done = drill(copy)
    assert done.returncode == 0, done.stderr
    for said in (
        "Effacements rejoués : 1.",
        "Le fichier est sain.",
        "La clé est celle de cette base.",
        "Exercice réussi",
    ):
        assert said in done.stdout
    assert there(house, kept)
    settings.storage.key_file.rename(tmp_path / "elsewhere")
    assert drill(copy).returncode == 1
    house.store.close()


@pytest.mark.databases("sqlite", because="it restores a file")
def test_a_copy_put_back_by_hand_is_purged_of_the_erased_at_the_next_start(
    settings: Settings, opened: Callable[..., House], tmp_path: Path
) -> None:
    copy = tmp_path / "sauvegarde.db"
    house = opened(own=True)
    gone = begin(house, "gone")
    assert autodiag("backup", str(copy))[0] == 0
    asyncio.run(turn.erase(house, gone))
    house.store.close()
    for log in settings.storage.data_dir.glob("autodiag.db-*"):
        log.unlink()
    shutil.copy(copy, settings.storage.data_dir / "autodiag.db")
    again = opened(own=True)
    assert again.store.brought_back == 1
    assert not there(again, gone)
    again.store.close()


@pytest.mark.databases("sqlite", because="PostgreSQL has its own tools")
def test_a_copy_is_whole_and_holds_nothing_erased_nor_any_key(
    settings: Settings, opened: Callable[..., House], tmp_path: Path
) -> None:
    house = opened(own=True)
    gone = begin(house, "gone")
    asyncio.run(turn.erase(house, gone))
    copy = tmp_path / "sauvegarde.db"
    assert autodiag("backup", str(copy))[0] == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    data = copy.read_bytes()
    assert gone.encode() not in data
    assert settings.storage.key_file.read_bytes() not in data
    assert autodiag("backup", str(copy))[0] == 1  # never over another one
    assert autodiag("backup", str(tmp_path / "nowhere" / "x.db"))[0] == 1
    assert sorted(each.name for each in tmp_path.glob("sauv*")) == ["sauvegarde.db"]
    house.store.close()


@pytest.mark.databases("sqlite", because="PostgreSQL has its own tools")
@pytest.mark.parametrize("content_of_it", [b"", b"not a database", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_not_a_whole_copy_is_refused_and_nothing_changes(
    opened: Callable[..., House], tmp_path: Path, content_of_it: bytes
) -> None:
    house = opened(own=True)
    kept = begin(house, "kept")
    house.store.close()
    copy = tmp_path / "sauvegarde.db"
    copy.write_bytes(content_of_it)
    code, said = autodiag("restore", str(copy))
    assert code == 1
    assert "sauvegarde" in said
    again = opened(own=True)
    assert there(again, kept)
    again.store.close()


@pytest.mark.databases("postgresql", because="SQLite has no pg_dump")
def test_the_drill_on_postgresql(
    settings: Settings, opened: Callable[..., House], tmp_path: Path, postgresql_server: postgresql.Server
) -> None:
    copy, url = tmp_path / "sauvegarde.dump", make_url(settings.storage.database_url)
    house = opened()
    gone, kept = begin(house, "gone"), begin(house, "kept")
    at = {"PGHOST": unquote(str(url.query.get("host", url.host))), "PGUSER": url.username or ""}
    at |= {"PGDATABASE": str(url.database)}
    environment = os.environ | {name: value for name, value in at.items() if value and value != "None"}
    if url.port:
        environment["PGPORT"] = str(url.port)
    tools = Path(shutil.which("pg_dump") or next(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))).parent

    def run(tool: str, *words: str) -> None:
        subprocess.run([tools / tool, *words], env=environment, check=True, capture_output=True)

    run("pg_dump", "--format=custom", f"--file={copy}")
    asyncio.run(turn.erase(house, gone))
    house.store.close()
    how = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
    run("pg_restore", *how, f"--dbname={at['PGDATABASE']}", str(copy))
    code, said = autodiag("restore")
    assert (code, "Effacements rejoués : 1." in said) == (0, True), said
    again = opened()
    assert [there(again, name) for name in (gone, kept)] == [False, True]
    again.store.close()
    assert autodiag("backup", str(tmp_path / "x"))[0] == autodiag("restore", str(copy))[0] == 1
    assert autodiag("scrub") == (0, "Fait.\n")


def test_a_database_that_has_read_a_journal_does_not_start_without_it(
    settings: Settings, opened: Callable[..., House], tmp_path: Path
) -> None:
    house = opened()
    asyncio.run(turn.erase(house, begin(house, "gone")))
    house.store.close()
    opened().store.close()
    journal = settings.storage.erasure_journal
    journal.rename(tmp_path / "elsewhere")
    # Commands read the settings again: their journal is the one beside the key, which is this one.
    found = CliRunner().invoke(app, ["stats"])
    assert found.exit_code == 1
    assert "est absent" in found.output
    journal.touch()
    opened().store.close()


def test_machines_that_share_a_folder_read_each_other_s_erasures(
    settings: Settings, content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "effacements"
    folder.mkdir()
    shared = settings.storage.model_copy(update={"erasure_journal": folder})
    settings = settings.model_copy(update={"storage": shared})
    names = iter(["one", "two", "three"])
    monkeypatch.setattr("store.journal.socket.gethostname", lambda: next(names))
    one, two = open_house(settings, content=content), open_house(settings, content=content)
    first, second = begin(one, "first"), begin(one, "second")
    asyncio.run(turn.erase(one, first))
    asyncio.run(turn.erase(two, second))
    assert sorted(file.name for file in folder.iterdir()) == ["one.journal", "two.journal"]
    three = open_house(settings, content=content)
    keyring = three.store.keyring
    assert [three.store.journal.holds(keyring, name) for name in (first, second)] == [True, True]
    for house in (one, two, three):
        house.store.close()
