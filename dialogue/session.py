"""A session: one way through one flow, as a frozen value that a database can keep.

Holds only what can't be derived: answers, where the manager is, what was last said beside the question. Journey,
progress, status, score and history are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter

from dialogue.events import Offer, Reading

PlaceKind = Literal["question", "answers", "themes", "result", "tutorial", "confirm", "end"]
AsideKind = Literal[
    "why",
    "help",
    "define",
    "unknown_word",
    "unclear",
    "understood",
    "emergency",
    "human",
    "book",
    "commands",
    "first_question",
    "no_result_yet",
    "nothing_left",
    "section_done",
    "recheck",
    "before_after",
    "actions",
    "verify",
    "bad_text",
    "reach",
    "quiet",
    "thanks",
    "told",
]


@dataclass(frozen=True)
class Place:
    """Where the manager is. `word`: the tutorial read, or the command to confirm; `step`: its step, from 0."""

    kind: PlaceKind = "question"
    word: str = ""
    step: int = 0


@dataclass(frozen=True)
class Aside:
    """What was last said beside the question, without moving it. `word`: a glossary word, a section, a tutorial…

    `reading`: what was understood of a typed text, awaiting a yes or a better answer; `own`: the manager's words, kept
    with the answer that follows; `tells`: it is also said, for the first time, that such words will be kept.
    """

    kind: AsideKind
    word: str = ""
    reading: Reading | None = None
    own: str = ""
    tells: bool = False


@dataclass(frozen=True)
class Session:
    """See the module. `answers`: choice id, `nsp` or `na` by node; `given`: facts known before the first question.

    `cursor`: a node chosen by back, edit or deepen (None: the first unanswered); `opened`: sections asked in full;
    `review`: nodes to ask again after a tutorial; `before`: the cautious note (a fraction, as text) when that review
    began; `about`: the tutorial that a small flow is about; `offers`: the choices of the live question asked; `told`,
    `values`: what a room said last (words/TOLD.j2), and what its sentences name; `words`: the manager's own, by node,
    kept for the consultant once they were `warned`, unless they would rather not (`wordless`).
    """

    flow: str
    fingerprint: str
    answers: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None
    opened: tuple[str, ...] = ()
    place: Place = Place()
    after: PlaceKind = "question"
    aside: Aside | None = None
    unclear: int = 0
    paused: bool = False
    short_done: bool = False
    done: bool = False
    tutorials_done: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    before: str = ""
    about: str = ""
    offers: tuple[Offer, ...] = ()
    told: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    warned: bool = False
    wordless: bool = False


_SESSION = TypeAdapter(Session)


def dump(session: Session) -> bytes:
    """The session as JSON; equal sessions give equal bytes."""
    return _SESSION.dump_json(session)


def load(data: bytes) -> Session:
    """The session that `dump` wrote; raises pydantic.ValidationError on anything else."""
    return _SESSION.validate_json(data)
