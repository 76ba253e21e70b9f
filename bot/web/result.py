"""What the result page shows, worked out from the score: bars weakest first, actions, what is to be verified."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dialogue.engine import counted, result
from dialogue.flow import Flow, Section
from dialogue.present import action_words, deeper, label_of, level_words, outside_visit, verify_messages, weakest_first
from dialogue.session import Session
from dialogue.words import Words
from referential.model import Questionnaire, ScoredQuestion
from scoring.score import Action, Level, RoomScore, Score, level, unit

Tone = Level | Literal["to_check", "not_scored"]


@dataclass(frozen=True)
class Bar:
    """One theme: its title, its notes out of 100, and the tone that a word and a colour are chosen by."""

    title: str
    cautious: int
    high: int
    tone: Tone


@dataclass(frozen=True)
class Alert:
    """A question to settle first: its text, the answer given, the first tutorial that mends it."""

    node: str
    text: str
    answer: str
    tutorial: str


@dataclass(frozen=True)
class Todo:
    """One action: its line, and what one gains by it (may be empty)."""

    action: Action
    line: str
    gain: str


@dataclass(frozen=True)
class Shown:
    """The whole result, ready for the template."""

    score: Score
    level: str
    middling_from: int
    satisfying_from: int
    bars: tuple[Bar, ...]
    unsure: bool
    branch: Bar | None
    alerts: tuple[Alert, ...]
    first: tuple[Todo, ...]
    others: tuple[Todo, ...]
    verify: dict[str, str]
    deeper: tuple[Section, ...]
    outside: bool


def shown(flow: Flow, session: Session, words: Words) -> Shown:
    """The result of this session. Of two themes with the same cautious note, the one known stands first."""
    score, book, answers = result(flow, session), flow.questionnaire, counted(flow, session)
    rooms = {theme.id: theme for theme in score.themes}
    weakest = sorted(weakest_first(flow, score), key=lambda theme: _strength(rooms[theme.id]))
    todos = tuple(_todo(flow, words, action) for action in score.actions)
    return Shown(
        score=score,
        level=level_words(words, score),
        middling_from=book.scale.middling_from,
        satisfying_from=book.scale.satisfying_from,
        bars=tuple(_bar(book, rooms[theme.id], theme.title) for theme in weakest),
        unsure=any(room.range and room.range.cautious < room.range.high for room in score.themes),
        branch=_bar(book, score.branch, flow.section[score.branch.id].title) if score.branch else None,
        alerts=tuple(_alert(flow, words, node, answers[node]) for node in score.alerts),
        first=todos[: book.scale.shown],
        others=todos[book.scale.shown :],
        verify=verify_messages(flow, session, words),
        deeper=deeper(flow, session),
        outside=outside_visit(flow, session),
    )


def _strength(room: RoomScore) -> tuple[bool, Fraction, bool]:
    return room.range is None, room.range.cautious if room.range else Fraction(0), room.status == "to_check"


def _bar(book: Questionnaire, room: RoomScore, title: str) -> Bar:
    if room.range is None:
        return Bar(title, 0, 0, "not_scored")
    tone: Tone = "to_check" if room.status == "to_check" else level(book, room.range.cautious)
    return Bar(title, unit(room.range.cautious), unit(room.range.high), tone)


def _alert(flow: Flow, words: Words, node: str, given: str) -> Alert:
    question = flow.question(node)
    assert isinstance(question, ScoredQuestion)  # noqa: S101 — only these have a note
    return Alert(node, question.text, label_of(words, question, given), question.tutorials[0])


def _todo(flow: Flow, words: Words, action: Action) -> Todo:
    question = flow.question(action.questions[0])
    gain = question.gain if isinstance(question, ScoredQuestion) and action.tutorial else None
    return Todo(action, action_words(words, action), gain or "")
