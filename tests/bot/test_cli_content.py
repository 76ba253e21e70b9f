"""`autodiag score`, `autodiag check`: what they print, and how they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import bot.content
import bot.links
from bot.cli import app
from bot.content import Content
from bot.links import Visit
from referential.yamlfile import Fault, Faults

PUBLISHED = bot.content.load_content()
Given = dict[str, Any]


@pytest.fixture(autouse=True)
def content_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.content, "load_content", lambda: PUBLISHED)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "réponses.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def scored(file: Path, given: Given) -> Given:
    file.write_text(json.dumps(given), encoding="utf-8")
    result = run("score", str(file))
    assert result.exit_code == 0, result.output
    found: Given = json.loads(result.stdout)
    return found


def refused(file: Path, given: object) -> str:
    file.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    result = run("score", str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stderr


def theme(found: Given, name: str) -> Given:
    return next(each for each in found["themes"] if each["id"] == name)


def test_the_example_of_the_brief(file: Path) -> None:
    answers = {"pil-qui": "designe", "inv-materiel": "nsp", "msg-rib": "contre-appel"}
    found = scored(file, {"profile": {}, "answers": answers})
    assert list(found) == [
        "cautious",
        "high",
        "known",
        "level",
        "themes_scored",
        "themes",
        "branch",
        "alerts",
        "actions",
    ]
    assert found["themes_scored"] == 3
    assert found["cautious"] == 60.0, "(80 + 0 + 100) / 3"
    assert found["high"] == 93.3, "(80 + 100 + 100) / 3"
    assert found["known"] == 90.0, "(80 + 100) / 2"
    assert found["level"] == "moyen"
    assert len(found["themes"]) == 15
    assert theme(found, "pilotage") == {
        "id": "pilotage", "cautious": 80.0, "high": 80.0, "known": 80.0, "status": "scored",
    }  # fmt: skip
    assert theme(found, "inventaire") == {
        "id": "inventaire", "cautious": 0.0, "high": 100.0, "known": None, "status": "to_check",
    }  # fmt: skip
    assert theme(found, "incident") == {
        "id": "incident", "cautious": None, "high": None, "known": None, "status": "not_scored",
    }  # fmt: skip
    assert (found["branch"], found["alerts"]) == (None, [])
    assert found["actions"] == [
        {"verify": "comptable", "minutes": 5, "priority": 1.0},
        {"tutorial": "referent-remplacant", "minutes": 15, "priority": 0.32},
    ]


@pytest.mark.parametrize("given", [{}, {"profile": {}, "answers": {}}, {"profile": {"effectif": "1"}}])
def test_no_answer_leaves_everything_empty(file: Path, given: Given) -> None:
    found = scored(file, given)
    assert [found[key] for key in ("cautious", "high", "known", "level")] == [None] * 4
    assert (found["themes_scored"], found["branch"], found["alerts"], found["actions"]) == (0, None, [], [])


def test_an_empty_profile_excludes_no_answer(file: Path) -> None:
    answers = {"pil-regles": "aucune", "cpt-individuel": "commun", "web-maj": "suivi", "cad-pic": "non"}
    found = scored(file, {"profile": {}, "answers": answers})
    assert found["themes_scored"] == 3
    assert found["branch"]["id"] == "commerce-distance"
    alone = scored(file, {"profile": {"effectif": "1", "presence_web": "non", "branche": "autre"}, "answers": answers})
    assert (alone["themes_scored"], alone["branch"], alone["cautious"]) == (0, None, None)


def test_rules_on_answers_always_hold(file: Path) -> None:
    found = scored(file, {"answers": {"sau-frequence": "jamais", "sau-test": "moins-un-an"}})
    assert theme(found, "sauvegardes")["cautious"] == 0
    assert found["alerts"] == ["sau-frequence"]


def test_a_branch_has_no_status_but_its_id_and_notes(file: Path) -> None:
    found = scored(file, {"answers": {"hor-stock": "tous"}})
    assert found["branch"] == {"id": "horlogerie-bijouterie", "cautious": 0.0, "high": 0.0, "known": 0.0}
    assert (found["alerts"], found["level"]) == (["hor-stock"], None)
    assert found["actions"][0] == {"tutorial": "coffre-mdp", "minutes": 45, "priority": 1.0}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"answers": {"inconnue": "oui"}}, "inconnue"),
        ({"answers": {"pil-qui": "jamais-vu"}}, "jamais-vu"),
        ({"answers": {"pil-qui": "na"}}, "pil-qui"),
        ({"answers": {"effectif": "1"}}, "effectif"),
        ({"profile": {"pil-qui": "designe"}}, "pil-qui"),
        ({"profile": {"effectif": "12"}}, "12"),
        ({"profile": {"effectif": "na"}}, "effectif"),
        ({"réponses": {}}, "réponses"),
        ({"answers": {"pil-qui": 3}}, "answers"),
        ({"answers": ["pil-qui"]}, "answers"),
        ([], "profile"),
        ("null", "profile"),
        ("{", "JSON"),
        ("", "JSON"),
    ],
)
def test_what_is_refused_is_named(file: Path, given: object, named: str) -> None:
    assert named in refused(file, given)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        result = run("score", str(path))
        assert result.exit_code == 2
        assert str(path) in result.stderr


def test_a_file_that_is_not_utf_8_is_refused(file: Path) -> None:
    file.write_bytes('{"answers": {"é": "x"}}'.encode("latin-1"))
    result = run("score", str(file))
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


def test_the_whole_program_says_it_too(file: Path) -> None:
    file.write_text('{"answers": {"pil-qui": "rien"}}', encoding="utf-8")
    command = [sys.executable, "-m", "bot.cli", "score", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "« pil-qui » n'a pas de choix « rien ».\n"


def test_check_counts_the_content() -> None:
    result = run("check", "--json")
    assert result.exit_code == 0
    counts = json.loads(result.stdout)
    expected = {"questions": 39, "branch_questions": 29, "tutorials": 26, "themes": 15, "essential": 15, "branches": 8}
    assert {name: counts[name] for name in expected} == expected
    assert counts["faults"] == []
    assert counts["glossary"] >= 35


def test_check_prints_each_fault_with_its_place_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Content:
        raise Faults([Fault("referential/scale.yml", 7, "corrigez."), Fault("tutorials/x.md", 2, "ajoutez.")])

    monkeypatch.setattr(bot.content, "load_content", damaged)
    plain = run("check")
    assert plain.exit_code == 1
    assert plain.stderr.splitlines() == [
        "referential/scale.yml, ligne 7 : corrigez.",
        "tutorials/x.md, ligne 2 : ajoutez.",
        "2 défauts à corriger.",
    ]
    as_json = run("check", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["faults"][0] == {
        "file": "referential/scale.yml",
        "line": 7,
        "sentence": "corrigez.",
    }


def test_check_links_fails_when_one_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = [Visit("https://a.fr", 200, "", "https://b.fr"), Visit("https://c.fr", 404, "Not Found", "https://c.fr")]
    monkeypatch.setattr(bot.links, "visit_all", lambda _: visits)
    result = run("check", "--links")
    assert result.exit_code == 1
    assert "bon  200  https://a.fr → https://b.fr" in result.stdout
    assert "À REVOIR  404  https://c.fr" in result.stdout
    monkeypatch.setattr(bot.links, "visit_all", lambda _: visits[:1])
    assert run("check", "--links").exit_code == 0
