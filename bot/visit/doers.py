"""Who does the jobs of visits: reminders, and the waiting list when a place frees up. All are rows (`Writes`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from bot.house import House
from bot.turn import happen
from bot.visit import changes
from bot.visit.notices import LIST, PLACE, REMIND
from bot.worker import Doer, Writes
from dialogue.events import Marked
from store import outbox
from store.outbox import Job
from visits import places

DOOR = "visits"


def serve(house: House, tx: Connection, job: Job) -> None:
    """Call whoever waits for a place that is free now, first come first served; each is told in a job of their own.

    No conversation is locked here: who takes a place locks its conversation before the book, and this the book.
    """
    now = house.now()
    for conversation in places.call(tx, house.settings.visits.places, now):
        outbox.schedule(tx, kind=PLACE, key=conversation, due_at=now)
    if (again := places.next_call(tx)) is not None:
        outbox.schedule(tx, kind=LIST, key="all", due_at=max(again, now))


def tell(house: House, tx: Connection, job: Job) -> None:
    """A place is there for a conversation: the bot says so, by its door, within the hours."""
    conversation = (job.dedup or "").removeprefix(f"{PLACE}/")
    happen(house, tx, conversation, Marked("place", _second(house.now())), DOOR)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def remind(house: House, tx: Connection, job: Job) -> None:
    """The day before a visit, or two hours before."""
    name, _, which = (job.dedup or "").removeprefix(f"{REMIND}/").partition("/")
    changes.remind(house, tx, name, which)
    if which == "day_before":
        changes.tell_consultant(house, tx, name)


DOERS: Mapping[str, Doer] = {LIST: Writes(serve), PLACE: Writes(tell), REMIND: Writes(remind)}
