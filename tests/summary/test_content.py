"""What prepares the visit, as content: every rule may hold, every fault is found at its line; the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bot.content
from bot.check_visit import check
from bot.cli import app
from bot.content import Content
from referential.visit import Preparation
from referential.yamlfile import Fault
from tests.bot.test_check import files_parsed_once, line_of, spoil
from tests.papers.test_result import plain, read_pages

__all__ = ["files_parsed_once", "spoil"]

CONTRADICTIONS, VISIT = "referential/contradictions.yml", "referential/visit.yml"
DEFECTS = {
    # name: (file, old, new, text that starts the fault's line, words of the sentence)
    "a question that is not": (
        CONTRADICTIONS, "reponse: pil-qui, vaut: depanneur", "reponse: pil-quoi, vaut: depanneur", "regle: ", "pas"),
    "an answer that is not": (
        CONTRADICTIONS, "pil-qui, vaut: depanneur", "pil-qui, vaut: depannage", "regle: ", "pas de réponse"),
    "an unknown as an answer": (
        CONTRADICTIONS, "pil-qui, vaut: depanneur", "pil-qui, vaut: nsp", "regle: ", "pas de réponse"),
    "na where it is refused": (
        CONTRADICTIONS, "pil-qui, vaut: depanneur", "pil-qui, vaut: na", "regle: ", "pas de réponse"),
    "a fact called an answer": (
        CONTRADICTIONS, "{fait: gestion_ailleurs", "{reponse: gestion_ailleurs", "regle: {tout: [{fait: gest",
        "écrivez fait"),
    "answers that nobody gives together": (
        CONTRADICTIONS, "{reponse: sau-frequence, vaut: fournisseur}, {reponse: sau-debranchee, vaut: debranchee}",
        "{reponse: sau-frequence, vaut: jamais}, {reponse: sau-debranchee, vaut: debranchee}",
        "regle: {tout: [{reponse: sau-frequence, vaut: fournisseur}, {reponse: sau-deb", "aucune entreprise"),
    "answers of two trades": (
        CONTRADICTIONS, "{reponse: msg-rib, vaut: na}, {reponse: ie-rib-etranger, pas: na}",
        "{reponse: pho-copies, vaut: une}, {reponse: ie-rib-etranger, pas: na}",
        "regle: {tout: [{reponse: msg-rib, vaut: na}, {rep", "aucune entreprise"),
    "one id twice": (
        CONTRADICTIONS, "id: siege-sans-personne", "id: depanneur-nie", "- id: depanneur-nie", "sert 2 fois"),
    "a finding too long": (
        CONTRADICTIONS, "constat: Un dépanneur", "constat: Un dépanneur " + "bien connu " * 10, "constat: Un d",
        "150 au plus"),
    "a document for no theme": (VISIT, "pour: pilotage", "pour: pilote", "- {pour: pilotage", "ni un thème"),
    "a document for an answer that is not": (
        VISIT, "pil-regles, vaut: na", "pil-regles, vaut: rien", "- {pour: pilotage", "pas de réponse"),
    "less than the least": (VISIT, "moyen: 5", "moyen: 4", "au_moins: 5", "moins"),
    "an opening too long": (VISIT, "minutes: 10}", "minutes: 30}", "duree: 120", "un tiers"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_one_fault_at_its_line(spoil: Callable[..., list[Fault]], name: str) -> None:
    file, old, new, line, words = DEFECTS[name]
    faults = spoil(file, old, new)
    assert len(faults) == 1, faults
    assert (faults[0].file, faults[0].line) == (file, line_of(file, line))
    assert words in faults[0].sentence


def test_every_contradiction_may_be_told_and_there_are_enough(content: Content, preparation: Preparation) -> None:
    assert list(check(content)) == []
    assert len(preparation.contradictions) >= 15


def test_each_theme_and_each_trade_has_a_document(content: Content, preparation: Preparation) -> None:
    asked = {document.room for document in preparation.documents}
    assert asked == {room.id for room in content.flow.questionnaire.rooms}


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def content_read_once(monkeypatch: pytest.MonkeyPatch, content: Content) -> None:
    monkeypatch.setattr(bot.content, "load_content", lambda: content)


def test_an_operator_sees_a_summary_from_a_file(tmp_path: Path) -> None:
    file, pdf = tmp_path / "réponses.json", tmp_path / "synthèse.pdf"
    answers = {"pil-qui": "depanneur", "pre-contrat": "na", "msg-rib": "on-paie", "opt-sante": "nsp"}
    file.write_text(json.dumps({"profile": {"branche": "optique"}, "answers": answers}), encoding="utf-8")
    code, said, _ = run("summary", str(file), "--pdf", str(pdf), "--nom", "Optique du Marché", "--minutes", "90")
    assert (code, said) == (0, f"Synthèse écrite : {pdf}\n")
    text = read_pages(pdf.read_bytes())
    clash, unknown = "Un dépanneur est appelé au besoin", "héberge les ordonnances"
    for told in ("Optique du Marché", "1 alerte vitale", "90 minutes", clash, unknown):
        assert plain(told) in text


def test_without_answers_it_is_the_questions_to_ask(tmp_path: Path) -> None:
    file, pdf = tmp_path / "rien.json", tmp_path / "synthese.pdf"
    file.write_text("{}", encoding="utf-8")
    assert run("summary", str(file), "--pdf", str(pdf))[0] == 0
    assert "les questions à poser" in read_pages(pdf.read_bytes())


@pytest.mark.parametrize(
    ("given", "words"),
    [('{"answers": {"pil-qui": "moi"}}', "« pil-qui »"), ("[]", "« profile » et « answers »"), ("{", "JSON")],
)
def test_a_file_that_makes_no_sense_writes_nothing(tmp_path: Path, given: str, words: str) -> None:
    file, pdf = tmp_path / "faux.json", tmp_path / "synthese.pdf"
    file.write_text(given, encoding="utf-8")
    code, _, said = run("summary", str(file), "--pdf", str(pdf))
    assert code == 2
    assert words in said
    assert not pdf.exists()


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "rien.json"
    file.write_text("{}", encoding="utf-8")
    code, _, said = run("summary", str(file), "--pdf", str(tmp_path / "ailleurs" / "s.pdf"))
    assert code == 2
    assert "ne peut pas être écrit" in said
