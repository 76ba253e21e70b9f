"""The parts of a summary, as values to lay out. What is `changed` differs from the summary read before.

Notes are out of 100, at the unit. Codes (tone, recipient, why) become words where they are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from pydantic import TypeAdapter

from referential.model import Recipient, References
from scoring.score import Level

Tone = Level | Literal["to_check", "not_scored"]


@dataclass(frozen=True)
class Told:
    """What the firm told when booking: one line, its label and its words."""

    label: str
    words: str


@dataclass(frozen=True)
class Visit:
    """The visit prepared. `firm`: its name; `minutes`: 0 where nobody says; `told`: the booking's answers, in order."""

    firm: str = ""
    at: datetime | None = None
    minutes: int = 0
    on_site: bool = True
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Read:
    """What a summary was made from, kept to mark what changed in the next one."""

    on: date
    answers: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    tutorials: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answered:
    """A question and its answer, both as the manager read them."""

    node: str
    room: str
    text: str
    answer: str
    references: References
    changed: bool


@dataclass(frozen=True)
class Bar:
    """One theme, or the branch module. `weakest`: its lowest answers, none when all is well; `changed`: any answer."""

    id: str
    title: str
    low: int
    high: int
    tone: Tone
    references: References
    answered: int
    unknown: int
    unasked: int
    weakest: tuple[Answered, ...]
    changed: bool


@dataclass(frozen=True)
class Open:
    """A question without an answer: unknown to the manager, or never asked. `how`: where the answer is found."""

    node: str
    room: str
    text: str
    how: str
    recipient: Recipient
    changed: bool


@dataclass(frozen=True)
class Clash:
    """Answers that do not go together: what does not fit, what to ask, and the answers themselves."""

    id: str
    finding: str
    ask: str
    answers: tuple[Answered, ...]
    changed: bool


@dataclass(frozen=True)
class Quote:
    """The manager's own words, and the question that they answer."""

    node: str
    text: str
    words: str
    changed: bool


@dataclass(frozen=True)
class Done:
    """A tutorial that the manager says is done."""

    id: str
    title: str
    changed: bool


@dataclass(frozen=True)
class Better:
    """An answer that became better after the first result."""

    node: str
    room: str
    text: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """An answer that differs from the summary read before; empty where there was, or is, none."""

    node: str
    text: str
    before: str
    after: str


@dataclass(frozen=True)
class Slot:
    """A moment of the visit. `at`: minutes from its start; `room`: the theme that it is for, or empty."""

    at: int
    minutes: int
    title: str
    room: str = ""
    alerts: int = 0
    clashes: int = 0


@dataclass(frozen=True)
class Papers:
    """Documents to ask for, for one theme."""

    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The whole. `told`: whether the Autodiag gives anything; without it, `open` holds all that is to be asked.

    `profile`: facts of the firm that are known; `since`: the day of the summary read before, which `changes` compares
    to; `left_out`: themes that the agenda has no time for.
    """

    visit: Visit
    made_on: date
    since: date | None
    told: bool
    profile: tuple[Answered, ...]
    level: str
    low: int
    high: int
    near: Level | None
    themes_scored: int
    marks: tuple[int, int]
    bars: tuple[Bar, ...]
    branch: Bar | None
    alerts: tuple[Answered, ...]
    clashes: tuple[Clash, ...]
    unknown: tuple[Open, ...]
    open: tuple[Open, ...]
    words: tuple[Quote, ...]
    tutorials: tuple[Done, ...]
    better: tuple[Better, ...]
    changes: tuple[Change, ...]
    papers: tuple[Papers, ...]
    agenda: tuple[Slot, ...]
    left_out: tuple[str, ...]
    read: Read


_READ = TypeAdapter(Read)


def dump(read: Read) -> bytes:
    """What the next summary needs of this one, as JSON."""
    return _READ.dump_json(read)


def load(data: bytes) -> Read:
    """What `dump` wrote; raises pydantic.ValidationError on anything else."""
    return _READ.validate_json(data)
