"""An optician's Autodiag with all that a summary may show, the log of a conversation, and a visit booked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dialogue.events import AnswerRecorded, Commanded, Record, ShortPathDone
from dialogue.flow import Flow
from dialogue.session import Session
from dialogue.summary.make import summary
from dialogue.summary.value import Read, Summary, Told, Visit
from dialogue.words import Words
from referential.model import Question
from referential.visit import Preparation
from tests.papers.conftest import answered, content, example, flow, shopkeeper, words

__all__ = ["content", "example", "flow", "words"]

MADE_ON = date(2026, 11, 23)
VISIT = Visit(
    firm="Optique du Marché",
    at=datetime(2026, 12, 1, 8, 30, tzinfo=UTC),
    minutes=120,
    told=(
        Told("Adresse", "12 place du Marché, 27000 Évreux"),
        Told("Personne à voir", "Mme Leroy, 02 00 00 00 00"),
        Told("Ordinateurs", "4"),
    ),
)
OWN_WORDS = {
    "sau-frequence": "c'est l'éditeur qui garde tout je crois",
    "mdp-stockage": "dans le carnet bleu sous le comptoir",
}
OPTICIAN = {
    "branche": "optique",
    "effectif": "2-10",
    "gestion_ailleurs": "non",
    "presence_web": "vitrine",
    "pil-qui": "depanneur",
    "pre-contrat": "na",
    "sau-frequence": "fournisseur",
    "pre-export": "na",
    "msg-rib": "on-paie",
    "mdp-double": "messagerie",
    "mob-distance": "mdp-seul",
    "mob-perso": "telephone",
    "inc-reflexe": "gestes",
    "mdp-stockage": "cle",
    "opt-ordonnances": "jamais",
}
UNSURE = {"maj-auto", "maj-obsolete", "inc-papier", "opt-portails"}
Make = Callable[..., Summary]


def optician(question: Question) -> str:
    """An optician with weaknesses, two things that do not fit, and four that nobody knows."""
    return OPTICIAN.get(question.id) or ("nsp" if question.id in UNSURE else shopkeeper(question))


def everything(flow: Flow) -> tuple[str, ...]:
    """Every section that may be opened."""
    return tuple(section.id for section in flow.sections if section.asks != "all")


def with_answers(session: Session, answers: Mapping[str, str]) -> Session:
    """The same session, where these questions are answered so."""
    return replace(session, answers={**session.answers, **answers})


def log(*facts: AnswerRecorded | ShortPathDone) -> list[Record]:
    """One turn a fact, in this order."""
    return [Record("2026-11-20T10:00:00Z", "web", Commanded("repeat"), (fact,)) for fact in facts]


@pytest.fixture(scope="session")
def session(flow: Flow) -> Session:
    return answered(flow, optician, everything(flow))


@pytest.fixture(scope="session")
def preparation(content: Any) -> Preparation:
    made: Preparation = content.referential.preparation
    return made


@pytest.fixture(scope="session")
def make(flow: Flow, session: Session, words: Words, preparation: Preparation) -> Make:
    """Makes the optician's summary, or another's."""

    def make(mine: Session | None = session, **more: Any) -> Summary:
        given = {"made_on": MADE_ON, "visit": VISIT, "own_words": OWN_WORDS, **more}
        return summary(more.pop("flow", flow), mine, words, more.pop("preparation", preparation), **given)

    return make


@pytest.fixture(scope="session")
def earlier(make: Make) -> Read:
    """What was read eleven days before: one answer since other, one new, one saying changed."""
    read = make().read
    answers = {**read.answers, "msg-rib": "contre-appel"}
    del answers["sau-test"]
    return Read(date(2026, 11, 12), answers, {**read.words, "mdp-stockage": "dans ma tête"}, read.tutorials)
