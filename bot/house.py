"""The house as every door is given it: settings, store, flow, words, and the clock. Opened once a process."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any

from sqlalchemy import Connection

from bot import testing
from bot.bell import Bell
from bot.content import Content, load_content
from bot.hearing import Ear, ear_for
from bot.open_chats import OpenChats
from bot.settings import Settings
from dialogue.calendar import Hours
from dialogue.events import Event
from dialogue.flow import AUTODIAG, Flow, autodiag, small
from dialogue.session import Session
from dialogue.sessions import Flows, Sessions
from dialogue.words import Words
from referential.forms import Form
from referential.model import Questionnaire
from referential.yamlfile import Faults
from store import flows
from store.clock import Clock
from store.open import Store, open_store


@dataclass(frozen=True)
class House:
    """See the module. `now` is the one time of the house: the database's clock, followed by `keep_time`.

    `pinned`: flows by fingerprint, those published now and earlier ones as they are met;
    `bell` wakes the worker when something is put in the outbox; `open_chats`: the screens to tell when the bot speaks
    first; `doors`: what a door keeps while the process lives;
    `watchers` are told of each turn: its door, its outcome, its seconds; `after_turn` and `on_erase`: what rooms do in
    the transaction of a turn (a bot.turn.Happened) and of an erasure; `in_turn`: what they answer in a turn that is not
    saved yet (a bot.turn.UnderWay). All three are filled from bot/rooms.py.
    """

    settings: Settings
    store: Store
    content: Content
    words: Words
    ear: Ear
    now: Callable[[], datetime] = field(default_factory=Clock)
    pinned: dict[str, Flow] = field(default_factory=dict)
    bell: Bell = field(default_factory=Bell)
    open_chats: OpenChats = field(default_factory=OpenChats)
    doors: dict[str, Any] = field(default_factory=dict)
    watchers: list[Callable[[str, str, float], None]] = field(default_factory=list)
    after_turn: Sequence[Callable[[House, Connection, Any], None]] = ()
    on_erase: Sequence[Callable[[House, Connection, str], None]] = ()
    in_turn: Sequence[Callable[[House, Connection, Any], Sequence[Event]]] = ()

    def keep_time(self, tx: Connection) -> None:
        """Set the clock by the database's now and then: called by who works, in a transaction of theirs."""
        if isinstance(self.now, Clock):
            self.now.follow(tx)

    def typed(self, text: str) -> Callable[[Flow, Session], Event]:
        """What makes an event of a typed text, once it is known where the conversation stands."""
        return lambda flow, session: self.ear.read(flow, session, text)

    @property
    def flow(self) -> Flow:
        """The Autodiag as new sessions get it."""
        return self.content.flow

    @property
    def trial_for(self) -> timedelta:
        """How long a trial is kept."""
        return timedelta(hours=self.settings.retention.trial_hours)

    def today(self) -> date:
        """The day, in UTC."""
        return self.now().date()

    def flow_of(self, tx: Connection, fingerprint: str) -> Flow:
        """The flow that a session started with, which the store keeps as long as it may be needed."""
        if fingerprint not in self.pinned:
            kept = flows.pinned(tx, fingerprint)
            if kept is None:
                raise LookupError(f"no flow is kept under {fingerprint}")
            self.pinned[fingerprint] = _made(*kept)
        return self.pinned[fingerprint]

    def flows_of(self, tx: Connection, autodiag: Flow, held: Sessions) -> Flows:
        """The flows of a conversation whose Autodiag runs through this one."""
        under_way = {session.fingerprint: self.flow_of(tx, session.fingerprint) for session in held.others.values()}
        return Flows(autodiag, self.content.forms, under_way, self.content.referential.plan)

    @cached_property
    def hours(self) -> Hours:
        """When the bot may speak first."""
        plan = self.content.referential.plan
        return Hours(plan.opens, plan.closes, day_off)

    def kept_until(self, today: date, *, finished: bool) -> date:
        """The day when a conversation silent since `today` is purged."""
        retention = self.settings.retention
        return today + timedelta(days=retention.finished_days if finished else retention.unfinished_days)


def open_house(
    settings: Settings,
    *,
    own: bool = False,
    now: Callable[[], datetime] | None = None,
    content: Content | None = None,
    ear: Ear | None = None,
) -> House:
    """Read the content (or take it), open the store, keep the current flow. `own`: for the process that serves.

    `now`: another clock than the database's, and `ear` one that has its model, for tests in this process.

    Raises Faults (content), KeyProblem, JournalMissing, AlreadyOwned, MigrationProblem or Unavailable, each with a
    French sentence.
    """
    from bot import branches, rooms  # they take turns, and turns need a house

    content = content or load_content()
    if faults := branches.check(content.flow, settings):
        raise Faults(faults)
    storage = settings.storage
    store = open_store(storage.database_url, storage.key_file, storage.erasure_journal, own=own)
    now_published = (content.flow, *content.forms.values())

    def pin(tx: Connection) -> None:
        for flow in now_published:
            flows.pin(tx, flow.fingerprint, flow.id, flow.version, flow.content.model_dump_json())
        branches.freeze(tx, content.flow, settings)

    store.db.write(pin)
    words = Words(settings, content.tutorials, content.referential.glossary)
    published = {flow.fingerprint: flow for flow in now_published}
    house = House(
        settings,
        store,
        content,
        words,
        ear or ear_for(storage.model_dir, content.flow.questionnaire),
        now or testing.clock(),
        published,
        after_turn=rooms.AFTER_TURN,
        on_erase=rooms.ON_ERASE,
        in_turn=rooms.IN_TURN,
    )
    store.db.read(house.keep_time)
    return house


def day_off(day: date) -> bool:
    """Whether this day is a public holiday in France."""
    return day in _holidays()


@cache
def _holidays() -> Container[date]:
    from holidays import country_holidays  # half a second, and a start needs none of it

    return country_holidays("FR")


def _made(flow: str, kept: str) -> Flow:
    """A flow from what the store keeps of it."""
    return (
        autodiag(Questionnaire.model_validate_json(kept)) if flow == AUTODIAG else small(Form.model_validate_json(kept))
    )
