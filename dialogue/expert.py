"""The expert's diagnosis beside the estimate: a note out of 100 for each theme seen, a level by the same scale.

It stands in the values of the Autodiag's session, so that it replays and is erased with everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dialogue.flow import Flow
from scoring.score import Level, level, unit

_PREFIX = "expert-"
_NOTE = re.compile(r"\d{1,2}|100")


@dataclass(frozen=True)
class Seen:
    """One theme that the expert saw."""

    id: str
    title: str
    note: int
    level: Level


@dataclass(frozen=True)
class Diagnosis:
    """The themes seen, the weakest first; the note is their plain mean, as the estimate's is."""

    themes: tuple[Seen, ...]
    note: int
    level: Level


def values_of(flow: Flow, notes: Mapping[str, int]) -> dict[str, str]:
    """The notes as values to keep; a theme without a note is emptied."""
    themes = flow.questionnaire.themes
    return {f"{_PREFIX}{theme.id}": str(notes[theme.id]) if theme.id in notes else "" for theme in themes}


def notes_of(flow: Flow, values: Mapping[str, str]) -> dict[str, int]:
    """The notes kept in these values, by theme."""
    kept = ((theme.id, values.get(f"{_PREFIX}{theme.id}", "")) for theme in flow.questionnaire.themes)
    return {name: int(note) for name, note in kept if _NOTE.fullmatch(note)}


def diagnosis(flow: Flow, values: Mapping[str, str]) -> Diagnosis | None:
    """The diagnosis kept in these values, or None where no theme has a note."""
    book, notes = flow.questionnaire, notes_of(flow, values)
    if not notes:
        return None
    mean = Fraction(sum(notes.values()), len(notes))
    seen = [
        Seen(theme.id, theme.title, notes[theme.id], level(book, Fraction(notes[theme.id])))
        for theme in book.themes
        if theme.id in notes
    ]
    return Diagnosis(tuple(sorted(seen, key=lambda each: each.note)), unit(mean), level(book, mean))
