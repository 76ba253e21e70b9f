"""The bot's words: every template in every state, one vouvoiement, no jargon, sentences that a person can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import jinja2
import pytest
import yaml

from bot.check import JARGON, TUTOIEMENT
from bot.settings import ROOT
from dialogue.engine import asking
from dialogue.events import NotUnderstood, Reading
from dialogue.present import present
from dialogue.session import Aside, AsideKind, Session
from dialogue.words import FOLDER
from referential.model import ScoredQuestion
from scoring.score import score
from tests.dialogue.conftest import CONTENT, FLOW, WORDS, after, do, turn
from tests.dialogue.test_engine import PLACES

LABELS: dict[str, str] = yaml.safe_load((FOLDER / "labels.yml").read_text(encoding="utf-8"))
TEMPLATES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.j2")}

READINGS = (
    None,
    Reading("clarify", candidates=("personne", "debrouille"), reason="vague", node="pil-qui", secret=True),
    Reading("clarify", reason="someone_else", node="pil-qui"),
)
"""What may have been read of a typed text: nothing, something vague with a secret in it, somebody else's affair."""


def said_in_turns() -> Iterator[str]:
    for session in PLACES.values():
        for kind in get_args(AsideKind):
            word = {"define": "VPN", "recheck": "double-code", "section_done": "incident", "nothing_left": "incident"}
            word |= {"told": "thanks"}
            shown = present(FLOW, replace(session, aside=Aside(kind, word.get(kind, ""))), WORDS)
            yield from (message.text for message in shown.messages)
        for count in range(1, 9):
            yield turn(replace(after(session, NotUnderstood()), unclear=count)).messages[-1].text
        yield from (message.text for message in turn(session).messages)


def said_by_hand() -> Iterator[str]:
    yield from (WORDS.say("welcome"), WORDS.say("erased"), WORDS.say("stale", label=""))
    yield WORDS.say("stale", label="Non, jamais")
    for left in (0, 1, 2, 40):
        yield WORDS.say("paused", left=left, minutes=-(-left // 3))
        yield WORDS.say("no_result_yet", left=left or 1)
        yield WORDS.say("recheck", tutorial=CONTENT.tutorials[0], left=left or 1)
    for before, now in ((40, 60), (50, 50), (60, 40)):
        yield WORDS.say("before_after", before=before, after=now)
    for recipient in ("prestataire", "assureur", "banque", "comptable", "soi"):
        yield from (WORDS.say("action_verify", recipient=recipient, count=count, minutes=5) for count in (1, 2))
        questions = [
            each for room in FLOW.questionnaire.rooms for each in room.questions if each.recipient == recipient
        ]
        yield WORDS.message_to(recipient, questions[:3])
    for answers in ({}, {"mdp-double": "nsp"}, {"mdp-double": "banque"}, {"mdp-double": "partout"}):
        yield WORDS.say("level", score=score(FLOW.questionnaire, answers))
    yield from of_a_visit()


SHOWN_WITH_MORE = ("booked", "card", "new_time", "recap", "handover", "when", "day", "week", "where")


def of_a_visit() -> Iterator[str]:
    known = {
        "quand": WORDS.say("booking_when", at=datetime(2026, 12, 1, 14, 30, tzinfo=UTC)),
        "duree": WORDS.say("duration", minutes=150),
        "ou": WORDS.say("booking_where", on_site=True, address="12 rue de la Roquette, 75011"),
        "sur_place": "oui",
        "expert": "Léa Martin",
        "firme": "Cabinet Exemple",
        "numero": "01 99 00 11 22",
        "code": "0417",
        "nouveau": WORDS.say("booking_when", at=datetime(2026, 12, 2, 9, tzinfo=UTC)),
        "rang": "2",
        "left": "1",
    }
    for joined in ("e-mail", "telephone", "expert"):
        yield WORDS.say("booking_booked", **known, joindre=joined)
    for name in sorted(TEMPLATES):
        if name.startswith("booking_") and name[8:] not in SHOWN_WITH_MORE:
            yield WORDS.say(name, **known)
    for name in ("booking_card", "booking_new_time"):
        yield WORDS.say(name, values=known)
    for agreed in ("suite", "aujourdhui", "coordonnees"):
        answers = {"rdv-accord": agreed, "rdv-mode": "sur-place", "rdv-contact": "Nadia"}
        told = [("rdv-contact", "Qui l'expert doit-il demander ?", "Nadia")]
        yield WORDS.say("booking_recap", values=known, answers=answers, told=told)
    yield WORDS.say("booking_handover", past=())
    yield WORDS.say("booking_week", at=datetime(2026, 11, 30, tzinfo=UTC), count=1)


def content() -> Iterator[str]:
    for question in FLOW.questionnaire.questions():
        yield from (question.text, question.why, question.help)
        yield from (choice.label for choice in question.choices)
        if isinstance(question, ScoredQuestion) and question.gain:
            yield question.gain
    for theme in FLOW.questionnaire.themes:
        remarks = theme.remarks
        yield from (theme.title, theme.stake, remarks.good, remarks.middling, remarks.weak, remarks.unknown)
    for tutorial in CONTENT.tutorials:
        yield from (tutorial.title, tutorial.needs, tutorial.proof, *tutorial.steps)


BOT = sorted({*said_in_turns(), *said_by_hand(), *LABELS.values()})
CONTENT_TEXTS = sorted(set(content()))
QUESTIONS = {question.id: question for question in FLOW.questionnaire.questions()}


def sentences(text: str) -> list[str]:
    """Between two stops for breath: . ? ! … ; and :"""
    parts = re.split(r"(?<=[.?!…;:])\s+|\n+", text)
    return [part for part in parts if re.search(r"\w", part)]


def words(sentence: str) -> int:
    return len(re.findall(r"[\w'’.-]*\w", sentence))


def test_every_template_renders_in_every_state_and_none_is_left_unsaid() -> None:
    rendered: set[str] = set()

    class Recording(type(WORDS)):  # type: ignore[misc]
        def say(self, template: str, **values: object) -> str:
            rendered.add(template)
            return str(super().say(template, **values))

    recording = Recording.__new__(Recording)
    recording.__dict__ = WORDS.__dict__
    for session in PLACES.values():
        for kind in get_args(AsideKind):
            word = {"define": "VPN", "recheck": "double-code", "told": "thanks"}.get(kind, "")
            for reading in READINGS:
                present(FLOW, replace(session, aside=Aside(kind, word, reading, tells=True)), recording)
    included = {name for text in TEMPLATES.values() for name in re.findall(r'include "(\w+)\.j2"', text)}
    doors, begun = named_in("bot/**/*.py", "dialogue/shown.py")
    shown = {question.shows for form in CONTENT.referential.forms for question in form.asked}
    left = set(TEMPLATES) - rendered - included - doors - shown
    assert {name for name in left if not name.startswith(begun)} == set(), "nothing says these"
    assert all(text.strip() for text in BOT)


def test_a_missing_value_is_an_error_and_never_a_blank() -> None:
    for name in ("why", "help", "define", "paused", "result", "tutorial"):
        with pytest.raises(jinja2.UndefinedError):
            WORDS.say(name)


def named_in(*patterns: str) -> tuple[set[str], tuple[str, ...]]:
    """The strings that Python files hold, and the beginnings of those that they compose (f"confirm_{…}")."""
    plain: set[str] = set()
    begun: set[str] = set()
    for path in (found for pattern in patterns for found in ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    begun |= plain
    return plain, tuple(start for start in begun if re.fullmatch(r"[a-z]+_", start))


def test_every_label_is_used_and_every_label_used_is_there() -> None:
    plain, begun = named_in("dialogue/*.py", "bot/**/*.py")
    pages = [path.read_text(encoding="utf-8") for path in ROOT.glob("bot/web/templates/**/*.html")]
    plain |= {name for page in pages for name in re.findall(r"label\(\s*['\"](\w+)['\"]", page)}
    assert {name for name in LABELS if name not in plain and not name.startswith(begun)} == set(), "nothing shows these"
    sources = [path.read_text(encoding="utf-8") for path in [*ROOT.glob("dialogue/**/*.py"), *ROOT.glob("bot/**/*.py")]]
    called = {
        name for text in (*pages, *sources) for name in re.findall(r"words\.label\(\s*['\"](\w+)['\"]\s*[,)]", text)
    }
    assert called - set(LABELS) == set(), "these are missing from labels.yml"


def test_nobody_is_called_tu_and_no_jargon_is_said() -> None:
    for text in (*BOT, *CONTENT_TEXTS):
        assert not TUTOIEMENT.search(text), text
        for word in JARGON:
            assert not re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", text, re.IGNORECASE), (word, text)


def test_nobody_is_blamed() -> None:
    blame = re.compile(
        r"\b(erreur|faute|mauvaise réponse|négligen\w+|imprudent\w*|vous auriez dû|dangereux)\b", re.IGNORECASE
    )
    assert [text for text in BOT if blame.search(text)] == []


def test_spaces_are_single_and_french() -> None:
    for text in (*BOT, *CONTENT_TEXTS):
        bare = re.sub(r"https?://\S+|\d+:\d+|\{\w+\}", "", text)
        assert not re.search(r"[^\S\n]{2,}", text), text
        assert not re.search(r"(?<=[\w»)])[:;?!](?=\s|$)", bare), f"a space is missing before : ; ? or !: {text}"
        assert not re.search(r"\s[.,](?=\s|$)", bare), text
        assert not re.search(r"«(?!\s)|(?<!\s)»", bare), text
        assert not re.search(r"\n{3,}|^\s|\s$", text), text


def figures(texts: list[str]) -> tuple[float, int, str]:
    lengths = [(words(each), each) for text in texts for each in sentences(text)]
    longest = max(lengths)
    return sum(length for length, _ in lengths) / len(lengths), *longest


@pytest.mark.parametrize(
    ("name", "texts", "mean", "most"),
    [
        ("the bot", BOT, 9, 25),
        ("questions", [each.text for each in QUESTIONS.values()], 13, 25),
        ("why", [each.why for each in QUESTIONS.values()], 13, 25),
        ("helps", [each.help for each in QUESTIONS.values()], 12, 25),
        ("remarks", [text for theme in FLOW.questionnaire.themes for _, text in theme.remarks], 10, 25),
        ("tutorials", [text for each in CONTENT.tutorials for text in (each.needs, each.proof, *each.steps)], 11, 25),
    ],
)
def test_sentences_are_short(name: str, texts: list[str], mean: float, most: int) -> None:
    average, longest, sentence = figures(texts)
    assert longest <= most, f"{name}: {longest} words: {sentence}"
    assert average <= mean, f"{name}: {average:.1f} words a sentence"


def test_the_first_screen_says_who_speaks_the_price_the_minutes_and_a_number_to_check() -> None:
    text = WORDS.say("welcome")
    for said in ("robot", "Prix", "Qui paie", "minutes", "Aucun nom", "fédération", "Appelez le"):
        assert said in text


def test_words_of_the_glossary_are_found_in_a_text_once_each() -> None:
    found = [term.term for term in WORDS.terms_in("Un VPN, des VPN, et l'antivirus.", "vpn")]
    assert sorted(found) == sorted(set(found))
    assert any("VPN" in term for term in found)
    assert "Antivirus" in found
    assert not WORDS.terms_in("Bonjour, une boxe de mots.")
    assert not WORDS.terms_in("Import-export")
    assert [term.term for term in WORDS.terms_in("Un export de vos fichiers, le pare-feu.")] == [
        "Exporter ses données",
        "Pare-feu",
    ]


def test_under_attack_answers_wait_only_for_who_has_begun() -> None:
    assert "vos réponses vous attendent ici" in WORDS.say("emergency")
    assert "vos réponses" not in WORDS.say("emergency", begun=False)


@pytest.mark.parametrize(
    "word", ["VPN", "vpn", "double code", "Double Code", "2FA", "antivirus", "RGPD", "gestionnaire de mots de passe"]
)
def test_a_word_leads_to_its_definition(word: str, start: Session) -> None:
    session = after(start, do("define", word=word))
    assert " : " in turn(session).messages[-1].text
    assert WORDS.term(word) is not None
    assert asking(FLOW, session) == asking(FLOW, start)


def test_a_word_nobody_knows_is_said_so_kindly(start: Session) -> None:
    assert "« zorglub »" in turn(after(start, do("define", word="zorglub"))).messages[-1].text
    assert "Quel mot" in turn(after(start, do("define"))).messages[-1].text


def test_templates_hold_no_markup() -> None:
    assert [name for name, text in TEMPLATES.items() if re.search(r"<\w|\*\*|&\w+;", text)] == []
