"""The sessions of one conversation: the Autodiag, and the small flows beside it, run by the one engine.

One of them is in front: what a door shows. A command that belongs to the Autodiag brings it back to the front; a press
goes to the flow that asks that question. What rooms and timers know comes in as events too, so that all of it replays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter

from dialogue import session as one
from dialogue.diary import Diary
from dialogue.engine import Refused, Stepped, asking, begin, current, open_section, result, step
from dialogue.events import (
    Clicked,
    Command,
    Commanded,
    Effect,
    Event,
    Fact,
    FormDone,
    Marked,
    Noted,
    Provided,
    Quieted,
    ReadAnswer,
    SpokeFirst,
    StartOver,
    TimerFired,
    Wrote,
)
from dialogue.flow import AUTODIAG, Flow
from dialogue.session import Aside, Place, Session
from referential.forms import FormChoice
from referential.outreach import Opening, Plan

OF_THE_FRONT: frozenset[Command] = frozenset(
    {"back", "why", "help", "define", "repeat", "resume", "human", "emergency"}
)
"""Commands that the flow in front takes; every other is the Autodiag's."""


@dataclass(frozen=True)
class Flows:
    """The flows of a conversation: the Autodiag as pinned, the small ones as published now, the pinned ones of sessions
    under way by fingerprint, and the plan.
    """

    autodiag: Flow
    forms: Mapping[str, Flow]
    pinned: Mapping[str, Flow]
    plan: Plan

    def of(self, session: Session) -> Flow:
        """The flow that a session runs through."""
        return self.autodiag if session.flow == AUTODIAG else self.pinned[session.fingerprint]


@dataclass(frozen=True)
class Sessions:
    """See the module. `others`: the sessions of small flows, by flow id; `beside`: a flow asked under the result."""

    autodiag: Session
    others: Mapping[str, Session] = field(default_factory=dict)
    front: str = AUTODIAG
    beside: str = ""
    diary: Diary = field(default_factory=Diary)

    def by(self, flow: str) -> Session:
        """The session of this flow. Raises KeyError."""
        return self.autodiag if flow == AUTODIAG else self.others[flow]

    def having(self, session: Session) -> Sessions:
        """With this session in the place of its flow's."""
        if session.flow == AUTODIAG:
            return replace(self, autodiag=session)
        return replace(self, others={**self.others, session.flow: session})


@dataclass(frozen=True)
class Taken:
    """What one event gave."""

    held: Sessions
    facts: tuple[Fact, ...] = ()
    effects: tuple[Effect, ...] = ()


def take(flows: Flows, held: Sessions, event: Event, at: datetime, door: str) -> Taken:
    """Handle one event of a conversation. Raises Refused, and nothing has changed."""
    match event:
        case TimerFired():
            taken = _spoke_first(flows, held, event)
        case Marked():
            taken = Taken(held, (Noted(event.mark),))
        case Provided():
            taken = _provided(flows, held, event)
        case Commanded(name="quiet"):
            there = replace(_home(held), autodiag=replace(held.autodiag, aside=Aside("quiet")))
            taken = Taken(there, (Quieted(),))
        case Commanded(name="leave"):
            taken = _stepped(flows, _home(held), AUTODIAG, Commanded("resume"))
        case _:
            taken = _stepped(flows, held, _goes_to(flows, held, event), event)
    return replace(taken, held=replace(taken.held, diary=taken.held.diary.after(at, door, event, taken.facts)))


def front(flows: Flows, held: Sessions) -> tuple[Flow, Session]:
    """The flow shown, and its session."""
    session = held.by(held.front)
    return flows.of(session), session


def opened(flows: Flows, held: Sessions, form: str, section: str, *, about: str = "") -> Session | None:
    """The session of a small flow with this section open; None where nothing is left to ask in it."""
    known = held.others.get(form)
    flow = flows.of(known) if known and flows.of(known).form and _once(flows.of(known)) else flows.forms.get(form)
    if flow is None or section not in flow.section:
        return None
    session = known if known and _once(flow) else replace(begin(flow), about=about)
    given = {name: value for name, value in _known(flows, held).items() if flow.question(name)}
    session = open_section(flow, replace(session, answers={**session.answers, **given}), section)
    return session if current(flow, session) else None


def _spoke_first(flows: Flows, held: Sessions, event: TimerFired) -> Taken:
    moment = flows.plan.by_id.get(event.moment)
    if moment is None:
        raise Refused("unknown_node")
    said = (SpokeFirst(event.moment),)
    if moment.flow is None or moment.section is None:
        back = replace(held.autodiag, paused=False, aside=Aside("reach", event.moment))
        return Taken(replace(_home(held), autodiag=back), said)
    session = opened(flows, held, moment.flow, moment.section, about=event.about)
    if session is None:
        raise Refused("not_asked")
    asked = replace(session, aside=Aside("reach", event.moment))
    return Taken(replace(held.having(asked), front=moment.flow, beside=""), said)


def _provided(flows: Flows, held: Sessions, event: Provided) -> Taken:
    """Bring what a room knows into its flow: a section opened anew, or the session as it stands."""
    known = held.autodiag if event.flow == AUTODIAG else held.others.get(event.flow)
    flow = flows.of(known) if known else flows.forms.get(event.flow)
    if event.section:
        flow = flows.forms.get(event.flow)
        if flow is None or event.section not in flow.section:
            raise Refused("unknown_node")
        kept, values = (known.answers, known.values) if known else ({}, {})
        known = open_section(flow, replace(begin(flow), answers=kept, values=values), event.section)
    if known is None or flow is None:
        raise Refused("not_asked")
    session = replace(
        known,
        answers={node: answer for node, answer in known.answers.items() if node not in event.forget},
        offers=event.offers,
        values={**known.values, **event.values},
        told=event.say or known.told,
        aside=Aside("told", event.say) if event.say else known.aside,
    )
    if session.place.kind == "end" and current(flow, session):
        session = replace(session, place=Place())
    return Taken(replace(held.having(session), front=event.flow if event.flow != AUTODIAG else held.front))


def _goes_to(flows: Flows, held: Sessions, event: Event) -> str:
    """The flow that an event is for."""
    match event:
        case Clicked() | ReadAnswer() | Wrote():
            for name in (held.front, held.beside):
                session = held.by(name) if name else None
                if session and flows.of(session).question(event.node):
                    return name
            return AUTODIAG
        case Commanded() if event.name not in OF_THE_FRONT:
            return AUTODIAG
        case _:
            return held.front if held.by(held.front).place.kind != "end" else AUTODIAG


def _stepped(flows: Flows, held: Sessions, name: str, event: Event) -> Taken:
    if name == AUTODIAG and held.front != AUTODIAG:
        held = _home(held)
    before = held.by(name)
    stepped = step(flows.of(before), before, event)
    after = held.having(stepped.session)
    if name == AUTODIAG:
        return _after_autodiag(flows, after, stepped)
    done = next((fact for fact in stepped.facts if isinstance(fact, FormDone)), None)
    return _ended(flows, after, stepped, done) if done else Taken(after, stepped.facts, stepped.effects)


def _after_autodiag(flows: Flows, after: Sessions, stepped: Stepped) -> Taken:
    if any(isinstance(effect, StartOver) for effect in stepped.effects):
        fresh = replace(after, others={}, beside="", diary=after.diary.started_over())
        return Taken(fresh, stepped.facts, stepped.effects)
    beside: Opening | None = flows.plan.beside_result
    if beside and stepped.session.short_done and beside.flow not in after.others:
        session = opened(flows, after, beside.flow, beside.section)
        if session:
            after = replace(after.having(session), beside=beside.flow)
    return Taken(after, stepped.facts, stepped.effects)


def _ended(flows: Flows, after: Sessions, stepped: Stepped, done: FormDone) -> Taken:
    """What the last answer of a small flow leads to: a command of the Autodiag, or thanks."""
    flow = flows.of(stepped.session)
    last = flow.section[done.section].questions[-1]
    chosen = last.by_choice.get(stepped.session.answers.get(last.id, ""))
    leads = chosen.then if isinstance(chosen, FormChoice) else None
    if after.beside == done.flow:
        after = replace(after, beside="", autodiag=replace(after.autodiag, aside=Aside("thanks")))
    if leads is None:
        return Taken(after, stepped.facts, stepped.effects)
    then = _stepped(flows, _home(after), AUTODIAG, Commanded(leads, word=done.about))
    return Taken(then.held, (*stepped.facts, *then.facts), (*stepped.effects, *then.effects))


def _home(held: Sessions) -> Sessions:
    """The Autodiag in front."""
    return replace(held, front=AUTODIAG)


def _once(flow: Flow) -> bool:
    return flow.form is not None and flow.form.once


def _known(flows: Flows, held: Sessions) -> dict[str, str]:
    """The facts that small flows may look at, by the ids that their files declare."""
    since = held.diary.since
    shown = held.autodiag.short_done and bool(result(flows.autodiag, held.autodiag).actions)
    told = {"visite-faite": "visit" in since, "rapport-remis": "report" in since, "actions-montrees": shown}
    return {name: "oui" if true else "non" for name, true in told.items()}


_SESSIONS = TypeAdapter(Sessions)


def dump(held: Sessions) -> bytes:
    """The sessions as JSON; equal ones give equal bytes."""
    return _SESSIONS.dump_json(held)


def load(data: bytes) -> Sessions:
    """What `dump` wrote, or a lone Autodiag session as the first version kept it. Raises ValidationError on others."""
    return _SESSIONS.validate_json(data) if data.startswith(b'{"autodiag":') else Sessions(one.load(data))


def asked_beside(flows: Flows, held: Sessions) -> tuple[Flow, Session] | None:
    """The small flow to show under the result, while it asks something and the result is there."""
    if not held.beside or held.front != AUTODIAG or held.autodiag.place != Place("result") or held.autodiag.paused:
        return None
    session = held.by(held.beside)
    flow = flows.of(session)
    return (flow, session) if asking(flow, session) else None
