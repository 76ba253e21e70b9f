"""Free times of one consultant, computed: hours of the week, exceptions, what is taken, the rules of the programme.

Pure: values in, values out. Every instant is UTC and aware; hours of the week are told in Paris, daylight saving right.
A time is free when the whole visit fits in the open hours and touches nothing that is taken, travel counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
STEP = timedelta(minutes=30)
"""Between two starts on offer."""
SLICE = timedelta(minutes=15)
"""What a visit is cut into for the database: one row a slice, so that no two visits share one."""
_NOON = 13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """From an instant up to another, which is not in it."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        """Whether they share an instant."""
        return self.start < other.end and other.start < self.end

    def widened(self, by: timedelta) -> Span:
        """Longer by as much at both ends."""
        return Span(self.start - by, self.end + by)


class Weekly(NamedTuple):
    """Open hours on one day of the week (0: Monday), in minutes of that day in Paris."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True)
class Rules:
    """What the programme decides. `travel`: kept free on both sides of a visit on site; `day_off`: public holidays."""

    on_site: timedelta
    remote: timedelta
    travel: timedelta
    notice: timedelta
    horizon: timedelta
    day_off: Callable[[date], bool]

    def lasts(self, *, on_site: bool) -> timedelta:
        """How long a visit is."""
        return self.on_site if on_site else self.remote


@dataclass(frozen=True)
class Agenda:
    """One consultant's time. `openings`: beside the week, holidays included; `visits`: (when, whether on site)."""

    weekly: tuple[Weekly, ...] = ()
    openings: tuple[Span, ...] = ()
    absences: tuple[Span, ...] = ()
    busy: tuple[Span, ...] = ()
    visits: tuple[tuple[Span, bool], ...] = ()


def free(agenda: Agenda, rules: Rules, now: datetime, *, on_site: bool) -> Iterator[datetime]:
    """The starts that may be booked, in order: after the notice, before the horizon."""
    lasts, taken = rules.lasts(on_site=on_site), _taken(agenda, rules, on_site=on_site)
    ends = [span.end for span in taken]
    for opened in _open_hours(agenda, rules, now):
        at = opened.start
        while at + lasts <= opened.end:
            near = bisect_right(ends, at)
            clear = near == len(taken) or taken[near].start >= at + lasts
            if clear and now + rules.notice <= at <= now + rules.horizon:
                yield at
            at += STEP


def is_free(agenda: Agenda, rules: Rules, now: datetime, start: datetime, *, on_site: bool) -> bool:
    """Whether this very start may be booked."""
    return next((at for at in free(agenda, rules, now, on_site=on_site) if at >= start), None) == start


def good(starts: Iterable[datetime], wanted: int = 3) -> list[datetime]:
    """The next few good ones: the first, then the first of other half-days, then of other hours, then any."""
    every = list(starts)
    chosen: list[datetime] = []
    for key in (_half_day, _hour, datetime.isoformat):
        for at in every:
            if len(chosen) == wanted:
                break
            if key(at) not in {key(one) for one in chosen}:
                chosen.append(at)
    return sorted(chosen)


def weeks(starts: Iterable[datetime]) -> dict[date, list[datetime]]:
    """The same starts by week in Paris, each under its Monday."""
    found: dict[date, list[datetime]] = {}
    for at in starts:
        day = at.astimezone(PARIS).date()
        found.setdefault(day - timedelta(days=day.weekday()), []).append(at)
    return found


def a_few_a_day(starts: Sequence[datetime], most: int) -> list[datetime]:
    """At most so many a day, spread over it: the first, the last, and between."""
    days: dict[date, list[datetime]] = {}
    for at in starts:
        days.setdefault(at.astimezone(PARIS).date(), []).append(at)
    kept: list[datetime] = []
    for day in days.values():
        if len(day) <= most:
            kept += day
        else:
            kept += [day[place * (len(day) - 1) // (most - 1)] for place in range(most)]
    return kept


def slices(span: Span) -> range:
    """The numbers of the quarter hours that a visit covers, wholly or in part."""
    first = (span.start - _EPOCH) // SLICE
    return range(first, -((_EPOCH - span.end) // SLICE))


def _open_hours(agenda: Agenda, rules: Rules, now: datetime) -> list[Span]:
    """The hours worked, holidays left out, exceptional openings added; those that touch are one."""
    first = (now + rules.notice).astimezone(PARIS).date()
    days = ((now + rules.horizon).astimezone(PARIS).date() - first).days + 1
    opened = [
        _in_paris(day, hours)
        for day in (first + timedelta(days=ahead) for ahead in range(days))
        if not rules.day_off(day)
        for hours in agenda.weekly
        if hours.weekday == day.weekday()
    ]
    return _merged([*opened, *agenda.openings])


def _taken(agenda: Agenda, rules: Rules, *, on_site: bool) -> list[Span]:
    """What a visit of this kind may not touch, in order, none overlapping another."""
    going = rules.travel if on_site else timedelta(0)
    visits = (when.widened(rules.travel if on_site or was_on_site else going) for when, was_on_site in agenda.visits)
    return _merged([*agenda.absences, *(span.widened(going) for span in agenda.busy), *visits])


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _in_paris(day: date, hours: Weekly) -> Span:
    midnight = datetime.combine(day, time())
    opens, closes = (midnight + timedelta(minutes=minutes) for minutes in (hours.opens, hours.closes))
    return Span(opens.replace(tzinfo=PARIS).astimezone(UTC), closes.replace(tzinfo=PARIS).astimezone(UTC))


def _half_day(at: datetime) -> str:
    here = at.astimezone(PARIS)
    return f"{here.date()} {here.hour < _NOON}"


def _hour(at: datetime) -> str:
    here = at.astimezone(PARIS)
    return f"{here.date()} {here.hour}"
