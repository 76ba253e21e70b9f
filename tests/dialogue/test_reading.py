"""Typed French: what is sure is recorded, everything else asks again."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dialogue.engine import begin
from dialogue.events import Command, Commanded, Event, NotUnderstood, ReadAnswer
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.understanding.commands import COMMAND_WORDS
from dialogue.understanding.exact import NOT_CONCERNED_WORDS, UNKNOWN_WORDS
from dialogue.understanding.plain import normal
from dialogue.words import FOLDER
from referential.model import Question
from tests.dialogue.conftest import FLOW, after, asked, bare, do, walked
from tests.dialogue.conftest import read as read_typed

LABELS: dict[str, str] = yaml.safe_load((FOLDER / "labels.yml").read_text(encoding="utf-8"))
YES_AND_NO = Path(__file__).parent / "oui-non.json"


def at(node: str) -> Session:
    """A session where this question is asked."""
    home = FLOW.questionnaire.home.get(node, "profile")
    trade = home if home in FLOW.questionnaire.profile[0].by_choice else "autre"
    answers = {"branche": trade, "effectif": "2-10", "presence_web": "boutique"}
    if node == "presence_web":
        return walked(begin(FLOW), {**answers, "pay-terminal": "na"}, until=node)
    session = walked(begin(FLOW), answers, until=node)
    return session if asked(session) == node else walked(after(session, do("deepen", home)), answers, until=node)


ASKED = {
    question.id: session
    for question in FLOW.questionnaire.questions()
    if getattr(question, "asked", "") != "never" and asked(session := at(question.id)) == question.id
}


def read(flow: Flow, session: Session, text: str) -> Event:
    return bare(read_typed(flow, session, text))


def heard(node: str, text: str) -> Event:
    return read(FLOW, ASKED[node], text)


def test_every_question_that_can_be_asked_is_tried_here() -> None:
    assert len(ASKED) == 39 + 29 + 4


QUANTITIES = {"effectif", "pho-copies"}
"""Where a number typed may be a count rather than a place in the list."""


@pytest.mark.parametrize("node", ASKED)
def test_a_label_is_read_in_any_case_accents_and_punctuation(node: str) -> None:
    question = FLOW.questionnaire.by_id[node]
    for choice in question.choices:
        plain = normal(choice.label)
        squeezed = plain.replace(" :", ":").replace(",", " ")
        for text in (
            choice.label,
            choice.label.upper(),
            plain,
            f"  « {choice.label} ». ",
            choice.label + " !",
            squeezed,
        ):
            assert heard(node, text) == ReadAnswer(node, choice.id), text
    if question.na_label:
        assert heard(node, question.na_label.lower()) == ReadAnswer(node, "na")


@pytest.mark.parametrize("node", ASKED)
def test_a_number_or_a_letter_is_the_place_in_the_list(node: str) -> None:
    question = FLOW.questionnaire.by_id[node]
    for place, choice in enumerate(question.choices):
        if place < 8:
            assert heard(node, "ABCDEFGH"[place] + ")") == ReadAnswer(node, choice.id)
        if node not in QUANTITIES:
            assert heard(node, f" {place + 1}. ") == ReadAnswer(node, choice.id)
    for text in (str(len(question.choices) + 1), "0", "-1", "1,5", "1 2", "12", "z", "i"):
        if node not in QUANTITIES:
            assert heard(node, text) == NotUnderstood(), text


@pytest.mark.parametrize(
    ("text", "choice"),
    [("1", "1"), ("2", "2-10"), ("6", "2-10"), ("10", "2-10"), ("11", "11-49"), ("49", "11-49"), ("300", "300-plus"),
     ("3", None), ("4", None), ("5", None), ("0", None), ("1000000", None), ("2 à 10", "2-10")],
)  # fmt: skip
def test_how_many_people_is_a_quantity_and_never_a_place(text: str, choice: str | None) -> None:
    assert heard("effectif", text) == (ReadAnswer("effectif", choice) if choice else NotUnderstood())


@pytest.mark.parametrize(
    ("text", "choice"), [("1", "une"), ("2", None), ("3", None), ("12", "trois"), ("b", "deux-sur-place")]
)
def test_how_many_copies_is_a_quantity_where_its_place_says_the_same(text: str, choice: str | None) -> None:
    assert heard("pho-copies", text) == (ReadAnswer("pho-copies", choice) if choice else NotUnderstood())


@pytest.mark.parametrize(
    "text",
    ["on m'a piraté", "je suis piratée", "j'ai un virus !!", "demande de rançon", "SOS", "aidez moi je suis attaqué !"],
)
def test_an_emergency_in_any_words_shows_the_first_gestures(text: str) -> None:
    assert heard("pil-qui", text) == Commanded("emergency")


@pytest.mark.parametrize("text", ["pas d'antivirus", "un anti-virus gratuit", "attache", "l'os"])
def test_what_only_looks_like_an_emergency_is_none(text: str) -> None:
    assert heard("pil-qui", text) != Commanded("emergency")


@pytest.mark.parametrize("text", ["la 2", "le 2", "2e", "choix 2", "la 2e"])
def test_a_place_said_in_words_is_a_place(text: str) -> None:
    assert heard("pil-qui", text) == ReadAnswer("pil-qui", "debrouille")


def yes_and_no(question: Question) -> dict[str, str | list[str] | None]:
    found: dict[str, str | list[str] | None] = {
        "texte": question.text,
        "choix": [each.label for each in question.choices],
    }
    for word in ("oui", "non"):
        event = heard(question.id, word)
        found[word] = question.by_choice[event.choice].label if isinstance(event, ReadAnswer) else None
    return found


def test_what_oui_and_non_record_is_a_table_to_read_by_eye(request: pytest.FixtureRequest) -> None:
    table = {node: yes_and_no(FLOW.questionnaire.by_id[node]) for node in ASKED}
    if request.config.getoption("--golden-update"):
        YES_AND_NO.write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert table == json.loads(YES_AND_NO.read_text(encoding="utf-8"))


@pytest.mark.parametrize("node", ASKED)
def test_oui_and_non_record_only_a_choice_that_begins_with_them(node: str) -> None:
    question = FLOW.questionnaire.by_id[node]
    for word, contrary in (("oui", "non"), ("non", "oui")):
        event = heard(node, word)
        if isinstance(event, ReadAnswer):
            labels = [normal(choice.label) for choice in question.choices]
            label = normal(question.by_choice[event.choice].label)
            assert label.startswith(word)
            assert label == word or all(other.startswith(contrary) for other in labels if other != label)


@pytest.mark.parametrize("text", sorted(UNKNOWN_WORDS | {"Je ne sais pas.", "JE NE SAIS TOUJOURS PAS !", "nsp"}))
def test_i_do_not_know_brings_the_help_and_then_is_recorded(text: str) -> None:
    event = heard("pil-qui", text)
    assert event == ReadAnswer("pil-qui", "nsp")
    helped = after(ASKED["pil-qui"], event)
    assert (asked(helped), "pil-qui" in helped.answers) == ("pil-qui", False)
    assert after(helped, read(FLOW, helped, text)).answers["pil-qui"] == "nsp"


def test_what_the_help_tells_to_say_is_understood() -> None:
    for name in ("unknown", "unknown_still"):
        assert heard("pil-qui", LABELS[name]) == ReadAnswer("pil-qui", "nsp")


@pytest.mark.parametrize("text", sorted(NOT_CONCERNED_WORDS))
def test_not_concerned_is_read_only_where_it_is_allowed(text: str) -> None:
    assert heard("cpt-depart", text) == ReadAnswer("cpt-depart", "na")
    assert heard("pil-qui", text) == NotUnderstood()


@pytest.mark.parametrize(("text", "name"), COMMAND_WORDS.items())
def test_command_words_are_commands_in_any_writing(text: str, name: Command) -> None:
    for written in (text, text.upper(), f"{text} !", f"{text} ?", f" {text}. "):
        assert heard("pil-qui", written) == Commanded(name)


@pytest.mark.parametrize(
    "name",
    [
        *("back", "why", "help", "pause", "resume", "answers", "result", "deepen", "themes", "actions", "verify"),
        *("book", "human", "emergency", "restart", "erase"),
    ],
)
def test_the_words_of_a_button_do_what_the_button_does(name: str) -> None:
    expected = {"themes": "deepen"}.get(name, name)
    event = heard("pil-qui", LABELS[name])
    assert isinstance(event, Commanded)
    assert event.name == expected


@pytest.mark.parametrize("text", ["retour", "pause", "pourquoi", "mes réponses", "résultat", "recommencer", "supprimer",
                                  "parler à quelqu'un", "parler à quelqu’un"])  # fmt: skip
def test_every_word_that_the_bot_teaches_is_understood(text: str) -> None:
    assert isinstance(heard("pil-qui", text), Commanded)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("c'est quoi un VPN ?", "vpn"),
        ("C’est quoi le 2FA", "2fa"),
        ("Qu'est-ce qu'un VPN ?", "vpn"),
        ("qu'est-ce que c'est un antivirus ?", "antivirus"),
        ("qu'est ce que le RGPD", "rgpd"),
        ("que veut dire rançongiciel ?", "rancongiciel"),
        ("définition l'hameçonnage", "hameconnage"),
        ("un vpn c koi", "vpn"),
    ],
)
def test_a_word_is_asked_for_in_the_usual_ways(text: str, word: str) -> None:
    assert heard("pil-qui", text) == do("define", word=word)
    assert read(FLOW, begin(FLOW), text) == do("define", word=word)


def test_a_whole_paragraph_is_no_word_to_explain() -> None:
    event = heard("pil-qui", "c'est quoi " + "un long discours " * 9)
    assert not isinstance(event, Commanded) or len(event.word.split()) < 6


def test_yes_and_no_confirm_or_give_up_only_before_a_confirmation() -> None:
    confirming = after(ASKED["pil-qui"], do("erase"))
    assert read(FLOW, confirming, "Oui !") == do("confirm")
    assert read(FLOW, confirming, "non") == do("back")
    for text in ("ok", "oui mais", "1", "a", "ouais", "nsp", "d'accord", "c'est ça", "effacer tout de suite"):
        assert read(FLOW, confirming, text) in (NotUnderstood(), do("erase"))
    assert read(FLOW, after(ASKED["pil-qui"], do("result")), "oui") == NotUnderstood()


def test_nothing_is_recorded_while_the_question_is_not_on_screen() -> None:
    paused = after(ASKED["pil-qui"], do("pause"))
    for text in ("1", "a", "personne en particulier", "nsp", "oui"):
        assert read(FLOW, paused, text) == NotUnderstood()
        assert read(FLOW, after(ASKED["pil-qui"], do("answers")), text) == NotUnderstood()
    assert read(FLOW, paused, "reprendre") == do("resume")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n\t", "...", "??", "\x00", "\x00\x07\x1b[2J", "bonjour", "peut-être", "oui et non"),
        *("ni oui ni non", "je crois que oui", "pas oui", "oui ?", "n'importe quoi", "1 ou 2"),
        *("🙂", "\u202e1 2\u202c", "１２", "ça dépend"),
    ],
)
def test_noise_is_never_an_answer(text: str) -> None:
    for node in ASKED:
        if node not in QUANTITIES:
            assert heard(node, text) == NotUnderstood(), node


@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Co", "Cn", "Zs", "Po", "So"]), max_size=60))
def test_signs_and_control_characters_never_answer(text: str) -> None:
    if any(sign.isalpha() for sign in normal(text)):  # a sign that says a word: ✅, ❌
        return
    event = heard("cpt-depart", text)
    assert event == NotUnderstood() or (normal(text) == "?" and event == ReadAnswer("cpt-depart", "nsp"))


def test_ten_thousand_characters_are_read_at_once() -> None:
    for text in ("oui " * 2500, "c'est quoi " * 1000, "é" * 10_000, " " * 10_000, "«" * 10_000, "a\u0301" * 5000):
        started = time.perf_counter()
        assert not isinstance(heard("pil-qui", text), ReadAnswer)
        assert time.perf_counter() - started < 0.1


def test_a_text_keeps_nothing_of_itself_in_the_session() -> None:
    session = after(ASKED["pil-qui"], heard("pil-qui", "mon mot de passe est canari-7351"))
    assert "canari" not in repr(session)
