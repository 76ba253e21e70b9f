"""What a conversation must have become: the pure engine, run on the events that were acknowledged. No I/O here.

A manager's story is kept beside the server and compared with what the database holds. An event that was sent and never
answered may have been taken or not; it is asked again, or looked for, and the story goes on from what is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.content import Content
from dialogue import engine, sessions
from dialogue.diary import Diary
from dialogue.engine import Refused
from dialogue.events import Clicked, Commanded, EraseAll, Event
from dialogue.sessions import Flows, Sessions

_NO_TIME = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The diary says when things happened: that is not compared."""


@dataclass(frozen=True)
class Story:
    """A conversation as its manager was told it stands. `events`: those that moved it, since it began."""

    flows: Flows
    held: Sessions
    revision: int = 1
    events: tuple[Event, ...] = ()
    erased: bool = False

    def after(self, event: Event) -> Story:
        """The story once this event is taken; itself when it changes nothing, or is refused."""
        event = _kept(event)
        try:
            taken = sessions.take(self.flows, self.held, event, _NO_TIME, "")
        except Refused:
            return self
        if any(isinstance(effect, EraseAll) for effect in taken.effects):
            return replace(self, erased=True)
        if timeless(taken.held) == timeless(self.held) and not taken.facts:
            return self
        return replace(self, held=taken.held, revision=self.revision + 1, events=(*self.events, event))

    @property
    def asked(self) -> str | None:
        """The question on offer."""
        step = engine.asking(*sessions.front(self.flows, self.held))
        return step.question.id if step else None

    @property
    def choices(self) -> Sequence[str]:
        """What may be answered to it."""
        step = engine.asking(*sessions.front(self.flows, self.held))
        return [choice.id for choice in step.question.choices] if step else []


def begun(content: Content, first: Event | None = None) -> Story:
    """A conversation just opened, with its first answer if it came with one."""
    forms = {flow.fingerprint: flow for flow in content.forms.values()}
    flows = Flows(content.flow, content.forms, forms, content.referential.plan)
    held = Sessions(engine.begin(content.flow))
    if first is None:
        return Story(flows, held)
    return Story(flows, sessions.take(flows, held, first, _NO_TIME, "").held, events=(first,))


def timeless(held: Sessions) -> Sessions:
    """The sessions without the diary."""
    return replace(held, diary=Diary())


def _kept(event: Event) -> Event:
    """The event as it is recorded: nothing that the programme does not need."""
    if isinstance(event, Commanded) and event.name not in ("define", "edit", "deepen", "tutorial", "done"):
        return Commanded(event.name)
    if isinstance(event, Commanded) and event.name in ("edit", "deepen"):
        return Commanded(event.name, node=event.node)
    return event


@dataclass
class Compared:
    """How what the database holds differs from what was acknowledged; all zero is the bar."""

    conversations: int = 0
    answers: int = 0
    lost: int = 0
    doubled: int = 0
    otherwise: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether nothing differs."""
        return not (self.lost or self.doubled or self.otherwise)

    def add(self, story: Story, kept: Sequence[Event] | None, revision: int, held: Sessions | None) -> None:
        """Compare one conversation; `kept` is its log, None when it is not there."""
        self.conversations += 1
        self.answers += sum(isinstance(event, Clicked) for event in story.events)
        if story.erased or kept is None:
            if story.erased != (kept is None):
                self.lost += 0 if story.erased else len(story.events)
                self.otherwise.append("erased and there" if story.erased else "not there")
            return
        wanted, found = Counter(story.events), Counter(kept)
        self.lost += (wanted - found).total()
        self.doubled += (found - wanted).total()
        if tuple(kept) != story.events and wanted == found:
            self.otherwise.append("taken in another order")
        if revision != story.revision:
            self.otherwise.append(f"revision {revision} instead of {story.revision}")
        if held is None or timeless(held) != timeless(story.held):
            self.otherwise.append("another session")
