"""Leaving an address, from the offer to the confirmation and the end of it, by forms alone."""

from __future__ import annotations

import asyncio
import email
import re
from collections.abc import Callable
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from bot import worker
from bot.doers import doers
from bot.house import House
from bot.settings import Mail
from bot.web.app import create_app
from store import phrases, tables
from tests.web.conftest import client_of
from tests.web.visitor import Visitor, forms

pytestmark = pytest.mark.databases("sqlite", because="tests/mail and tests/store run the same on both")
ADDRESS = "canari@boutique.example"
NONCE = "n" * 24


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrases._COST, "n", 2)


@pytest.fixture
def posting(house: House, tmp_path: Path) -> House:
    """The same house; its mails are files."""
    mail = Mail(developpement_dossier=str(tmp_path / "courriels"))
    return replace(house, settings=house.settings.model_copy(update={"mail": mail}))


@pytest.fixture
def device(posting: House) -> Callable[[], TestClient]:
    app = create_app(posting)
    return lambda: client_of(app)


def mails(house: House) -> list[str]:
    """What has left, in no order, once the worker has done what is due."""

    async def work() -> None:
        while await worker.work_once(house, doers(house)):
            pass

    asyncio.run(work())
    folder = house.settings.mail.folder
    assert folder
    read = [email.message_from_bytes(file.read_bytes(), policy=default) for file in sorted(folder.glob("*.eml"))]
    return [message.get_content() for message in read]


def link(text: str, kind: str) -> str:
    found = re.search(rf"http://localhost:8000(/{kind}/[A-Za-z0-9_-]+)", text)
    assert found
    return found[1]


def leave(visitor: Visitor, address: str = ADDRESS) -> Response:
    visitor.open("/me-prevenir")
    form = next(form for form in forms(visitor.page) if ("faire", "laisser") in form.buttons)
    return visitor.send(form, faire="laisser", adresse=address)


def press(somebody: Visitor, action: str) -> Response:
    return somebody.send(next(form for form in forms(somebody.page) if form.action == action))


def test_the_offer_stands_at_the_pause_the_result_the_link_and_the_data(visitor: Visitor) -> None:
    visitor.answer()
    assert "/me-prevenir" not in visitor.page.text
    assert 'href="/me-prevenir"' in visitor.command("pause").text
    visitor.command("resume")
    assert 'href="/me-prevenir"' in visitor.open("/mon-lien").text
    assert 'href="/me-prevenir"' in visitor.open("/vos-donnees").text
    visitor.open("/autodiag")
    assert 'href="/me-prevenir"' in visitor.to_result().text


def test_where_mail_is_off_it_is_offered_nowhere_and_takes_no_address(house: House) -> None:
    visitor = Visitor(client_of(create_app(house)))
    visitor.answer()
    assert "/me-prevenir" not in visitor.command("pause").text
    assert "/me-prevenir" not in visitor.open("/mon-lien").text
    assert "ni e-mail" in re.sub("\u2060", "", visitor.open("/vos-donnees").text)
    assert "Nous n'envoyons pas" in visitor.open("/me-prevenir").text
    sent = visitor.client.post("/me-prevenir", data={"id": NONCE, "faire": "laisser", "adresse": ADDRESS})
    assert sent.status_code == 404


def test_an_address_is_left_confirmed_by_its_button_and_shown_as_such(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    page = leave(visitor).text
    words = re.findall("<li>([a-zé-ù]+)</li>", page)
    assert len(words) == 4
    assert ADDRESS in page
    assert "En attente de votre oui" in page
    assert not re.findall("<li>([a-zé-ù]+)</li>", visitor.open("/me-prevenir").text)
    (asked,) = mails(posting)
    confirming = Visitor(client_of(create_app(posting)), link(asked, "confirmer"))
    assert "En attente" in visitor.open("/me-prevenir").text
    assert "C'est confirmé" in press(confirming, link(asked, "confirmer")).text
    assert "Confirmée" in visitor.open("/me-prevenir").text
    assert visitor.open("/vos-donnees.json").json()["adresse"] == {"e-mail": ADDRESS, "confirmee": "2026-11-23"}


def test_a_wrong_address_is_told_where_it_was_typed_and_nothing_is_kept(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    for typed, said in (
        ("canari", "Il manque une partie"),
        ("<script>@x.fr", "vérifiez"),
        ("", "Écrivez votre adresse"),
    ):
        page = leave(visitor, typed)
        assert page.status_code == 422
        assert said in page.text
        assert 'aria-invalid="true"' in page.text
        assert "<script>@" not in page.text
    assert mails(posting) == []
    assert visitor.open("/vos-donnees.json").json()["adresse"] is None


def test_a_confirmation_that_comes_late_says_what_to_do(posting: House, visitor: Visitor, clock: Any) -> None:
    visitor.answer()
    leave(visitor)
    (asked,) = mails(posting)
    clock.forward(hours=48)
    somebody = Visitor(client_of(create_app(posting)), link(asked, "confirmer"))
    page = press(somebody, link(asked, "confirmer"))
    assert page.status_code == 403
    assert "plus de 48 heures" in page.text
    assert 'id="adresse"' in visitor.open("/me-prevenir").text
    assert ADDRESS not in visitor.page.text


def test_opening_the_address_that_stops_does_nothing_and_its_button_does(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    leave(visitor)
    (asked,) = mails(posting)
    reader = Visitor(client_of(create_app(posting)), link(asked, "e"))
    assert ADDRESS in visitor.open("/me-prevenir").text
    assert "plus aucun e-mail" in re.sub("\u2060", "", press(reader, link(asked, "e")).text)
    assert ADDRESS not in visitor.open("/me-prevenir").text


def test_a_mail_programme_stops_for_its_reader_by_one_bare_post(posting: House, visitor: Visitor) -> None:
    """RFC 8058: no cookie, no Origin, a form of one field, in either of two encodings; and no redirect."""
    visitor.answer()
    leave(visitor)
    (asked,) = mails(posting)
    path = link(asked, "e")
    with TestClient(create_app(posting), base_url="http://localhost:8000", follow_redirects=False) as programme:
        fields = {"List-Unsubscribe": "One-Click"}
        for sent in ({"data": fields}, {"files": {name: (None, value) for name, value in fields.items()}}):
            page = programme.post(path, **sent)
            assert page.status_code == 200
        assert programme.post("/e/" + "A" * 32, data=fields).status_code == 404
    assert ADDRESS not in visitor.open("/me-prevenir").text


def test_taking_an_address_back_and_leaving_it_again(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    leave(visitor)
    assert "votre adresse est oubliée" in visitor.press("faire", "retirer").text
    assert "En attente" in leave(visitor).text
    assert len(mails(posting)) == 1, "the first was not to leave any more"


def test_another_phrase_takes_the_place_of_the_first(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    leave(visitor)
    visitor.open("/me-prevenir")
    before = posting.store.db.read(lambda tx: tx.execute(tables.phrases.select()).one())
    assert 'class="words"' in visitor.press("faire", "phrase").text
    assert posting.store.db.read(lambda tx: tx.execute(tables.phrases.select()).one()) != before


def test_in_a_frame_the_same_by_forms(posting: House) -> None:
    visitor = Visitor(client_of(create_app(posting)), "/integre")
    visitor.answer()
    visitor.command("pause")
    visitor.send(next(form for form in forms(visitor.page) if form.action == "/integre/me-prevenir"))
    form = next(form for form in forms(visitor.page) if ("faire", "laisser") in form.buttons)
    assert form.action == "/integre/me-prevenir"
    assert 'class="words"' in visitor.send(form, faire="laisser", adresse=ADDRESS).text


def test_erasing_everything_erases_the_address(posting: House, visitor: Visitor) -> None:
    visitor.answer()
    leave(visitor)
    visitor.open("/autodiag")
    visitor.command("answers")
    visitor.command("erase")
    visitor.command("confirm")
    for table in (tables.contacts, tables.phrases):
        assert not posting.store.db.read(lambda tx, t=table: tx.execute(t.select()).all())  # type: ignore[misc]
    assert mails(posting) == []


def test_the_bot_speaks_first_by_mail_and_its_link_leads_to_the_question(
    posting: House, visitor: Visitor, clock: Any
) -> None:
    for place in (7, 1, 0):
        visitor.answer(place)
    leave(visitor)
    (asked,) = mails(posting)
    confirming = Visitor(client_of(create_app(posting)), link(asked, "confirmer"))
    press(confirming, link(asked, "confirmer"))
    clock.forward(days=1, hours=1)
    said = next(text for text in mails(posting) if "/m/" in text)
    assert "Il vous reste" in said
    phone = Visitor(client_of(create_app(posting)), link(said, "m"))
    page = press(phone, link(said, "m")).text
    asked_now = re.search(r'id="question"[^>]*>([^<]*)', visitor.open("/autodiag").text)
    assert asked_now
    assert asked_now[1] in page
    assert "Optique" not in page
