"""Coming back: link, code, forgetting, erasing; nothing that one presses twice counts twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from starlette.testclient import TestClient

from bot.house import House
from bot.web.app import create_app
from store import tables
from tests.conftest import Clock
from tests.web.conftest import client_of
from tests.web.visitor import Visitor, forms

pytestmark = pytest.mark.databases("sqlite", because="tests/bot/test_turn.py opens and closes ways on both")
Devices = Callable[[], TestClient]


def conversations(house: House) -> int:
    return house.store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(tables.conversations))) or 0


def test_the_whole_short_path_by_forms_alone(visitor: Visitor) -> None:
    page = visitor.to_result()
    assert "Niveau estimé, avant l'avis de l'expert" in page.text
    assert "thèmes sur 15" in page.text
    assert "À régler d'abord" in page.text
    assert "guides publics de l'ANSSI" in page.text


def test_a_double_tap_begins_once_and_answers_once(house: House, visitor: Visitor) -> None:
    first = visitor.choices()
    visitor.answer()
    asked = visitor.page.text
    visitor.client.cookies.clear()
    assert visitor.send(first, choice=first.buttons[0][1]).status_code == 200
    assert conversations(house) == 1
    second = visitor.choices()
    visitor.answer(1)
    here = re.findall(r'id="question"[^>]*>([^<]*)', visitor.page.text)
    assert visitor.send(second, choice=second.buttons[1][1]).status_code == 200
    assert re.findall(r'id="question"[^>]*>([^<]*)', visitor.page.text) == here
    assert asked != visitor.page.text


def test_an_old_welcome_page_does_not_begin_again(house: House, visitor: Visitor) -> None:
    old = visitor.choices()
    old.fields["id"] = "y" * 24
    visitor.answer()
    visitor.send(old, choice=old.buttons[3][1])
    assert visitor.page.status_code == 409
    assert conversations(house) == 1


def link_of(visitor: Visitor) -> str:
    visitor.open("/mon-lien")
    visitor.press("faire", "lien")
    found = re.search(r"http://localhost:8000(/r/[A-Za-z0-9_-]+)", visitor.page.text)
    assert found
    return found[1]


def test_a_link_opens_again_and_again_and_only_when_its_button_is_pressed(device: Devices, visitor: Visitor) -> None:
    visitor.answer()
    visitor.answer(1)
    link, asked = link_of(visitor), visitor.open("/autodiag").text
    for _ in range(2):
        other = Visitor(device())
        assert "set-cookie" not in other.open(link).headers
        other.send(next(form for form in forms(other.page) if form.action == link))
        assert other.page.status_code == 200
        assert _question(other.page.text) == _question(asked)


def test_closed_links_open_nothing_any_more(device: Devices, visitor: Visitor) -> None:
    visitor.answer()
    link = link_of(visitor)
    visitor.open("/mon-lien")
    assert "ne marchent plus" in visitor.press("faire", "fermer").text
    assert device().post(link, data={"id": "z" * 24}).status_code == 403
    assert visitor.open("/autodiag").status_code == 200


def test_a_code_opens_once_for_fifteen_minutes(device: Devices, visitor: Visitor, clock: Clock) -> None:
    visitor.answer()
    visitor.open("/mon-lien")
    visitor.press("faire", "code")
    code = re.search(r'class="code">([^<]+)', visitor.page.text)
    assert code
    other, late = device(), device()
    assert other.post("/code", data={"id": "z" * 24, "code": f" {code[1].lower()}-"}).status_code == 200
    assert _question(other.get("/autodiag").text) == _question(visitor.open("/autodiag").text)
    assert late.post("/code", data={"id": "z" * 24, "code": code[1]}).status_code == 403
    visitor.open("/mon-lien")
    visitor.press("faire", "code")
    code = re.search(r'class="code">([^<]+)', visitor.page.text)
    assert code
    clock.forward(minutes=16)
    assert late.post("/code", data={"id": "z" * 24, "code": code[1]}).status_code == 403


def test_a_forgotten_device_keeps_nothing(house: House, visitor: Visitor) -> None:
    visitor.answer()
    token = visitor.client.cookies["autodiag"]
    visitor.open("/mon-lien")
    visitor.press("faire", "oublier")
    assert "autodiag" not in visitor.client.cookies
    visitor.client.cookies.set("autodiag", token)
    assert visitor.open("/autodiag").status_code == 403
    assert conversations(house) == 1


def test_erasing_says_goodbye_and_leaves_nothing(house: House, visitor: Visitor) -> None:
    visitor.to_result()
    visitor.open("/vos-donnees")
    visitor.command("erase")
    assert "Tout effacer" in visitor.page.text
    assert conversations(house) == 1
    visitor.command("confirm")
    assert "Tout est effacé" in visitor.page.text
    assert conversations(house) == 0
    assert visitor.open("/autodiag").status_code == 403


def test_the_page_about_data_says_on_what_ground_and_how_long(house: House, visitor: Visitor) -> None:
    page = visitor.open("/vos-donnees").text
    assert house.settings.legal.basis in page
    assert "ce qui est effacé en disparaît au bout de 30 jours au plus" in page


def test_the_emergency_page_promises_nothing_to_who_has_not_begun(visitor: Visitor) -> None:
    page = visitor.open("/urgence")
    assert "vous attendent ici" not in page.text
    assert "public" in page.headers["cache-control"]


def test_who_has_begun_finds_the_way_back_from_the_emergency_page(visitor: Visitor) -> None:
    assert "Revenir à mes questions" not in visitor.open("/urgence").text
    visitor.open("/")
    visitor.answer()
    page = visitor.open("/urgence")
    assert re.search(r'href="/autodiag">Revenir à mes questions', page.text)
    assert page.headers["cache-control"] == "no-store"
    assert "Cookie" in page.headers["vary"]


def test_a_code_does_not_hide_the_link_just_made_and_shows_no_other(house: House, visitor: Visitor) -> None:
    visitor.answer()
    visitor.open("/mon-lien")
    visitor.press("faire", "lien")
    link = re.search(r'class="key">([^<]+)', visitor.page.text)
    assert link
    page = visitor.press("faire", "code").text
    assert 'class="code"' in page
    assert link[1] in page
    assert page.count("data-focus") == 1
    stranger = Visitor(client_of(create_app(house)))
    stranger.answer()
    sent = {"id": "z" * 24, "faire": "code", "lien": link[1].rpartition("/")[2]}
    assert 'class="key"' not in stranger.client.post("/mon-lien", data=sent).text


def test_after_a_tutorial_questions_are_checked_again_not_numbered(visitor: Visitor) -> None:
    visitor.to_result()
    tutorial = next(form for form in forms(visitor.page) if ("command", "tutorial") in form.buttons)
    visitor.send(tutorial, command="tutorial")
    while "Étape suivante" in visitor.page.text:
        visitor.command("next")
    page = visitor.command("done").text
    assert "On revérifie" in page
    assert not re.search(r"Question \d+ sur", page)
    assert 'class="past"' not in page


def test_a_tutorial_that_has_a_poster_offers_it_at_both_ends(visitor: Visitor) -> None:
    visitor.to_result()
    tutorial = next(form for form in forms(visitor.page) if ("command", "tutorial") in form.buttons)
    visitor.send(tutorial, command="tutorial", word="fiche-urgence")
    shown = ["/affiches/fiche-urgence" in visitor.page.text]
    while "Étape suivante" in visitor.page.text:
        visitor.command("next")
        shown.append("/affiches/fiche-urgence" in visitor.page.text)
    assert shown == [True, *[False] * (len(shown) - 2), True]


def test_telegram_is_offered_only_where_it_is_on(
    house: House, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.answer()
    assert "Telegram" not in visitor.open("/mon-lien").text
    visitor.client.post("/mon-lien", data={"id": "z" * 24, "faire": "telegram"})
    on = house.settings.telegram.model_copy(update={"token": SecretStr("123:abc")})
    here = replace(house, settings=house.settings.model_copy(update={"telegram": on}), doors={})
    visitor = Visitor(client_of(create_app(here)))
    visitor.answer()
    visitor.open("/mon-lien")
    silent = visitor.press("faire", "telegram")
    assert silent.status_code == 503
    assert "Telegram ne répond pas" in silent.text
    here.doors["telegram"] = SimpleNamespace(name="autodiag_bot")
    page = visitor.press("faire", "telegram").text
    link = re.search(r'href="https://t\.me/autodiag_bot\?start=code-([A-Z0-9]{8})"', page)
    assert link
    assert 'class="qr"' in page
    other = client_of(create_app(house))
    assert other.post("/code", data={"id": "z" * 24, "code": link[1]}).status_code == 200


def test_what_one_takes_away_holds_every_answer(visitor: Visitor) -> None:
    visitor.to_result()
    page = visitor.open("/vos-donnees.json")
    assert "attachment" in page.headers["content-disposition"]
    taken = page.json()
    assert len(taken["reponses"]) >= 15
    assert taken["resultat"]["themes_scored"] <= 15
    assert len(taken["journal"]) >= len(taken["reponses"])


def test_a_changed_answer_replaces_the_earlier_one(visitor: Visitor) -> None:
    visitor.answer()
    visitor.answer(1)
    visitor.command("answers")
    visitor.press("node", "effectif")
    assert "votre réponse" in visitor.page.text
    visitor.answer(2)
    assert "11 à 49" in visitor.page.text


def _question(page: str) -> list[str]:
    return re.findall(r'id="question"[^>]*>([^<]*)', page)
