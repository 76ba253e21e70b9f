"""Answers to a `Score`, by the rule book in docs/content.md.

All arithmetic is exact (`Fraction`): a mean of 39.99 is not 40, and the level is read before any rounding. Answers that
a rule excludes count for nothing; a question that a known answer excludes counts its inherited note, where it has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from referential.model import Branch, Questionnaire, Recipient, ScoredQuestion, Theme
from referential.rules import NOT_CONCERNED, UNKNOWN, Answers

Level = Literal["faible", "moyen", "satisfaisant"]
Status = Literal["scored", "to_check", "not_scored"]


class BadAnswer(ValueError):
    """An answer that the questionnaire does not know or refuses; the message names it, in French."""


@dataclass(frozen=True)
class Range:
    """Notes out of 100: unknowns worth 0 (`cautious`), worth 1 (`high`), left out (`known`, None if none is left)."""

    cautious: Fraction
    high: Fraction
    known: Fraction | None


@dataclass(frozen=True)
class RoomScore:
    """The score of a theme or of a branch module; `range` is None when nothing in it counts."""

    id: str
    range: Range | None
    status: Status


@dataclass(frozen=True)
class Action:
    """One thing to do: follow a tutorial, or (`verify`) ask the recipient about the questions left unknown."""

    minutes: int
    priority: Fraction
    tutorial: str | None = None
    verify: Recipient | None = None
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """Everything that a set of answers is worth. `range` and `level` are None when no theme is scored."""

    range: Range | None
    level: Level | None
    level_high: Level | None
    near: Level | None
    themes: tuple[RoomScore, ...]
    branch: RoomScore | None
    alerts: tuple[str, ...]
    actions: tuple[Action, ...]

    @property
    def themes_scored(self) -> int:
        """How many themes the global note is computed on."""
        return sum(theme.range is not None for theme in self.themes)


@dataclass(frozen=True)
class _Counted:
    """One question that counts: its note (None: je ne sais pas), and whether it was answered or inherited."""

    question: ScoredQuestion
    note: Fraction | None
    answered: bool


def check_answers(book: Questionnaire, profile: Answers, answers: Answers) -> None:
    """Raise BadAnswer at the first id or choice that the questionnaire does not know, or `na` where it is refused."""
    facts = {fact.id for fact in book.profile}
    for place, given in (("profile", profile), ("answers", answers)):
        for key, choice in given.items():
            question = book.by_id.get(key)
            if question is None or (key in facts) != (place == "profile"):
                raise BadAnswer(f"« {key} » n'est pas un identifiant connu dans « {place} ».")
            if choice == NOT_CONCERNED and not question.na_allowed:
                raise BadAnswer(f"« {key} » n'accepte pas « na » (non concerné).")
            if not question.accepts(choice):
                raise BadAnswer(f"« {key} » n'a pas de choix « {choice} ».")


def score(book: Questionnaire, answers: Answers) -> Score:
    """Score facts and answers, given together by id.

    Unanswered questions do not count. Whoever walks a journey passes only the answers that stand on it.
    """
    seen = {fact.id: answers[fact.id] for fact in book.profile if fact.id in answers}
    opened: tuple[Theme | Branch, ...] = (*book.themes, *_open_branches(book, answers))
    rooms = {room.id: _counted(book, room, answers, seen) for room in opened}
    themes = tuple(_room(theme.id, rooms[theme.id]) for theme in book.themes)
    branch = next(
        (found for b in book.branches if b.id in rooms and (found := _room(b.id, rooms[b.id])).range is not None), None
    )
    counted = [item for room in rooms.values() for item in room]
    whole = _mean([theme.range for theme in themes if theme.range])
    alerts = tuple(
        item.question.id for item in counted if item.answered and item.note == 0 and item.question.weight == 3
    )
    return Score(
        range=whole,
        level=level(book, whole.cautious) if whole else None,
        level_high=level(book, whole.high) if whole else None,
        near=_near(book, whole.cautious) if whole else None,
        themes=themes,
        branch=branch,
        alerts=alerts,
        actions=_actions(book, counted, alerts),
    )


def level(book: Questionnaire, note: Fraction) -> Level:
    """The level of a note out of 100, unrounded."""
    if note < book.scale.middling_from:
        return "faible"
    return "moyen" if note < book.scale.satisfying_from else "satisfaisant"


def tenth(note: Fraction) -> float:
    """A note at its tenth, halves up, as data shows it."""
    return int(note * 10 + Fraction(1, 2)) / 10


def unit(note: Fraction) -> int:
    """A note at its unit, halves up, as a manager reads it."""
    return int(note + Fraction(1, 2))


def _open_branches(book: Questionnaire, answers: Answers) -> Iterable[Branch]:
    """The manager's branch; where the profile does not say, every module that has an answer."""
    trade = answers.get(book.profile[0].id)
    if trade is not None and trade != UNKNOWN:
        return [branch for branch in book.branches if branch.id == trade]
    return [branch for branch in book.branches if any(question.id in answers for question in branch.questions)]


def _counted(book: Questionnaire, room: Theme | Branch, answers: Answers, seen: dict[str, str]) -> list[_Counted]:
    """The questions of a room that count, in order; adds to `seen` the answers that no rule excludes."""
    counted = []
    for question in room.questions:
        given = answers.get(question.id)
        if book.holds(question, seen) is False:
            if question.inherited_note is not None:
                counted.append(_Counted(question, Fraction(question.inherited_note), answered=False))
        elif given is not None:
            seen[question.id] = given
            if given == UNKNOWN:
                counted.append(_Counted(question, None, answered=True))
            elif given != NOT_CONCERNED:
                counted.append(_Counted(question, Fraction(question.by_choice[given].note or 0), answered=True))
    return counted


def _room(room: str, counted: list[_Counted]) -> RoomScore:
    if not counted:
        return RoomScore(room, None, "not_scored")
    weight = sum(item.question.weight for item in counted)
    unknown = sum(item.question.weight for item in counted if item.note is None)
    points = sum((item.note * item.question.weight for item in counted if item.note is not None), Fraction(0))
    known = weight - unknown
    return RoomScore(
        room,
        Range(100 * points / weight, 100 * (points + unknown) / weight, 100 * points / known if known else None),
        "to_check" if 2 * unknown > weight else "scored",
    )


def _mean(ranges: list[Range]) -> Range | None:
    if not ranges:
        return None
    known = [found.known for found in ranges if found.known is not None]
    return Range(
        sum((found.cautious for found in ranges), Fraction(0)) / len(ranges),
        sum((found.high for found in ranges), Fraction(0)) / len(ranges),
        sum(known, Fraction(0)) / len(known) if known else None,
    )


def _near(book: Questionnaire, note: Fraction) -> Level | None:
    """The level on the other side of a threshold that the note is near to; None when it is near to none."""
    thresholds: dict[int, tuple[Level, Level]] = {
        book.scale.middling_from: ("faible", "moyen"),
        book.scale.satisfying_from: ("moyen", "satisfaisant"),
    }
    for threshold, (below, above) in thresholds.items():
        if abs(note - threshold) <= book.scale.near:
            return below if note >= threshold else above
    return None


def _actions(book: Questionnaire, counted: list[_Counted], alerts: tuple[str, ...]) -> tuple[Action, ...]:
    gains: dict[str, Fraction] = {}
    served: dict[str, list[str]] = {}
    unknowns: dict[Recipient, list[ScoredQuestion]] = {}
    for item in counted:
        if item.note is None:
            unknowns.setdefault(item.question.recipient, []).append(item.question)
            continue
        for place, tutorial in enumerate(item.question.tutorials):
            share = Fraction(book.scale.first_remedy if place == 0 else book.scale.other_remedy)
            gain = item.question.weight * (1 - item.note) * share
            gains[tutorial] = gains.get(tutorial, Fraction(0)) + gain
            if gain:
                served.setdefault(tutorial, []).append(item.question.id)
    first = {item.question.tutorials[0] for item in counted if item.question.id in alerts}
    todo = [
        Action(
            length.minutes,
            gains[length.id] / _divider(book, length.minutes),
            tutorial=length.id,
            questions=tuple(served[length.id]),
        )
        for length in book.tutorials
        if gains.get(length.id)
    ]
    todo += [
        Action(
            book.scale.verify_minutes,
            Fraction(sum(question.weight for question in questions)),
            verify=recipient,
            questions=tuple(question.id for question in questions),
        )
        for recipient, questions in unknowns.items()
    ]
    todo.sort(key=lambda action: (action.tutorial not in first, -action.priority))
    return tuple(todo[: book.scale.at_most])


def _divider(book: Questionnaire, minutes: int) -> Fraction:
    for effort in book.scale.efforts:
        if effort.minutes is None or minutes <= effort.minutes:
            return Fraction(effort.divider)
    return Fraction(book.scale.efforts[-1].divider)


def as_data(found: Score) -> Mapping[str, object]:
    """The score as `autodiag score` prints it: notes at the tenth, priorities as plain numbers."""

    def notes(given: Range | None) -> dict[str, float | None]:
        return {
            "cautious": tenth(given.cautious) if given else None,
            "high": tenth(given.high) if given else None,
            "known": tenth(given.known) if given and given.known is not None else None,
        }

    def action(given: Action) -> dict[str, object]:
        what = {"tutorial": given.tutorial} if given.tutorial else {"verify": given.verify}
        return {**what, "minutes": given.minutes, "priority": float(given.priority)}

    return {
        **notes(found.range),
        "level": found.level,
        "themes_scored": found.themes_scored,
        "themes": [{"id": theme.id, **notes(theme.range), "status": theme.status} for theme in found.themes],
        "branch": {"id": found.branch.id, **notes(found.branch.range)} if found.branch else None,
        "alerts": list(found.alerts),
        "actions": [action(given) for given in found.actions],
    }
