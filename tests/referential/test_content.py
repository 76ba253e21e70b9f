"""The content as published: what its editors promised, and what binds it to the first version of the brief."""

from __future__ import annotations

from typing import Any

from referential.load import load
from referential.model import Questionnaire
from scoring.questionnaire import assemble
from tutorials import load as tutorials

REFERENTIAL = load()
BOOK = assemble(REFERENTIAL, tutorials.load())


def test_there_are_39_questions_in_15_themes_and_29_in_8_branches() -> None:
    assert len(REFERENTIAL.themes) == 15
    assert sum(len(theme.questions) for theme in REFERENTIAL.themes) == 39
    assert len(REFERENTIAL.branches) == 8
    assert sum(len(branch.questions) for branch in REFERENTIAL.branches) == 29


def test_every_trade_but_the_last_has_its_module_in_the_order_of_the_profile() -> None:
    trades = [choice.id for choice in REFERENTIAL.profile[0].choices]
    assert [branch.id for branch in REFERENTIAL.branches] == trades[:-1]
    assert trades[-1] == "autre"


def test_the_questionnaire_survives_json_with_the_same_fingerprint() -> None:
    again = Questionnaire.model_validate_json(BOOK.model_dump_json())
    assert again == BOOK
    assert again.fingerprint == BOOK.fingerprint


def test_a_note_a_weight_a_threshold_or_a_word_changes_the_fingerprint() -> None:
    theme = BOOK.themes[0]
    question = theme.questions[0]
    others: list[dict[str, Any]] = [
        {"scale": BOOK.scale.model_copy(update={"middling_from": 41})},
        {"version": "2"},
        {"themes": (theme.model_copy(update={"title": "Autre"}), *BOOK.themes[1:])},
        {
            "themes": (
                theme.model_copy(
                    update={"questions": (question.model_copy(update={"weight": 1}), *theme.questions[1:])}
                ),
                *BOOK.themes[1:],
            )
        },
    ]
    prints = {BOOK.model_copy(update=other).model_dump_json() for other in others}
    fingerprints = {Questionnaire.model_validate_json(text).fingerprint for text in prints}
    assert len(fingerprints | {BOOK.fingerprint}) == 1 + len(others)


def test_every_word_of_the_glossary_leads_to_one_entry() -> None:
    assert REFERENTIAL.terms["2fa"] is REFERENTIAL.terms["double code"]
    assert len(REFERENTIAL.terms) == sum(1 + len(entry.synonyms) for entry in REFERENTIAL.glossary)
