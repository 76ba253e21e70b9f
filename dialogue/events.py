"""What happens to a session, what the engine concludes from it, and what it asks of the outside.

Events come in, facts and effects go out; all are frozen, named in the past tense where they happened, and written as
JSON with their `kind`, for example `{"kind": "clicked", "node": "pil-qui", "choice": "designe", "certain": false}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter

Command = Literal[
    "back",
    "edit",
    "pause",
    "resume",
    "why",
    "define",
    "repeat",
    "help",
    "deepen",
    "restart",
    "erase",
    "confirm",
    "book",
    "result",
    "human",
    "answers",
    "emergency",
    "actions",
    "verify",
    "tutorial",
    "next",
    "done",
    "leave",
    "quiet",
]
COMMANDS: tuple[Command, ...] = get_args(Command)


@dataclass(frozen=True)
class Offer:
    """One choice of a live question, as a room made it."""

    id: str
    label: str


ReadingKind = Literal["answer", "command", "emergency", "clarify"]
Reason = Literal[
    "",
    "confirmed",
    "between",
    "vague",
    "yes_no",
    "contradictory",
    "off_topic",
    "refusal",
    "other_language",
    "someone_else",
    "upset",
    "empty",
    "no_such_place",
    "not_that",
    "forget_words",
]


@dataclass(frozen=True)
class Reading:
    """What a typed text was read as, once for all: a replay never reads again. It holds nothing of the text.

    `candidates`: choice ids in the order to offer them; `recorded`: safe enough to record without confirmation;
    `reason`: why it is not, or what kind of clarification; `stronger`: between two choices, the one not proposed;
    `node`: the question it was read against; `about`: the earlier one that a correction means, whose choice is then
    proposed; `secret`: the text held one; `adds`: it says more than its choice does.
    """

    kind: ReadingKind
    choice: str = ""
    command: Command | Literal[""] = ""
    candidates: tuple[str, ...] = ()
    confidence: float = 0.0
    recorded: bool = False
    reason: Reason = ""
    stronger: str = ""
    node: str = ""
    about: str = ""
    secret: bool = False
    adds: bool = False


@dataclass(frozen=True)
class Clicked:
    """A choice was pressed. `certain`: record "je ne sais pas" at once, its help was seen or can't be shown."""

    node: str
    choice: str
    certain: bool = False
    kind: Literal["clicked"] = "clicked"


@dataclass(frozen=True)
class Commanded:
    """A command, by button, slash or name. `node`: the question or section meant; `word`: a term or tutorial.

    `reading`: where it was typed; a choice in it is the answer to propose at the question to edit.
    """

    name: Command
    node: str = ""
    word: str = ""
    reading: Reading | None = None
    kind: Literal["commanded"] = "commanded"


@dataclass(frozen=True)
class ReadAnswer:
    """Typed text was read, beyond doubt, as this choice of this question. `words`: the manager's own, to keep."""

    node: str
    choice: str
    reading: Reading | None = None
    words: str = ""
    kind: Literal["read_answer"] = "read_answer"


@dataclass(frozen=True)
class NotUnderstood:
    """Typed text was read and meant nothing sure: `reading` says what to show back, or to ask. The text is not kept.

    `words`: the manager's own, to keep beside the answer that follows.
    """

    reading: Reading | None = None
    words: str = ""
    kind: Literal["not_understood"] = "not_understood"


@dataclass(frozen=True)
class Wrote:
    """Words of the manager's own, for a question that asks for them: a comment, a phone number."""

    node: str
    text: str
    kind: Literal["wrote"] = "wrote"


Mark = Literal["visit", "report", "debrief", "support", "appointment", "place"]
"""What is known of the visit from outside the conversation: the milestones, the day booked, a place on the list."""
MARKS: tuple[Mark, ...] = get_args(Mark)


@dataclass(frozen=True)
class TimerFired:
    """It is time for the bot to speak first. `moment`: of outreach.yml; `about`: the tutorial meant, if any."""

    moment: str
    about: str = ""
    kind: Literal["timer_fired"] = "timer_fired"


@dataclass(frozen=True)
class Marked:
    """A milestone of the visit: when it was, or is to be (UTC); None takes it back."""

    mark: Mark
    on: datetime | None
    kind: Literal["marked"] = "marked"


@dataclass(frozen=True)
class Provided:
    """What a room knows, brought into a flow inside the turn.

    `section`: opened and put in front, in a small flow; `forget`: answers that no longer stand; `offers`: the choices
    of the live question asked now; `say`: a template of words/, named whole; `values`: what it names, kept with those
    known.
    """

    flow: str
    section: str = ""
    forget: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    say: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    kind: Literal["provided"] = "provided"


Event = Clicked | Commanded | ReadAnswer | NotUnderstood | Wrote | TimerFired | Marked | Provided


@dataclass(frozen=True)
class AnswerRecorded:
    """An answer was recorded; `previous` is the one that it replaces, or empty."""

    node: str
    choice: str
    previous: str = ""
    kind: Literal["answer_recorded"] = "answer_recorded"


@dataclass(frozen=True)
class Digressed:
    """Something was said beside the question (why, help, define…); nothing else moved."""

    what: str
    kind: Literal["digressed"] = "digressed"


@dataclass(frozen=True)
class ShortPathDone:
    """The first result is there to be shown."""

    kind: Literal["short_path_done"] = "short_path_done"


@dataclass(frozen=True)
class AutodiagDone:
    """Every applicable question of every theme is answered."""

    kind: Literal["autodiag_done"] = "autodiag_done"


@dataclass(frozen=True)
class SectionOpened:
    """The manager chose to go deeper into a theme or into the branch module."""

    section: str
    kind: Literal["section_opened"] = "section_opened"


@dataclass(frozen=True)
class TutorialDone:
    """The manager says that a tutorial is done."""

    tutorial: str
    kind: Literal["tutorial_done"] = "tutorial_done"


@dataclass(frozen=True)
class Paused:
    """The manager stopped for now."""

    kind: Literal["paused"] = "paused"


@dataclass(frozen=True)
class Resumed:
    """The manager came back after a pause."""

    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True)
class FormDone:
    """Every question asked of a small flow is answered. `about`: the tutorial meant, if any."""

    flow: str
    section: str
    about: str = ""
    kind: Literal["form_done"] = "form_done"


@dataclass(frozen=True)
class SpokeFirst:
    """The bot spoke first, at this moment of outreach.yml."""

    moment: str
    kind: Literal["spoke_first"] = "spoke_first"


@dataclass(frozen=True)
class Quieted:
    """The manager asked the bot never to speak first again."""

    kind: Literal["quieted"] = "quieted"


@dataclass(frozen=True)
class Noted:
    """A milestone of the visit was noted, or taken back."""

    mark: Mark
    kind: Literal["noted"] = "noted"


Fact = (
    AnswerRecorded
    | Digressed
    | ShortPathDone
    | AutodiagDone
    | SectionOpened
    | TutorialDone
    | Paused
    | Resumed
    | FormDone
    | SpokeFirst
    | Quieted
    | Noted
)


@dataclass(frozen=True)
class StartOver:
    """Begin a new session on the current version of the flow, with the facts given before the first question."""

    kind: Literal["start_over"] = "start_over"


@dataclass(frozen=True)
class EraseAll:
    """Erase the conversation, its key first."""

    kind: Literal["erase_all"] = "erase_all"


Effect = StartOver | EraseAll


@dataclass(frozen=True)
class Record:
    """One turn in the log: when (ISO 8601, UTC), by which door, the event, the facts."""

    at: str
    door: str
    event: Annotated[Event, Field(discriminator="kind")]
    facts: tuple[Annotated[Fact, Field(discriminator="kind")], ...]


EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
RECORD: TypeAdapter[Record] = TypeAdapter(Record)
