"""The summary on paper: read, heard, and in black and white; whatever a firm or its manager is called."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pikepdf
import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dialogue.engine import begin
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.summary.value import Read, Summary, Told, Visit
from papers.summary import measures, start_of, summary_pdf
from referential.model import References
from tests.papers.conftest import answered, strongest, unsure, weakest
from tests.papers.test_result import DARK, HOSTILE, complaints, heard, plain, read_pages
from tests.summary.conftest import OWN_WORDS, VISIT, Make, everything

PROGRAMME = "Cyberdiag, exemple"


def unbroken(text: str) -> str:
    """Words as they are said, wherever a line ends."""
    return plain(text).replace("- ", "-")


def drawn(found: Summary) -> bytes:
    return summary_pdf(found, programme=PROGRAMME)


@pytest.fixture(scope="module")
def paper(make: Make, earlier: Read) -> bytes:
    return drawn(make(since=earlier))


def test_everything_that_the_consultant_needs_is_on_it(paper: bytes, make: Make, earlier: Read) -> None:
    text, found = read_pages(paper), make(since=earlier)
    told = [
        "Synthèse avant visite : Optique du Marché",
        "Mardi 1er décembre 2026 à 9 h 30, sur place, 120 minutes",
        "12 place du Marché",
        "Depuis la synthèse du 12 novembre 2026",
        "Avant : « On rappelle toujours un numéro déjà connu ». Maintenant : On l'enregistre et on paie",
        f"Entre {found.low} et {found.high} sur 100",
        "Barème proposé",
        "2 alertes vitales",
        "« dans le carnet bleu sous le comptoir » changé",
        "Son métier : Optique-lunetterie",
        "Hyg. 37, TPE 2, CPME 4",
        *(bar.title for bar in found.bars),
        *(f"{alert.text} {alert.answer}" for alert in found.alerts),
        *(clash.finding for clash in found.clashes),
        *(clash.ask for clash in found.clashes),
        *(each.how for each in found.unknown),
        *(text for papers in found.papers for text in papers.texts),
        *(f"{start_of(found.visit, slot)} {slot.minutes} min" for slot in found.agenda),
    ]
    assert [line for line in told if unbroken(line) not in unbroken(text)] == []


def test_both_checkers_find_nothing(paper: bytes, make: Make, flow: Flow, tmp_path: Path) -> None:
    whole = everything(flow)
    others = [
        make(None, visit=None),
        *(make(answered(flow, pick, whole)) for pick in (weakest, strongest, unsure)),
    ]
    for pdf in (paper, *map(drawn, others)):
        assert complaints(pdf, tmp_path) == []


def test_it_is_heard_in_the_order_in_which_it_is_used(paper: bytes, make: Make, tmp_path: Path) -> None:
    said = heard(paper, tmp_path)
    assert said[0] == ("Title", "synthèse avant visite : optique du marché")
    assert [text for tag, text in said if tag == "H1"] == [
        "depuis la synthèse du 12 novembre 2026",
        "l'entreprise",
        "à régler d'abord : 2 alertes vitales",
        "les 15 thèmes, du plus fragile au plus solide",
        "réponses à rapprocher",
        "avec ses mots",
        "à vérifier sur place",
        "documents à demander avant la visite",
        "déroulé proposé : 120 minutes",
    ]
    figures = [text for tag, text in said if tag == "Figure"]
    assert len(figures) == sum(bar.tone != "not_scored" for bar in make().bars) + 1
    assert all(text.startswith("[figure alt: la note est ") for text in figures)


def test_three_pages_are_enough_for_anyone(paper: bytes, make: Make, flow: Flow) -> None:
    whole = everything(flow)
    long = {question.id: "mot " * 200 for theme in flow.questionnaire.themes for question in theme.questions}
    many = [drawn(make(answered(flow, pick, whole), own_words=long)) for pick in (weakest, unsure)]
    for pdf in (paper, *many, drawn(make(begin(flow, {"branche": "import-export", "effectif": "2-10"})))):
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            assert 2 <= len(opened.pages) <= 3


def test_what_was_cut_is_said(make: Make, flow: Flow, session: Session) -> None:
    long = dict.fromkeys(session.answers, "un mot de plus " * 40)
    text = read_pages(drawn(make(own_words=long)))
    assert "[…]" in text
    assert "autres, dans votre espace" in text


def test_in_black_and_white_words_and_hatches_carry_what_colours_do(paper: bytes) -> None:
    with pymupdf.open(stream=paper, filetype="pdf") as opened:  # type: ignore[no-untyped-call]
        page = opened[0]
        shot = page.get_pixmap(dpi=200)
        grey = Image.frombytes("RGB", (shot.width, shot.height), shot.samples).convert("L")
        words = {plain(line): line for line in page.get_text().splitlines()}
        dark = {}
        for title in ("Données des clients et des salariés", "E-mails et arnaques au paiement", "Mises à jour"):
            at = next(found for found in page.search_for(title) if found.x0 < 50)
            left, top, right, bottom = (edge * 200 / 72 for edge in (222, at.y0 + 4, 268, at.y1 - 4))
            band = grey.crop((left, top, right, bottom)).tobytes()
            dark[title] = sum(shade < DARK for shade in band) / len(band)
    assert {"faible", "moyen", "satisfaisant", "à vérifier", "pas noté"} <= set(words)
    empty, half, hatched = dark.values()
    assert empty < 0.05
    assert 0.4 < half < 0.6
    assert 0.2 < hatched < 0.6


def test_names_and_words_are_only_text(make: Make) -> None:
    visit = replace(VISIT, firm=HOSTILE, told=(Told(HOSTILE, HOSTILE),))
    text = read_pages(drawn(make(visit=visit, own_words=dict.fromkeys(OWN_WORDS, HOSTILE))))
    assert text.count(plain(HOSTILE)) >= 5


@given(st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_name_and_any_words_make_a_paper(make: Make, firm: str, said: str) -> None:
    found = make(visit=replace(VISIT, firm=firm), own_words={"sau-frequence": said})
    assert drawn(found).startswith(b"%PDF")


def test_a_firm_that_phoned_gets_questions_and_no_note(make: Make) -> None:
    text = read_pages(drawn(make(None, visit=Visit(firm="Le Fournil"))))
    assert "le fournil" in text
    assert "n'a pas fait l'autodiag" in text
    assert "visite sur place, 120 minutes, date à fixer" in text
    assert "niveau estimé" not in text
    assert "les 15 thèmes" not in text
    assert text.count("□") == len(make(None).open)
    assert "0 h 10 " in text


def test_equal_summaries_give_equal_papers(make: Make, earlier: Read, paper: bytes) -> None:
    assert drawn(make(since=earlier)) == paper


def test_measures_that_follow_one_another_are_drawn_together() -> None:
    assert measures(References(hyg=(1, 8, 9, 10, 12), cpme=(2,))) == ["Hyg. 1, 8–10, 12", "CPME 2"]
    assert measures(References()) == []
