"""When the bot may speak first, and what it says: the plan, a conversation, an instant -> say, or look again later.

Pure. The limits are the plan's: at most one in so many days, the most important first, the others wait or expire; hours
and holidays come as a function. A manager who asked for quiet is never spoken to first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialogue.sessions import Flows, Sessions, opened
from referential.outreach import Moment

STILL_HERE = timedelta(hours=2)
"""Nobody is asked to come back sooner than this after they left: a visit booked for tomorrow, for one."""
Open = Callable[[datetime], datetime]
"""The first instant from this one on at which somebody may be disturbed."""


@dataclass(frozen=True)
class Say:
    """Say this now. `about`: the tutorial meant, if any; `until`: too late after that."""

    moment: Moment
    about: str
    until: datetime


@dataclass(frozen=True)
class Look:
    """Nothing to say before this instant; look again then."""

    at: datetime


@dataclass(frozen=True)
class _Due:
    moment: Moment
    about: str
    at: datetime
    until: datetime


def decide(flows: Flows, held: Sessions, now: datetime, open_from: Open) -> Say | Look | None:
    """What to say first now, or when to look again; None when nothing is to be said as things stand."""
    if held.diary.quiet:
        return None
    waiting = [found for due in _candidates(flows, held) if (found := _placed(flows, held, due, now, open_from))]
    ready = [due for due in waiting if due.at <= now]
    if ready:
        return Say(ready[0].moment, ready[0].about, ready[0].until)
    return Look(min(due.at for due in waiting)) if waiting else None


def _placed(flows: Flows, held: Sessions, due: _Due, now: datetime, open_from: Open) -> _Due | None:
    """The same at the first instant that the limits leave; None if that is too late."""
    at = max(due.at, now)
    if not due.moment.unlimited:
        by_id = flows.plan.by_id
        counted = (each.at for each in held.diary.said if each.moment in by_id and not by_id[each.moment].unlimited)
        last = max(counted, default=None)
        if last is not None:
            at = max(at, last + timedelta(days=flows.plan.apart_days))
    at = open_from(at)
    return _Due(due.moment, due.about, at, due.until) if at <= due.until else None


def _candidates(flows: Flows, held: Sessions) -> Iterator[_Due]:
    """Everything of the plan that still has a reason, by priority, whether its time has come or not."""
    for moment in flows.plan.moments:
        for about, since in _instants(held, moment):
            said = held.diary.last_said(moment.id, about)
            once = moment.kind in ("unfinished", "tutorial")
            if said is not None and (once or said >= since):
                continue
            if _has_a_reason(flows, held, moment, about):
                at = since + timedelta(days=moment.days)
                until = at + timedelta(days=moment.expires)
                if moment.kind == "unfinished" and held.diary.last is not None:
                    at = max(at, held.diary.last + STILL_HERE)
                yield _Due(moment, about, at, until)


def _instants(held: Sessions, moment: Moment) -> Iterator[tuple[str, datetime]]:
    """From when a moment counts: (the tutorial meant, the instant); nothing while it is not known."""
    diary = held.diary
    if any(name in diary.since for name in moment.without):
        return
    if moment.reminder_of:
        sent = diary.last_said(moment.reminder_of)
        if sent is not None:
            yield "", sent
    elif moment.since == "tutorial":
        yield from diary.tutorials.items()
    elif moment.since == "silence":
        if diary.last is not None:
            yield "", diary.last
    elif moment.since and moment.since in diary.since:
        yield "", diary.since[moment.since]


def _has_a_reason(flows: Flows, held: Sessions, moment: Moment, about: str) -> bool:
    match moment.kind:
        case "unfinished":
            return not held.autodiag.short_done
        case "place":
            return "appointment" not in held.diary.since
        case "visit":
            return "appointment" not in held.diary.since and "visit" not in held.diary.since
        case "tutorial":
            return about not in held.autodiag.tutorials_done
        case "survey":
            return bool(moment.flow and moment.section and opened(flows, held, moment.flow, moment.section))
