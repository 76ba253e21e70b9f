"""The published Autodiag, its words, and short ways to walk it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.content import load_content
from bot.hearing import ear_for
from bot.settings import ROOT, load_settings
from dialogue.engine import asking, begin, step
from dialogue.events import Clicked, Command, Commanded, Event, NotUnderstood, ReadAnswer
from dialogue.flow import Flow
from dialogue.present import Turn, present
from dialogue.session import Session, dump, load
from dialogue.understanding.model import Model
from dialogue.understanding.reading import read as read_with
from dialogue.words import Words

CONTENT = load_content()
FLOW = CONTENT.flow
WORDS = Words(load_settings(ROOT / "config.yml"), CONTENT.tutorials, CONTENT.referential.glossary)
EAR = ear_for(Path(os.environ["AUTODIAG_MODEL_DIR"]), FLOW.questionnaire)
assert EAR.learn(), "the model could not be trained"
MODEL: Model = EAR.model
ALONE = {"effectif": "1", "presence_web": "non"}


def after(session: Session, *events: Event) -> Session:
    """The session after these events, written and read back between every two."""
    for event in events:
        session = load(dump(step(FLOW, session, event).session))
    return session


def do(name: Command, node: str = "", word: str = "") -> Commanded:
    return Commanded(name, node, word)


def read(flow: Flow, session: Session, text: str) -> Event:
    """The event that a typed text means, with the trained model."""
    return read_with(MODEL, flow, session, text)


def bare(event: Event) -> Event:
    """The event without the reading that it carries."""
    return replace(event, reading=None) if isinstance(event, ReadAnswer | NotUnderstood | Commanded) else event


def say(session: Session, text: str) -> Session:
    return after(session, read(FLOW, session, text))


def turn(session: Session) -> Turn:
    return present(FLOW, session, WORDS)


def kinds(session: Session) -> list[str]:
    return [message.kind for message in turn(session).messages]


def asked(session: Session) -> str:
    """The question under way, or nothing."""
    found = asking(FLOW, session)
    return found.question.id if found else ""


def walked(session: Session, answers: Mapping[str, str] = {}, *, until: str = "") -> Session:
    """Answer each question, from `answers` or with its last choice, until this one or the end of what is asked."""
    for _ in range(200):
        found = asking(FLOW, session)
        if found is None or found.question.id == until:
            return session
        node = found.question.id
        choice = answers.get(node, found.question.choices[-1].id)
        session = after(session, Clicked(node, choice, certain=True))
    raise AssertionError("this walk does not end")


@pytest.fixture
def start() -> Session:
    return begin(FLOW)


@pytest.fixture
def at_result(start: Session) -> Session:
    """Short path done, by a baker alone, with weak answers and one unknown."""
    answers = {
        "branche": "alimentaire",
        "effectif": "1",
        "pil-qui": "personne",
        "mdp-double": "nsp",
        "maj-auto": "parfois",
    }
    return walked(start, answers)


@pytest.fixture
def all_done(at_result: Session) -> Session:
    """Every section opened and answered."""
    session = at_result
    for section in FLOW.sections[1:]:
        if section.asks == "short" or section.id == "alimentaire":
            session = walked(after(session, do("deepen", section.id)))
    return replace(session, aside=None)
