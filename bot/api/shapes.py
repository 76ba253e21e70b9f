"""The shapes of the API: what comes in, checked; what goes out, described.

What goes out is written from our own values and not checked again: the schema describes it, and tests hold the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from dialogue import present
from dialogue.events import Command

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
NameOrNone = Annotated[str, StringConstraints(max_length=64)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$", min_length=1, max_length=64)]
Revision = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]


class Given(BaseModel):
    """Something sent to us: a field we do not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Beginning(Given):
    """A conversation to begin. `profile`: facts already known; `trial`: counted nowhere, gone after 24 hours."""

    profile: dict[Name, Name] = Field(default={}, max_length=50)
    campaign: Code | None = None
    trial: Annotated[bool, Field(strict=True)] = False


class ChoiceEvent(Given):
    """A choice made: `node` and `revision` as the turn gave them. `nsp` and `na` are recorded at once."""

    type: Literal["choice"]
    node: Name
    choice: Name
    revision: Revision


class TextEvent(Given):
    """A text typed: read as an answer or a command when it is beyond doubt, never guessed."""

    type: Literal["text"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    revision: Revision | None = None


class CommandEvent(Given):
    """A command, as a button carries it. `node`: the question or section meant; `word`: a term or a tutorial."""

    type: Literal["command"]
    name: Command
    node: NameOrNone = ""
    word: Annotated[str, StringConstraints(max_length=100)] = ""
    revision: Revision | None = None


Sent = Annotated[ChoiceEvent | TextEvent | CommandEvent, Field(discriminator="type")]


class Turn(BaseModel):
    """The present turn. `question` is null when nothing is asked; `buttons` are commands to send back as they are.

    `flow`: what is in front, the Autodiag or a small flow such as the survey; `beside`: a question under the result.
    """

    revision: int
    status: present.Status
    place: str
    messages: list[present.Message]
    question: present.Asked | None
    buttons: list[present.Button]
    flow: str
    beside: present.Asked | None


class Begun(BaseModel):
    """A conversation begun. `token` is told once: keep it."""

    id: str
    token: str
    turn: Turn


class Taken(BaseModel):
    """After an event. `outcome`: taken, seen (this key came before, nothing changed) or erased (then no turn)."""

    turn: Turn | None
    status: Literal["active", "paused", "short_done", "done", "erased"]
    outcome: Literal["taken", "seen", "erased"]


class State(BaseModel):
    """A conversation as it stands; `answers` are those that count, choice by question."""

    id: str
    turn: Turn
    answers: dict[str, str]


class Notes(BaseModel):
    """Notes out of 100, at the tenth: unknowns worth 0, worth 1, left out; null when nothing counts."""

    cautious: float | None
    high: float | None
    known: float | None


class ThemeNotes(Notes):
    """A theme's notes."""

    id: str
    status: Literal["scored", "to_check", "not_scored"]


class BranchNotes(Notes):
    """The branch module's notes."""

    id: str


class Tutorial(BaseModel):
    """An action: a tutorial to follow."""

    tutorial: str
    minutes: int
    priority: float


class Verify(BaseModel):
    """An action: ask this recipient about what was left unknown."""

    verify: str
    minutes: int
    priority: float


Level = Literal["faible", "moyen", "satisfaisant"]


class Result(Notes):
    """What the answers that count are worth so far, as `autodiag score` prints it."""

    level: Level | None
    themes_scored: int
    themes: list[ThemeNotes]
    branch: BranchNotes | None
    alerts: list[str]
    actions: list[Tutorial | Verify]


BEGINNING = TypeAdapter(Beginning)
SENT: TypeAdapter[ChoiceEvent | TextEvent | CommandEvent] = TypeAdapter(Sent)


@dataclass(frozen=True)
class _Turn:
    """`Turn` as it is written: our own values, not checked again."""

    revision: int
    status: present.Status
    place: str
    messages: tuple[present.Message, ...]
    question: present.Asked | None
    buttons: tuple[present.Button, ...]
    flow: str
    beside: present.Asked | None


_TURN = TypeAdapter(_Turn)
_STRINGS = TypeAdapter(Mapping[str, str])


def turn_json(revision: int, shown: present.Turn) -> bytes:
    """A turn, as JSON."""
    return _TURN.dump_json(_Turn(revision, **vars(shown)))


def strings_json(given: Mapping[str, str]) -> bytes:
    """An object of strings, as JSON."""
    return _STRINGS.dump_json(given)
