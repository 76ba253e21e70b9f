"""The same booking by the other doors: Telegram's buttons, an app by the API, a terminal."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from sqlalchemy import Connection
from starlette.testclient import TestClient

from bot.app import create_app
from bot.content import Content
from bot.house import House
from bot.settings import Settings
from bot.terminal import chat
from tests.api.conftest import Caller
from tests.conftest import Clock
from tests.telegram.talk import talking
from tests.visits.conftest import LEA, OFFICE
from visits import bookings, consultants

pytestmark = pytest.mark.databases("sqlite", because="the doors see nothing of the database")


def employ(house: House) -> None:
    def work(tx: Connection) -> None:
        made = consultants.add(tx, house.store.keyring, LEA)
        consultants.set_hours(tx, made.id, OFFICE)

    house.store.db.write(work)


def test_a_visit_is_booked_with_telegram_s_buttons(settings: Settings, content: Content, clock: Clock) -> None:
    async def story() -> None:
        async with asyncio.timeout(40), talking(settings, content, "webhook", now=clock) as talk:
            employ(talk.house)
            await talk.says("/start")
            for label in ("Optique-lunetterie", "2 à 10", "Non"):
                await talk.presses(label)
            shown = await talk.says("rendez-vous")
            assert "Êtes-vous d'accord" in shown.text
            await talk.presses(next(label for label in shown.labels if "coordonnées" in label or label == "3"))
            shown = await talk.presses(
                next(each for each in talk.telegram.last(talk.chat).labels if "istance" in each or each == "2")
            )
            assert "Quel moment vous arrange" in shown.text
            await talk.presses(next(label for label in shown.labels if label.startswith(("Mercredi", "1"))))
            for text in ("Optique Bastille", "passer cette question", "Nadia"):
                await talk.says(text)
            await talk.presses("Par téléphone")
            await talk.says("0612345678")
            await talk.presses("Je n'ai pas de prestataire")
            await talk.says("3")
            shown = await talk.says("1")
            assert "Tout est bon" in shown.text
            shown = await talk.presses("Oui, je réserve")
            assert "C'est réservé" in shown.text
            assert LEA.phone in shown.text
            here = await talk.here()
            found = await talk.house.store.db.query(lambda tx: bookings.booked_by(tx, here.conversation))
            assert found is not None
            assert (found.on_site, found.sharing) == (False, "none")
            await talk.settles()

    asyncio.run(story())


@pytest.fixture
def caller(house: House) -> Iterator[Caller]:
    with TestClient(create_app(house), base_url="http://localhost:8000") as client:
        yield Caller(client)


def test_a_visit_is_booked_by_an_app(house: House, caller: Caller) -> None:
    employ(house)
    shop = caller.begin(profile={"branche": "optique", "effectif": "2-10", "gestion_ailleurs": "non"})
    assert shop.command("book").status_code == 200
    assert shop.turn["question"]["node"] == "rdv-accord"
    shop.choose("suite")
    shop.choose("distance")
    times = [choice["id"] for choice in shop.turn["question"]["choices"]]
    assert times[-1] == "autres"
    assert shop.choose("20200101-0900").status_code in (409, 422), "a time that nobody offered"
    assert shop.choose(times[0]).status_code == 200
    told = {
        "rdv-entreprise": "Optique Bastille",
        "rdv-contact": "Nadia",
        "rdv-e-mail": "n@optique.example",
        "rdv-postes": "2",
    }
    picked = {
        "rdv-siret": "na",
        "rdv-joindre": "e-mail",
        "rdv-presta-jour": "personne",
        "rdv-caisses": "na",
        "rdv-confirmer": "oui",
    }
    while shop.turn["question"]:
        node = shop.turn["question"]["node"]
        sent = shop.choose(picked[node]) if node in picked else shop.send({"type": "text", "text": told[node]})
        assert sent.status_code == 200, (node, sent.text)
    assert "C'est réservé" in shop.turn["messages"][-1]["text"]
    assert house.store.db.read(lambda tx: len(bookings.ahead(tx, house.now()))) == 1


def test_a_visit_is_booked_in_a_terminal(house: House) -> None:
    employ(house)
    before = "Optique-lunetterie;2 à 10;Non;rendez-vous;1;2;1;Optique Bastille;passer cette question;Nadia;2;0612345678"
    typed = iter(f"{before};4;3;passer cette question;1".split(";"))

    async def ask() -> str | None:
        return next(typed, None)

    screen = Console(file=io.StringIO(), width=100)
    asyncio.run(chat(house, screen, ask, trial=False))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "C'est réservé" in shown
    (visit,) = house.store.db.read(lambda tx: bookings.ahead(tx, house.now()))
    told = house.store.db.read(lambda tx: bookings.details(tx, house.store.keyring, visit))
    assert told is not None
    assert told["rdv-postes"] == "3"
