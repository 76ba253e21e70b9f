"""What happened when in a conversation: all that decides whether, and when, the bot may speak first.

A value that turns carry along; nothing here reads a clock. Moments are UTC, at the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dialogue.events import (
    Commanded,
    Event,
    Fact,
    FormDone,
    Marked,
    Quieted,
    ShortPathDone,
    TimerFired,
    TutorialDone,
)


@dataclass(frozen=True)
class Said:
    """The bot spoke first: at which moment of the plan, about which tutorial, when."""

    moment: str
    about: str
    at: datetime


@dataclass(frozen=True)
class Diary:
    """`last`: the manager's last turn, by this `door`; `since`: instants by name (result, visit_wanted, and the marks);
    `tutorials`: opened and not settled yet; `said`: oldest first; `quiet`: never speak first again.
    """

    door: str = ""
    last: datetime | None = None
    since: Mapping[str, datetime] = field(default_factory=dict)
    tutorials: Mapping[str, datetime] = field(default_factory=dict)
    said: tuple[Said, ...] = ()
    quiet: bool = False

    def after(self, at: datetime, door: str, event: Event, facts: tuple[Fact, ...]) -> Diary:
        """The diary after a turn."""
        at = at.replace(microsecond=0)
        match event:
            case TimerFired():
                return replace(self, said=(*self.said, Said(event.moment, event.about, at)))
            case Marked():
                return self.marked(event.mark, event.on)
        kept = replace(self, last=at, door=door)
        if isinstance(event, Commanded) and event.name == "book" and "appointment" not in self.since:
            kept = kept.marked("visit_wanted", at)
        if isinstance(event, Commanded) and event.name == "tutorial" and event.word not in self.tutorials:
            kept = replace(kept, tutorials={**kept.tutorials, event.word: at})
        for fact in facts:
            match fact:
                case ShortPathDone():
                    kept = kept.marked("result", at)
                case TutorialDone():
                    kept = kept.settled(fact.tutorial)
                case FormDone(flow="visit-wanted"):
                    kept = kept.marked("visit_wanted", None)
                case FormDone(flow="tutorial-check"):
                    kept = kept.settled(fact.about)
                case Quieted():
                    kept = replace(kept, quiet=True)
        return kept

    def marked(self, name: str, at: datetime | None) -> Diary:
        """With this instant known, or no longer."""
        others = {each: when for each, when in self.since.items() if each != name}
        return replace(self, since=others if at is None else {**others, name: at.replace(microsecond=0)})

    def settled(self, tutorial: str) -> Diary:
        """Nothing more to ask about this tutorial."""
        return replace(self, tutorials={name: at for name, at in self.tutorials.items() if name != tutorial})

    def started_over(self) -> Diary:
        """What outlives a new start: the visit, what was said, and the wish to be left alone."""
        kept = {name: at for name, at in self.since.items() if name != "result"}
        return replace(self, since=kept, tutorials={})

    def last_said(self, moment: str, about: str = "") -> datetime | None:
        """When this was last said, or None."""
        return next((each.at for each in reversed(self.said) if (each.moment, each.about) == (moment, about)), None)
