"""Speaking first: one timer a conversation, and what its doer says when it rings, in the door that the manager uses.

The rules are `dialogue.outreach`'s. Here: when to look again, and who carries the words. Any number of crashes leave
one timer; what is said is a turn like another, committed with what must leave and with the next timer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.house import House
from bot.turn import Happened, Present, happen, stands
from dialogue.events import Commanded, FormDone, Marked, ShortPathDone, TimerFired, TutorialDone
from dialogue.outreach import Look, Say, decide
from store import conversations, outbox

REACH = "reach"
DOOR = "timer"

Speaker = Callable[[House, Connection, Happened, Say], bool]
"""Puts in the outbox what tells somebody that something waits for them; whether there is a way to tell them."""


def arm(house: House, tx: Connection, happened: Happened) -> None:
    """After a turn that may change when the bot speaks first: set the timer of its conversation."""
    if not happened.loaded.trial and _matters(happened):
        _set(house, tx, happened.after)


def reach(house: House, tx: Connection, conversation: str, speakers: Mapping[str, Speaker]) -> bool:
    """Say what is due, if anything is, and set the next timer; whether something was said.

    `speakers`: by door, in the order in which they are tried. Without any, it waits in the chat.
    """
    loaded = conversations.load(tx, house.store.keyring, conversation, lock=True)
    if loaded is None:
        return False
    here = stands(house, tx, loaded)
    decided = decide(here.flows, here.held, house.now(), house.hours.open_from)
    if not isinstance(decided, Say):
        _set(house, tx, here)
        return False
    happened = happen(house, tx, conversation, TimerFired(decided.moment.id, decided.about), DOOR)
    assert happened is not None  # noqa: S101 — loaded above, and locked
    for speaker in _in_order(happened.after.held.diary.door, speakers):
        if speaker(house, tx, happened, decided):
            break
    _set(house, tx, happened.after)
    return True


def too_late(house: House, said: Say) -> datetime:
    """When words that could not leave are not sent any more: at the end of the day's hours."""
    return min(said.until, house.hours.closes_after(house.now()))


def _matters(happened: Happened) -> bool:
    """Whether this turn may bring the next time nearer; nearly none does."""
    match happened.event:
        case None | Marked():
            return True
        case Commanded(name="book" | "tutorial" | "quiet"):
            return True
    if happened.before is None or happened.after.restarted:
        return True
    return any(isinstance(fact, ShortPathDone | TutorialDone | FormDone) for fact in happened.facts)


def _set(house: House, tx: Connection, here: Present) -> None:
    decided = decide(here.flows, here.held, house.now(), house.hours.open_from)
    due = house.now() if isinstance(decided, Say) else decided.at if isinstance(decided, Look) else None
    outbox.schedule(tx, kind=REACH, key=here.conversation, due_at=due, conversation=here.conversation)


def _in_order(door: str, speakers: Mapping[str, Speaker]) -> Sequence[Speaker]:
    """The one of the door that the manager uses, then the others."""
    first = [speakers[door]] if door in speakers else []
    return [*first, *(speaker for name, speaker in speakers.items() if name != door)]
