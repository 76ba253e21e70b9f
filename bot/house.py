"""The house as every door is given it: settings, store, flow, words, and the clock. Opened once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot import testing
from bot.bell import Bell
from bot.content import Content, load_content
from bot.settings import Settings
from dialogue.flow import Flow, autodiag
from dialogue.words import Words
from referential.model import Questionnaire
from store import flows
from store.clock import Clock
from store.open import Store, open_store


@dataclass(frozen=True)
class House:
    """See the module. `now` is the one time of the house: the database's clock, followed by `keep_time`.

    `pinned`: the flows of sessions begun on an earlier version, by fingerprint, as they are met.
    `bell` wakes the worker when something is put in the outbox; `doors`: what a door keeps while the process lives;
    `watchers` are told of each turn: its door, its outcome, its seconds.
    """

    settings: Settings
    store: Store
    content: Content
    words: Words
    now: Callable[[], datetime] = field(default_factory=Clock)
    pinned: dict[str, Flow] = field(default_factory=dict)
    bell: Bell = field(default_factory=Bell)
    doors: dict[str, Any] = field(default_factory=dict)
    watchers: list[Callable[[str, str, float], None]] = field(default_factory=list)

    def keep_time(self, tx: Connection) -> None:
        """Set the clock by the database's now and then: called by who works, in a transaction of theirs."""
        if isinstance(self.now, Clock):
            self.now.follow(tx)

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
        if fingerprint == self.flow.fingerprint:
            return self.flow
        if fingerprint not in self.pinned:
            kept = flows.pinned(tx, fingerprint)
            if kept is None:
                raise LookupError(f"no flow is kept under {fingerprint}")
            self.pinned[fingerprint] = autodiag(Questionnaire.model_validate_json(kept))
        return self.pinned[fingerprint]

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
) -> House:
    """Read the content (or take it), open the store, keep the current flow. `own`: for the process that serves.

    `now`: another clock than the database's, for tests in this process.

    Raises Faults (content), KeyProblem, AlreadyOwned, MigrationProblem or Unavailable, each with a French sentence.
    """
    content = content or load_content()
    storage = settings.storage
    store = open_store(storage.database_url, storage.key_file, storage.erasure_journal, own=own)
    flow = content.flow
    kept = flow.questionnaire.model_dump_json()
    store.db.write(lambda tx: flows.pin(tx, flow.fingerprint, flow.id, flow.version, kept))
    words = Words(settings, content.tutorials, content.referential.glossary)
    house = House(settings, store, content, words, now or testing.clock())
    store.db.read(house.keep_time)
    return house
