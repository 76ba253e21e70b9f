"""The turn: one event handled in one transaction, one commit, then the acknowledgement. Every door goes through here.

An incoming id seen before, a stale revision, or an event that the engine refuses changes nothing at all, not even the
inbox: the caller gets the present turn, and `outcome` says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import Connection

from bot.house import House
from bot.scope import glimpse, permits
from dialogue import engine, sessions
from dialogue.diary import Diary
from dialogue.engine import Refused
from dialogue.events import (
    RECORD,
    AnswerRecorded,
    AutodiagDone,
    Commanded,
    EraseAll,
    Event,
    Fact,
    NotUnderstood,
    ReadAnswer,
    Record,
    ShortPathDone,
    SpokeFirst,
    StartOver,
    TutorialDone,
)
from dialogue.flow import Flow
from dialogue.present import Turn, status
from dialogue.session import Session
from dialogue.sessions import Flows, Sessions, Taken
from dialogue.shown import shown
from referential.rules import UNKNOWN
from store import conversations, inbox, tallies, ways
from store.conversations import Columns, Conversation
from store.engine import Unavailable

Outcome = Literal["taken", "seen", "stale", "refused", "erased"]
Then = Callable[[Connection, "Present"], None]
"""What a door does in the turn's own transaction once it is saved: put what must leave in the outbox."""
_ANSWERS = 4
"""Times that rooms may answer in one turn."""
EventOf = Callable[[Flow, Session], Event]
"""Makes the event from the session in front: typed text is read against the question being asked."""


class Gone(Exception):
    """There is no such conversation: erased, purged, or never there."""


@dataclass(frozen=True)
class Present:
    """Where a conversation stands after an event, and what became of it. `refusal`: the engine's code, or "limited".

    `limited`: who looks came by a mailed link, and is shown nothing but `bot.scope.glimpse`.
    """

    conversation: str
    revision: int
    flows: Flows = field(repr=False)
    held: Sessions = field(repr=False)
    outcome: Outcome = "taken"
    refusal: str = ""
    restarted: bool = False
    limited: bool = False

    @property
    def flow(self) -> Flow:
        """The Autodiag, as this conversation started it."""
        return self.flows.autodiag

    @property
    def session(self) -> Session:
        """The session of the Autodiag."""
        return self.held.autodiag

    @property
    def front(self) -> tuple[Flow, Session]:
        """The flow shown and its session: the Autodiag's, or those of a small flow."""
        return sessions.front(self.flows, self.held)

    def answered(self, node: str) -> str:
        """The answer that stands at this question, in whichever session; empty if there is none."""
        every = (self.held.autodiag, *self.held.others.values())
        return next((session.answers[node] for session in every if node in session.answers), "")

    def turn(self, house: House) -> Turn:
        """What a door shows."""
        turn = shown(self.flows, self.held, house.words)
        return glimpse(turn) if self.limited else turn


@dataclass(frozen=True)
class Bearer:
    """Whoever shows a token, looked up in the turn's own transaction. `opens`: the one it must lead to, or any.

    A token of another conversation or of another kind is Gone, like one that never was; so is a mailed link's, unless
    the door says that it takes `limited` ways and shows what they open.
    """

    token: str = field(repr=False)
    kind: ways.Kind | None = None
    opens: str | None = None
    limited: bool = False


@dataclass(frozen=True)
class Happened:
    """A turn that was taken, for the rooms: its event (none where a conversation only began), and what was concluded.

    `before`: where it was, None at the beginning; `loaded`: the conversation as loaded, with its key.
    """

    door: str
    event: Event | None
    facts: tuple[Fact, ...]
    before: Present | None
    after: Present
    loaded: Conversation


@dataclass(frozen=True)
class UnderWay:
    """A turn not saved yet, for the rooms that answer in it: what it led to, and the facts that are new to them."""

    door: str
    event: Event
    facts: tuple[Fact, ...]
    flows: Flows
    held: Sessions
    loaded: Conversation


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
    token: str | None = None,
    then: Then | None = None,
) -> tuple[Present, str]:
    """Begin a conversation, record its first answer if there is one, and open a way in for this device.

    The way's token is drawn from `incoming`, an unguessable id that the door made: sent twice, it opens the same
    conversation once. A door with a way of its own gives its `token`, and opens it in `then`. Raises Refused when a
    fact or the first event can't be taken, and begins nothing.
    """
    own = token

    def work(tx: Connection) -> tuple[Present, str]:
        keyring, today = house.store.keyring, house.today()
        token = own or keyring.digest(f"begin/{door}", incoming).hex()
        if not inbox.claim(tx, keyring, door, incoming, today):
            known = ways.find(tx, keyring, token, today)
            if known is None:
                raise Gone
            seen = replace(_present(house, tx, known.conversation), outcome="seen")
            if seen.revision > 1:  # the form's id opens its conversation no more once somebody has gone on
                raise Gone
            return seen, token
        diary = Diary(door=door, last=house.now().replace(microsecond=0))
        held = Sessions(engine.begin(house.flow, given), diary=diary)
        flows = house.flows_of(tx, house.flow, held)
        taken = sessions.take(flows, held, first, house.now(), door) if first else Taken(held)
        columns = _columns(house, house.flow, taken.held.autodiag)
        made = conversations.create(
            tx,
            keyring,
            snapshot=sessions.dump(taken.held),
            flow=house.flow.fingerprint,
            entry=entry,
            campaign=campaign,
            trial=trial,
            trial_until=house.now() + house.trial_for if trial else None,
            facts=[_record(house, door, first, taken)] if first else [],
            today=today,
            branch=columns["branch"],
            size=columns["size"],
            status=columns["status"],
            step=columns["step"],
            purge_on=columns["purge_on"],
        )
        if own is None:
            ways.issue(tx, keyring, made.id, "device", today, token=token)
        begun = Present(made.id, made.revision, flows, taken.held)
        if not trial:
            tallies.add(tx, door, ["begun", *_milestones(held, taken)])
        _tell_rooms(house, tx, Happened(door, first, taken.facts, None, begun, made))
        if then:
            then(tx, begun)
        return begun, token

    with _watched(house, door) as seen:
        begun, way = await house.store.db.submit(work)
        seen.outcome = "begun" if begun.outcome == "taken" else begun.outcome
    return begun, way


async def take(
    house: House,
    *,
    door: str,
    incoming: str,
    conversation: str | Bearer,
    revision: int | None,
    event: Event | EventOf,
    then: Then | None = None,
) -> Present:
    """Handle one event of a conversation. `revision`: the one that the button showed, or None where there is none.

    `then` is done in the same transaction when the event is taken and the conversation still there.
    Raises Gone, and store.engine.Unavailable when nothing could be saved.
    """

    def work(tx: Connection) -> Present:
        keyring, today = house.store.keyring, house.today()
        named, limited = _named(house, tx, conversation, use=True)
        new = inbox.claim(tx, keyring, door, incoming, today)
        loaded = conversations.load(tx, keyring, named, lock=True)
        if loaded is None:
            raise Gone
        here = replace(stands(house, tx, loaded), limited=limited)
        if not new:
            return replace(here, outcome="seen")
        if revision is not None and revision != loaded.revision:
            raise _NotTaken(replace(here, outcome="stale"))
        happened = _happened(house, here, event)
        try:
            taken = sessions.take(here.flows, here.held, happened, house.now(), door)
        except Refused as refused:
            raise _NotTaken(replace(here, outcome="refused", refusal=refused.code)) from None
        taken, said = _with_rooms(house, tx, loaded, here, happened, taken, door)
        after = _apply(house, tx, loaded, here, taken, said)
        if not loaded.trial and (reached := _milestones(here.held, taken)):
            tallies.add(tx, door, reached)
        if after.outcome == "taken":
            _tell_rooms(house, tx, Happened(door, happened, taken.facts, here, after, loaded))
        if then and after.outcome == "taken":
            then(tx, after)
        return after

    with _watched(house, door) as seen:
        try:
            done = await house.store.db.submit(work)
        except _NotTaken as left:
            done = left.present
        seen.outcome = done.outcome
    if done.outcome == "erased" or done.restarted:
        await asyncio.to_thread(house.store.db.scrub)
    return done


def happen(house: House, tx: Connection, conversation: str, event: Event, door: str) -> Happened | None:
    """An event of ours (a timer, a milestone) in a transaction of ours; None where there is no such conversation.

    Raises Refused when it can't be taken, and nothing has changed.
    """
    loaded = conversations.load(tx, house.store.keyring, conversation, lock=True)
    if loaded is None:
        return None
    here = stands(house, tx, loaded)
    taken = sessions.take(here.flows, here.held, event, house.now(), door)
    taken, said = _with_rooms(house, tx, loaded, here, event, taken, door)
    after = _apply(house, tx, loaded, here, taken, said)
    happened = Happened(door, event, taken.facts, here, after, loaded)
    _tell_rooms(house, tx, happened)
    return happened


async def look(house: House, conversation: str | Bearer) -> Present:
    """The present turn, read only; looking does not count as a use of a token. Raises Gone."""

    def work(tx: Connection) -> Present:
        named, limited = _named(house, tx, conversation, use=False)
        return replace(_present(house, tx, named), limited=limited)

    return await house.store.db.query(work)


async def erase(house: House, conversation: str | Bearer) -> None:
    """Erase a conversation at once, its key first. Raises Gone."""

    def work(tx: Connection) -> None:
        named, _ = _named(house, tx, conversation, use=False)
        for room in house.on_erase:
            room(house, tx, named)
        if not conversations.erase(tx, house.store.keyring, house.store.journal, named):
            raise Gone

    await house.store.db.submit(work)
    await asyncio.to_thread(house.store.db.scrub)


async def records(house: House, conversation: str) -> list[Record]:
    """Every turn recorded of a conversation, oldest first, for its manager. Raises Gone."""

    def work(tx: Connection) -> list[Record]:
        loaded = conversations.load(tx, house.store.keyring, conversation, lock=False)
        if loaded is None:
            raise Gone
        return [RECORD.validate_json(fact) for fact in conversations.facts_of(tx, loaded)]

    return await house.store.db.query(work)


@dataclass
class _Seen:
    """What became of a turn, for who watches."""

    outcome: str = "failed"


@contextmanager
def _watched(house: House, door: str) -> Iterator[_Seen]:
    """Tell the watchers of the house how a turn ended and how long it took, its COMMIT included."""
    seen, began = _Seen(), time.perf_counter()
    try:
        yield seen
    except Gone:
        seen.outcome = "gone"
        raise
    except Refused:
        seen.outcome = "refused"
        raise
    except Unavailable:
        seen.outcome = "unavailable"
        raise
    finally:
        spent = time.perf_counter() - began
        for watch in house.watchers:
            watch(door, seen.outcome, spent)


def _named(house: House, tx: Connection, conversation: str | Bearer, *, use: bool) -> tuple[str, bool]:
    """The id meant, and whether the way to it is limited. `use` counts as a use of the token. Raises Gone."""
    if isinstance(conversation, str):
        return conversation, False
    find, bearer = ways.find if use else ways.look_up, conversation
    way = find(tx, house.store.keyring, bearer.token, house.today(), bearer.kind, limited=bearer.limited)
    if way is None or bearer.opens not in (None, way.conversation):
        raise Gone
    return way.conversation, way.limited


def _with_rooms(
    house: House, tx: Connection, loaded: Conversation, here: Present, event: Event, taken: Taken, door: str
) -> tuple[Taken, list[bytes]]:
    """Let the rooms answer in the turn until they have nothing to add; all that it gave, and a record of each event.

    What a room knows (free times, a time that was just taken) comes in as an event, so the turn replays without it.
    """
    said, fresh = [_record(house, door, event, taken)], taken.facts
    flows = here.flows
    for _ in range(_ANSWERS):
        under_way = UnderWay(door, event, fresh, flows, taken.held, loaded)
        events = [answer for room in house.in_turn for answer in room(house, tx, under_way)]
        fresh = ()
        for event in events:
            more = sessions.take(flows, taken.held, event, house.now(), door)
            said.append(_record(house, door, event, more))
            flows = house.flows_of(tx, here.flow, more.held)
            taken = Taken(more.held, (*taken.facts, *more.facts), (*taken.effects, *more.effects))
            fresh += more.facts
        if not events:
            break
    return taken, said


def _tell_rooms(house: House, tx: Connection, happened: Happened) -> None:
    for room in house.after_turn:
        room(house, tx, happened)


def _milestones(before: Sessions, taken: Taken) -> list[str]:
    """What this turn adds to the operator's totals; nothing on nearly every turn."""
    reached: list[str] = []
    for fact in taken.facts:
        match fact:
            case ShortPathDone():
                reached.append("short_done")
            case AutodiagDone():
                reached.append("done")
            case TutorialDone() if fact.tutorial not in before.autodiag.tutorials_done:
                reached.append("tutorial_done")
            case AnswerRecorded(node="visite-voulue"):
                reached.append(f"visit_wanted/{fact.choice}")
    if any(isinstance(effect, StartOver) for effect in taken.effects):
        reached.append("restarted")
    return reached


def _present(house: House, tx: Connection, conversation: str) -> Present:
    loaded = conversations.load(tx, house.store.keyring, conversation, lock=False)
    if loaded is None:
        raise Gone
    return stands(house, tx, loaded)


def stands(house: House, tx: Connection, loaded: Conversation) -> Present:
    """Where a conversation stands as loaded."""
    held = sessions.load(loaded.snapshot)
    return Present(loaded.id, loaded.revision, house.flows_of(tx, house.flow_of(tx, loaded.flow), held), held)


def _apply(
    house: House, tx: Connection, loaded: Conversation, here: Present, taken: Taken, said: list[bytes]
) -> Present:
    flow, held, facts = here.flow, taken.held, said
    for effect in taken.effects:
        match effect:
            case EraseAll():
                for room in house.on_erase:
                    room(house, tx, loaded.id)
                conversations.erase(tx, house.store.keyring, house.store.journal, loaded.id)
                return replace(here, outcome="erased")
            case StartOver():
                conversations.forget_facts(tx, loaded)
                flow, facts = house.flow, []
                given = {n: c for n, c in held.autodiag.given.items() if _fits(flow, n, c)}
                held = replace(held, autodiag=engine.begin(flow, given))
    if replace(held, diary=here.held.diary) == here.held and not taken.facts:
        return here
    columns = _columns(house, flow, held.autodiag)
    if any(isinstance(fact, SpokeFirst) for fact in taken.facts):  # speaking first keeps nothing longer
        del columns["last_on"], columns["purge_on"]
    saved = conversations.save(tx, loaded, snapshot=sessions.dump(held), facts=facts, **columns)
    if saved.purge_on > loaded.purge_on:
        ways.extend(tx, loaded.id, saved.purge_on)
    flows = house.flows_of(tx, flow, held)
    return Present(loaded.id, saved.revision, flows, held, restarted=not facts, limited=here.limited)


def _happened(house: House, here: Present, event: Event | EventOf) -> Event:
    """The event, once it is known that who sends it may. Raises _NotTaken."""
    happened = _discreet(house, event(*here.front) if callable(event) else event)
    if here.limited and not permits(happened, engine.asking(*here.front)):
        raise _NotTaken(replace(here, outcome="refused", refusal="limited"))
    return happened


def _discreet(house: House, event: Event) -> Event:
    """The event with nothing in it that somebody typed: a word is kept only where it names a term or a tutorial."""
    if not isinstance(event, Commanded):
        return event
    read = event.reading
    match event.name:
        case "define":
            term = house.words.term(event.word) or next(iter(house.words.terms_in(event.word)), None)
            return Commanded("define", word=term.term if term else "", reading=read)
        case "edit" | "deepen":
            return Commanded(event.name, node=event.node, reading=read)
        case "tutorial" | "done":
            return Commanded(event.name, word=event.word, reading=read)
        case "emergency":
            return Commanded("emergency", word="now" if event.word == "now" else "", reading=read)
        case _:
            return Commanded(event.name, reading=read)


def _fits(flow: Flow, node: str, choice: str) -> bool:
    question = flow.question(node)
    return question is not None and choice in question.by_choice


def _record(house: House, door: str, event: Event, taken: Taken) -> bytes:
    if isinstance(event, ReadAnswer | NotUnderstood) and event.words:
        event = replace(event, words="")  # they stand beside the answer alone: forgotten there, they are gone
    return RECORD.dump_json(Record(house.now().isoformat(timespec="seconds"), door, event, taken.facts))


def _columns(house: House, flow: Flow, session: Session) -> Columns:
    """What stands in clear beside the sealed snapshot: branch, size, status, where people stop, the purge's day.

    `step`: the section to answer next until the short path is done, then the kind of place.
    """
    stands = None if session.short_done else engine.current(flow, session)
    facts = {
        name: given for name in ("branche", "effectif") if (given := session.answers.get(name, UNKNOWN)) != UNKNOWN
    }
    return Columns(
        flow=flow.fingerprint,
        last_on=house.today(),
        branch=facts.get("branche"),
        size=facts.get("effectif"),
        status=status(flow, session),
        step=stands.section.id if stands else session.place.kind,
        purge_on=house.kept_until(house.today(), finished=session.short_done),
    )
