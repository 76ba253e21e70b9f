"""A consultant's own calendar, read as the times when they are busy. Pure: bytes in, spans out.

One rule: nothing of an event is kept but when it is. A calendar comes from outside: what would take too long to work
out is refused (`Unreadable`, with the code of a sentence), a whole file with it.
"""

from __future__ import annotations

import time as wall
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import recurring_ical_events
from icalendar import Calendar

from visits.slots import PARIS, Span

MOST_EVENTS = 20_000
MOST_SPANS = 5_000
PATIENCE = 8.0
"""Seconds of work on one calendar."""
_A_DAY = 48
"""Times a day that an event may come back."""
_TOO_OFTEN = {"SECONDLY", "MINUTELY"}

Fault = Literal[
    "address", "not_public", "unreachable", "refused", "moved_too_often", "too_big", "too_slow", "not_ics", "too_much"
]


class Unreadable(Exception):
    """A calendar that cannot be read; `code` names the sentence that says why and what to do."""

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code: Fault = code


def busy(data: bytes, start: datetime, end: datetime, *, ours: str = "") -> list[Span]:
    """When the owner of this calendar is busy between two instants, in UTC. Raises Unreadable.

    `ours`: the host of our own visits, which the calendar may hold and which count by themselves.
    """
    try:
        calendars = Calendar.from_ical(data.decode("utf-8-sig", "replace"), multiple=True)
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):
        raise Unreadable("not_ics") from None
    if not calendars or any(each.name != "VCALENDAR" for each in calendars):
        raise Unreadable("not_ics")
    until, found = wall.monotonic() + PATIENCE, []
    for calendar in calendars:
        for span in _spans(calendar, start, end, ours, until):
            if span.overlaps(Span(start, end)):
                found.append(Span(max(span.start, start), min(span.end, end)))
            if len(found) > MOST_SPANS:
                raise Unreadable("too_much")
    return sorted(set(found))


def _spans(calendar: Any, start: datetime, end: datetime, ours: str, until: float) -> Iterator[Span]:
    zones = calendar.walk("VTIMEZONE")
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        if number >= MOST_EVENTS:
            raise Unreadable("too_much")
        uid = str(event.get("uid", f"#{number}"))
        if not (ours and uid.endswith(f"@{ours}")):
            series.setdefault(uid, []).append(event)
    for events in series.values():
        if wall.monotonic() > until:
            raise Unreadable("too_much")
        if all("rrule" not in each and "rdate" not in each for each in events):
            yield from (span for each in events if (span := _span(each)))
            continue
        if any(_too_often(each) for each in events):
            raise Unreadable("too_much")
        yield from _repeated(zones, events, start, end)
    for periods in calendar.walk("VFREEBUSY"):
        yield from _told_busy(periods)


def _repeated(zones: Iterable[Any], events: Iterable[Any], start: datetime, end: datetime) -> Iterator[Span]:
    alone = Calendar()
    for part in (*zones, *events):
        alone.add_component(part)
    try:
        occurrences = recurring_ical_events.of(alone).between(start, end)
    except Exception:  # noqa: BLE001 — whatever the library could not make of a stranger's file
        raise Unreadable("not_ics") from None
    yield from (span for each in occurrences if (span := _span(each)))


def _span(event: Any) -> Span | None:
    """When an event keeps its owner busy; None if it does not."""
    if str(event.get("status", "")).upper() == "CANCELLED" or str(event.get("transp", "")).upper() == "TRANSPARENT":
        return None
    if str(event.get("x-microsoft-cdo-busystatus", "")).upper() == "FREE" or "dtstart" not in event:
        return None
    try:
        begins = event["dtstart"].dt
        if "dtend" in event:
            ends = event["dtend"].dt
        elif "duration" in event:
            ends = begins + event["duration"].dt
        else:
            ends = begins if isinstance(begins, datetime) else begins + timedelta(days=1)
        span = Span(_instant(begins), _instant(ends))
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise Unreadable("not_ics") from None
    return span if span.start < span.end else None


def _told_busy(periods: Any) -> Iterator[Span]:
    told = periods.get("freebusy", [])
    for group in told if isinstance(told, list) else [told]:
        if str(group.params.get("FBTYPE", "BUSY")).upper() == "FREE":
            continue
        begins, ends = group.start, group.end
        yield Span(_instant(begins), _instant(ends))


def _instant(at: date | datetime) -> datetime:
    """In UTC; a day without hours begins at midnight in Paris, and hours without a zone are hours in Paris."""
    if not isinstance(at, datetime):
        at = datetime.combine(at, time())
    return (at.replace(tzinfo=PARIS) if at.tzinfo is None else at).astimezone(UTC)


def _too_often(event: Any) -> bool:
    rules = event.get("rrule", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if str(rule.get("FREQ", [""])[0]).upper() in _TOO_OFTEN:
            return True
        times = 24 if str(rule.get("FREQ", [""])[0]).upper() == "HOURLY" else max(1, len(rule.get("BYHOUR", ())))
        times *= max(1, len(rule.get("BYMINUTE", ()))) * max(1, len(rule.get("BYSECOND", ())))
        if times > _A_DAY:
            return True
    return False
