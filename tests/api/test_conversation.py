"""An Autodiag carried by somebody else's app: begun, answered, left, found again, finished, erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app as command_line
from bot.house import House
from tests.api.conftest import Caller


def test_a_first_answer_leads_to_the_next_question(caller: Caller) -> None:
    shop = caller.begin(campaign="lettre-12_A")
    assert shop.turn["status"] == "active"
    assert shop.turn["question"]["node"] == "branche"
    answer = shop.choose("optique")
    assert answer.status_code == 200
    assert answer.json() == {"turn": shop.turn, "status": "active", "outcome": "taken"}
    assert shop.turn["revision"] == 2
    assert shop.turn["question"]["node"] == "effectif"
    assert shop.get().json() == {"id": shop.id, "turn": shop.turn, "answers": {"branche": "optique"}}


def test_a_profile_already_known_is_not_asked_again(caller: Caller) -> None:
    shop = caller.begin(profile={"branche": "optique"}, trial=True)
    assert shop.turn["question"]["node"] == "effectif"


def test_i_do_not_know_is_offered_and_recorded_at_once(caller: Caller) -> None:
    shop = caller.begin(profile={"branche": "optique", "effectif": "2-10"})
    asked = shop.turn["question"]
    assert "nsp" in [choice["id"] for choice in asked["choices"]]
    assert shop.choose("nsp").status_code == 200
    assert shop.turn["question"]["node"] != asked["node"]
    assert shop.get().json()["answers"][asked["node"]] == "nsp"


def test_typed_french_is_read_and_what_is_not_clear_is_said(caller: Caller) -> None:
    shop = caller.begin()
    assert shop.send({"type": "text", "text": "Optique-lunetterie"}).status_code == 200
    assert shop.get().json()["answers"] == {"branche": "optique"}
    shop.send({"type": "text", "text": "zorglub ?"})
    assert [message["kind"] for message in shop.turn["messages"]] == ["unclear"]
    shop.send({"type": "text", "text": "C’est quoi un VPN ?", "revision": shop.turn["revision"]})
    assert "VPN" in shop.turn["messages"][0]["text"]


def test_the_same_key_twice_gives_the_present_turn_and_changes_nothing(caller: Caller) -> None:
    shop = caller.begin()
    shop.choose("optique", key="once")
    present = shop.turn
    for event in ({"type": "command", "name": "back"}, {"type": "text", "text": "2"}):
        again = shop.send(event, key="once")
        assert again.json() == {"turn": present, "status": "active", "outcome": "seen"}
    assert shop.get().json()["turn"] == present


def test_a_key_belongs_to_its_conversation(caller: Caller) -> None:
    first, second = caller.begin(), caller.begin()
    first.choose("optique", key="1")
    assert second.choose("chaussure", key="1").json()["outcome"] == "taken"


def test_a_stale_button_changes_nothing_and_shows_where_things_stand(caller: Caller) -> None:
    shop = caller.begin()
    old = {"type": "choice", "node": "branche", "choice": "chaussure", "revision": shop.turn["revision"]}
    shop.choose("optique")
    present = shop.turn
    stale = shop.send(old)
    assert (stale.status_code, stale.json()["code"], stale.json()["turn"]) == (409, "stale", present)
    assert shop.get().json()["answers"] == {"branche": "optique"}
    elsewhere = shop.send({**old, "revision": present["revision"]}, key="elsewhere")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "not_asked")
    assert shop.choose("2-10", key="elsewhere").json()["outcome"] == "taken"  # what was refused used no key up


def test_an_answer_that_a_later_one_made_moot_is_not_shown(caller: Caller) -> None:
    shop = caller.begin(profile={"branche": "optique"})
    shop.choose("2-10")
    assert shop.turn["question"]["node"] == "gestion_ailleurs"
    shop.choose("non")
    shop.command("edit", node="effectif")
    shop.choose("1")
    assert shop.get().json()["answers"] == {"branche": "optique", "effectif": "1"}


def test_a_pause_asks_nothing_until_the_manager_is_back(caller: Caller) -> None:
    shop = caller.begin()
    shop.command("pause")
    assert (shop.turn["status"], shop.turn["question"]) == ("paused", None)
    shop.command("resume")
    assert shop.turn["question"]["node"] == "branche"


def test_erasing_asks_for_a_confirmation_then_nothing_answers_any_more(caller: Caller) -> None:
    shop = caller.begin()
    assert shop.command("confirm").json()["code"] == "nothing_to_confirm"
    assert shop.command("erase").json()["turn"]["place"] == "confirm"
    gone = shop.send({"type": "command", "name": "confirm"}, key="the-end")
    assert (gone.status_code, gone.json()) == (200, {"turn": None, "status": "erased", "outcome": "erased"})
    after = [
        shop.send({"type": "command", "name": "confirm"}, key="the-end"),
        shop.get(),
        shop.get("/result"),
        shop.http.delete(shop.at, headers=shop.headers()),
    ]
    assert [answer.status_code for answer in after] == [404] * 4


def test_delete_erases_at_once(caller: Caller, house: House) -> None:
    shop, other = caller.begin(), caller.begin()
    gone = shop.http.delete(shop.at, headers=shop.headers())
    assert (gone.status_code, gone.content) == (204, b"")
    assert shop.get().status_code == 404
    assert other.get().status_code == 200
    left = house.store.db.read(lambda tx: tx.exec_driver_sql("select count(*) from conversations").scalar_one())
    assert left == 1


def test_a_restart_keeps_the_profile_that_was_given(caller: Caller) -> None:
    shop = caller.begin(profile={"branche": "optique"}).to_result()
    assert shop.turn["status"] == "short_done"
    shop.command("restart")
    shop.command("confirm")
    assert (shop.turn["status"], shop.turn["question"]["node"]) == ("active", "effectif")


PICKS = {
    "the weakest everywhere": lambda n, ids: ids[0],
    "the best everywhere": lambda n, ids: [each for each in ids if each not in ("nsp", "na")][-1],
    "nothing known": lambda n, ids: "nsp",
    "a bit of everything": lambda n, ids: ids[(7 * n) % len(ids)],
}


@pytest.mark.parametrize("pick", PICKS.values(), ids=PICKS)
@pytest.mark.databases("sqlite", because="the same questions and sums; the next test plays one on both")
def test_an_autodiag_played_to_the_end_is_worth_what_autodiag_score_says(
    caller: Caller, house: House, tmp_path: Path, pick: Any
) -> None:
    shop = caller.begin(profile={"branche": "optique"})
    _answer_all(shop, pick)
    assert shop.turn["status"] == "short_done"
    _compare(shop, house, tmp_path)
    for _ in range(40):
        if not (wanted := _next_section(shop)):
            break
        assert shop.command("deepen", node=wanted).status_code == 200
        _answer_all(shop, pick)
    assert shop.turn["status"] == "done"
    assert len(shop.get().json()["answers"]) > 30
    _compare(shop, house, tmp_path)


def test_a_first_result_is_worth_what_autodiag_score_says(caller: Caller, house: House, tmp_path: Path) -> None:
    _compare(caller.begin().to_result(), house, tmp_path)


def _answer_all(shop: Caller, pick: Any) -> None:
    while asked := shop.turn["question"]:
        chosen = pick(shop.turn["revision"], [choice["id"] for choice in asked["choices"]])
        assert shop.choose(chosen).status_code == 200


def _next_section(shop: Caller) -> str:
    shop.command("deepen")
    return next((button["node"] for button in shop.turn["buttons"] if button["name"] == "deepen"), "")


def _compare(shop: Caller, house: House, folder: Path) -> None:
    """The score of half-way and of the end, from the same answers by the command line."""
    facts = {fact.id for fact in house.flow.questionnaire.profile}
    answers = shop.get().json()["answers"]
    file = folder / "answers.json"
    split = {
        "profile": {node: choice for node, choice in answers.items() if node in facts},
        "answers": {node: choice for node, choice in answers.items() if node not in facts},
    }
    file.write_text(json.dumps(split), encoding="utf-8")
    printed = CliRunner().invoke(command_line, ["score", str(file)])
    assert printed.exit_code == 0, printed.output
    assert shop.get("/result").json() == json.loads(printed.stdout)
