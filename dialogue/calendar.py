"""The hours at which somebody may be disturbed: on working days in Paris, daylight saving right.

A value made once from the plan's hours and a way to tell a day off; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
SUNDAY = 6


@dataclass(frozen=True)
class Hours:
    """From `opens` to `closes` (hours of the day in Paris), never on a Sunday nor on a day off."""

    opens: int
    closes: int
    day_off: Callable[[date], bool]

    def open_from(self, at: datetime) -> datetime:
        """The first instant from this one on when they are open, in UTC."""
        here = at.astimezone(PARIS)
        if self._works(here.date()) and here.hour < self.closes:
            return max(at, self._at(here.date(), self.opens)).astimezone(UTC)
        day = here.date() + timedelta(days=1)
        while not self._works(day):
            day += timedelta(days=1)
        return self._at(day, self.opens).astimezone(UTC)

    def closes_after(self, at: datetime) -> datetime:
        """When they close on the day of this instant, in UTC."""
        return self._at(at.astimezone(PARIS).date(), self.closes).astimezone(UTC)

    def _works(self, day: date) -> bool:
        return day.weekday() != SUNDAY and not self.day_off(day)

    def _at(self, day: date, hour: int) -> datetime:
        if hour == 24:
            day, hour = day + timedelta(days=1), 0
        return datetime.combine(day, time(hour), PARIS)
