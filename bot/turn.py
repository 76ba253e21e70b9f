"""The turn: one event handled in one transaction, one commit, then the acknowledgement. Every door goes through here.

An incoming id seen before, a stale revision, or an event that the engine refuses changes nothing at all, not even the
inbox: the caller gets the present turn, and `outcome` says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from bot.house import House
from dialogue import engine
from dialogue import session as sessions
from dialogue.engine import Refused
from dialogue.events import RECORD, EraseAll, Event, Record, StartOver
from dialogue.flow import Flow
from dialogue.present import Turn, present, status
from dialogue.session import Session
from referential.rules import UNKNOWN
from store import conversations, inbox, ways
from store.conversations import Columns, Conversation

Outcome = Literal["taken", "seen", "stale", "refused", "erased"]
EventOf = Callable[[Flow, Session], Event]
"""Makes the event from the session as it stands: typed text is read against the question being asked."""


class Gone(Exception):
    """There is no such conversation: erased, purged, or never there."""


@dataclass(frozen=True)
class Present:
    """Where a conversation stands after an event, and what became of it. `refusal`: the engine's code, or empty."""

    conversation: str
    revision: int
    flow: Flow
    session: Session
    outcome: Outcome = "taken"
    refusal: str = ""

    def turn(self, house: House) -> Turn:
        """What a door shows."""
        return present(self.flow, self.session, house.words)


class _NotTaken(Exception):
    """Carries the present turn out of a transaction that must leave no trace."""

    def __init__(self, present: Present) -> None:
        super().__init__(present.outcome)
        self.present = present


async def begin(
    house: House,
    *,
    door: str,
    incoming: str,
    entry: str = "direct",
    campaign: str | None = None,
    trial: bool = False,
    given: Mapping[str, str] | None = None,
    first: Event | None = None,
) -> tuple[Present, str]:
    """Begin a conversation, record its first answer if there is one, and open a way in for this device.

    The way's token is drawn from `incoming`, an unguessable id that the door made: sent twice, it opens the same
    conversation once. Raises Refused when a fact or the first event can't be taken, and begins nothing.
    """

    def work(tx: Connection) -> tuple[Present, str]:
        keyring, today = house.store.keyring, house.today()
        token = keyring.digest(f"begin/{door}", incoming).hex()
        if not inbox.claim(tx, keyring, door, incoming, today):
            known = ways.find(tx, keyring, token, today)
            if known is None:
                raise Gone
            return replace(_present(house, tx, known), outcome="seen"), token
        session = engine.begin(house.flow, given)
        stepped = engine.step(house.flow, session, first) if first else engine.Stepped(session)
        columns = _columns(house, house.flow, stepped.session)
        made = conversations.create(
            tx,
            keyring,
            snapshot=sessions.dump(stepped.session),
            flow=house.flow.fingerprint,
            entry=entry,
            campaign=campaign,
            trial=trial,
            trial_until=house.now() + house.trial_for if trial else None,
            facts=[_record(house, door, first, stepped)] if first else [],
            today=today,
            branch=columns["branch"],
            size=columns["size"],
            status=columns["status"],
            step=columns["step"],
            purge_on=columns["purge_on"],
        )
        ways.issue(tx, keyring, made.id, "device", today, token=token)
        return Present(made.id, made.revision, house.flow, stepped.session), token

    return await house.store.db.submit(work)


async def take(
    house: House,
    *,
    door: str,
    incoming: str,
    conversation: str,
    revision: int | None,
    event: Event | EventOf,
) -> Present:
    """Handle one event of a conversation. `revision`: the one that the button showed, or None where there is none.

    Raises Gone, and store.engine.Unavailable when nothing could be saved.
    """

    def work(tx: Connection) -> Present:
        keyring, today = house.store.keyring, house.today()
        new = inbox.claim(tx, keyring, door, incoming, today)
        loaded = conversations.load(tx, keyring, conversation, lock=True)
        if loaded is None:
            raise Gone
        flow, session = house.flow_of(tx, loaded.flow), sessions.load(loaded.snapshot)
        here = Present(loaded.id, loaded.revision, flow, session)
        if not new:
            return replace(here, outcome="seen")
        if revision is not None and revision != loaded.revision:
            raise _NotTaken(replace(here, outcome="stale"))
        happened = event(flow, session) if callable(event) else event
        try:
            stepped = engine.step(flow, session, happened)
        except Refused as refused:
            raise _NotTaken(replace(here, outcome="refused", refusal=refused.code)) from None
        return _apply(house, tx, loaded, here, stepped, _record(house, door, happened, stepped))

    try:
        done = await house.store.db.submit(work)
    except _NotTaken as left:
        return left.present
    if done.outcome == "erased":
        await asyncio.to_thread(house.store.db.scrub)
    return done


async def look(house: House, conversation: str) -> Present:
    """The present turn, read only. Raises Gone."""
    return await house.store.db.query(lambda tx: _present(house, tx, conversation))


async def records(house: House, conversation: str) -> list[Record]:
    """Every turn recorded of a conversation, oldest first, for its manager. Raises Gone."""

    def work(tx: Connection) -> list[Record]:
        loaded = conversations.load(tx, house.store.keyring, conversation, lock=False)
        if loaded is None:
            raise Gone
        return [RECORD.validate_json(fact) for fact in conversations.facts_of(tx, loaded)]

    return await house.store.db.query(work)


def _present(house: House, tx: Connection, conversation: str) -> Present:
    loaded = conversations.load(tx, house.store.keyring, conversation, lock=False)
    if loaded is None:
        raise Gone
    return Present(loaded.id, loaded.revision, house.flow_of(tx, loaded.flow), sessions.load(loaded.snapshot))


def _apply(
    house: House, tx: Connection, loaded: Conversation, here: Present, stepped: engine.Stepped, record: bytes
) -> Present:
    flow, session = here.flow, stepped.session
    for effect in stepped.effects:
        match effect:
            case EraseAll():
                conversations.erase(tx, house.store.keyring, house.store.journal, loaded.id)
                return replace(here, outcome="erased")
            case StartOver():
                flow = house.flow
                session = engine.begin(flow, {n: c for n, c in session.given.items() if _fits(flow, n, c)})
    if session == here.session and not stepped.facts:
        return here
    columns = _columns(house, flow, session)
    saved = conversations.save(tx, loaded, snapshot=sessions.dump(session), facts=[record], **columns)
    return Present(loaded.id, saved.revision, flow, session)


def _fits(flow: Flow, node: str, choice: str) -> bool:
    question = flow.question(node)
    return question is not None and choice in question.by_choice


def _record(house: House, door: str, event: Event, stepped: engine.Stepped) -> bytes:
    return RECORD.dump_json(Record(house.now().isoformat(timespec="seconds"), door, event, stepped.facts))


def _columns(house: House, flow: Flow, session: Session) -> Columns:
    """What stands in clear beside the sealed snapshot: branch, size, status, where people stop, the purge's day."""
    asked = engine.asking(flow, session)
    facts = {
        name: given for name in ("branche", "effectif") if (given := session.answers.get(name, UNKNOWN)) != UNKNOWN
    }
    return Columns(
        flow=flow.fingerprint,
        last_on=house.today(),
        branch=facts.get("branche"),
        size=facts.get("effectif"),
        status=status(flow, session),
        step=asked.section.id if asked else session.place.kind,
        purge_on=house.kept_until(house.today(), finished=session.short_done),
    )
