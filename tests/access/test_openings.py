"""The access log: it only grows, it goes with its conversation, and its manager reads it."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import Connection, delete, exc, insert, select, update
from starlette.testclient import TestClient

from access import accounts
from access.accounts import Account
from access.openings import What, opened, openings
from access.tables import accounts as people
from access.tables import openings as log
from bot.house import House
from bot.opened import told
from store import conversations, tables
from store.tables import conversations as firms
from tests.access.conftest import made
from tests.conftest import Clock
from tests.web.visitor import Visitor


def conversation(house: House) -> str:
    """The only conversation, or the latest."""
    found = house.store.db.read(lambda tx: tx.scalars(select(firms.c.id)).all())
    return str(found[-1])


@pytest.fixture
def manager(browser_of: Callable[[], TestClient]) -> Visitor:
    """A manager who has answered once."""
    client = browser_of()
    client.follow_redirects = True
    visitor = Visitor(client)
    visitor.answer()
    return visitor


def log_one(house: House, account: Account, name: str, what: What = "summary") -> None:
    house.store.db.write(lambda tx: opened(tx, account.id, name, what, house.now()))


def lines(house: House) -> int:
    return len(house.store.db.read(lambda tx: tx.execute(select(log)).all()))


@pytest.mark.parametrize("change", [update(log).values(what="visit"), delete(log)], ids=["change", "delete"])
def test_a_line_is_neither_changed_nor_deleted(house: House, manager: Visitor, change: object) -> None:
    account, name = made(house), conversation(house)
    log_one(house, account, name)
    with pytest.raises(exc.DBAPIError, match="access log only grows"):
        house.store.db.write(lambda tx: tx.execute(change))  # type: ignore[call-overload]
    assert lines(house) == 1


@pytest.mark.databases("postgresql", because="SQLite has no TRUNCATE")
def test_the_log_is_not_emptied_at_once(house: House, manager: Visitor) -> None:
    account, name = made(house), conversation(house)
    log_one(house, account, name)
    with pytest.raises(exc.DBAPIError, match="access log only grows"):
        house.store.db.write(lambda tx: tx.exec_driver_sql("TRUNCATE openings"))
    assert lines(house) == 1


def test_it_goes_with_its_conversation_and_no_other(house: House, manager: Visitor) -> None:
    account, erased = made(house), conversation(house)
    kept = house.store.db.write(lambda tx: _begin(house, tx))
    for name in (erased, kept):
        log_one(house, account, name)
    store = house.store
    assert store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, erased))
    assert house.store.db.read(lambda tx: tx.scalars(select(log.c.conversation)).all()) == [kept]


def test_an_account_that_opened_something_keeps_its_name(house: House, manager: Visitor) -> None:
    account, name = made(house), conversation(house)
    log_one(house, account, name)
    house.store.db.write(lambda tx: accounts.revoke(tx, account.id, house.today()))
    [line] = house.store.db.read(lambda tx: openings(tx, house.store.keyring, name))
    assert (line.name, line.firm, line.what) == ("Alix Durand", "Cabinet Exemple", "summary")
    gone = delete(people).where(people.c.id == account.id)
    with pytest.raises(exc.IntegrityError):
        house.store.db.write(lambda tx: tx.execute(gone))


@pytest.mark.databases("sqlite", because="it is about a page")
def test_the_manager_reads_who_opened_what_and_when(house: House, manager: Visitor, clock: Clock) -> None:
    assert "Personne n'a ouvert vos réponses" in unescape(manager.open("/vos-donnees").text)
    assert manager.open("/vos-donnees.json").json()["ouvertures"] == []
    account, name = made(house, name="<b>Alix</b>"), conversation(house)
    whats: tuple[What, ...] = ("summary", "summary_paper")
    for what in whats:
        log_one(house, account, name, what)
        clock.forward(hours=1)
    page = manager.open("/vos-donnees").text
    assert "&lt;b&gt;Alix&lt;/b&gt; (Cabinet Exemple)" in page
    assert "le 23/11/2026 à 12" in page.replace("\u00a0", " "), "in Paris"
    assert page.index("en PDF") < page.index("à 11"), "the latest first"
    latest = manager.open("/vos-donnees.json").json()["ouvertures"][0]
    assert latest["par"] == "<b>Alix</b>"
    assert latest["quoi"] == "summary_paper"
    assert latest["quand"].startswith("2026-11-23T11:00")


@pytest.mark.databases("sqlite", because="it is about a page")
def test_a_device_without_a_conversation_reads_nothing_of_the_log(house: House, manager: Visitor) -> None:
    account, name = made(house), conversation(house)
    log_one(house, account, name)
    manager.client.cookies.clear()
    page = manager.open("/vos-donnees").text
    assert "Alix" not in page
    assert "Personne n'a ouvert" not in unescape(page)


@pytest.mark.databases("sqlite", because="it is about words")
def test_a_long_log_is_told_in_short(house: House, manager: Visitor) -> None:
    account, name = made(house), conversation(house)
    for _ in range(12):
        log_one(house, account, name, "visit")
    found = house.store.db.read(lambda tx: openings(tx, house.store.keyring, name))
    assert told(house, found, 10).count("votre rendez-vous") == 10
    assert "Et 2 fois avant" in told(house, found, 10)
    assert told(house, found).count("votre rendez-vous") == 12


def _begin(house: House, tx: Connection) -> str:
    row = tx.execute(select(tables.conversations)).mappings().first()
    assert row
    other = dict(row) | {"id": "another"}
    tx.execute(insert(tables.conversations).values(other))
    return "another"
