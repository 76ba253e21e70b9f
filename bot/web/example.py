"""The example result: the short path walked by the engine itself, as a plausible shop would answer it."""

from __future__ import annotations

from dialogue.engine import asking, begin, step
from dialogue.events import Clicked
from dialogue.flow import Flow
from dialogue.session import Session
from referential.model import ScoredQuestion
from referential.rules import UNKNOWN

_PROFILE = {"branche": "chaussure", "effectif": "2-10"}
_HABITS = (None, 0.7, 0.2, 1.0, 0.5, 0.4, 1.0, 0.0, 0.6, 1.0, 0.3)
"""How solid each answer is, from 0 to 1, in turn; None for "je ne sais pas". No theme is singled out by its id."""


def example(flow: Flow) -> Session:
    """A session that stands at its first result."""
    session, scored = begin(flow), 0
    while asked := asking(flow, session):
        question = asked.question
        choice = _PROFILE.get(question.id, question.choices[0].id)
        if isinstance(question, ScoredQuestion):
            habit = _HABITS[scored % len(_HABITS)]
            last = len(question.choices) - 1
            choice = UNKNOWN if habit is None else question.choices[round(habit * last)].id
            scored += 1
        session = step(flow, session, Clicked(question.id, choice, certain=True)).session
    return session
