"""The example programme's words, and managers whose answers make papers worth reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.content import Content, load_content
from bot.settings import Settings, load_settings
from dialogue.engine import begin, current
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.words import Words
from referential.model import Question

Pick = Callable[[Question], str]


@pytest.fixture(scope="session")
def content() -> Content:
    return load_content()


@pytest.fixture(scope="session")
def flow(content: Content) -> Flow:
    return content.flow


@pytest.fixture(scope="session")
def example() -> Settings:
    return load_settings()


@pytest.fixture(scope="session")
def words(content: Content, example: Settings) -> Words:
    return Words(example, content.tutorials, content.referential.glossary)


def answered(flow: Flow, pick: Pick, opened: tuple[str, ...] = ()) -> Session:
    """A manager who answers all that is asked, `opened` sections included."""
    session = replace(begin(flow), opened=opened)
    while step := current(flow, session):
        node = step.question
        session = replace(session, answers={**session.answers, node.id: pick(node)})
    return session


def shopkeeper(question: Question) -> str:
    """Strong here, weak there, unsure of three things; import-export."""
    if question.id in {"maj-auto", "mob-perso", "ie-flux"}:
        return "nsp"
    if question.id == "branche":
        return "import-export"
    if question.choices[0].note is None:
        return question.choices[0].id
    ranked = sorted(question.choices, key=lambda choice: choice.note or 0)
    last = len(ranked) - 1
    return ranked[(last, 0, len(ranked) // 2, last, 1)[sum(map(ord, question.id)) % 5]].id


def weakest(question: Question) -> str:
    return min(question.choices, key=lambda choice: choice.note or 0).id


def strongest(question: Question) -> str:
    return max(question.choices, key=lambda choice: choice.note or 0).id


def unsure(question: Question) -> str:
    return "import-export" if question.id == "branche" else "nsp"


@pytest.fixture(scope="session")
def session(flow: Flow) -> Session:
    return answered(flow, shopkeeper, ("import-export", "sauvegardes"))
