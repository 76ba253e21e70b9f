"""Days and hours as a paper says them, in French and in Paris."""

from __future__ import annotations

from datetime import date, datetime

from dialogue.calendar import PARIS

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def in_french(day: date) -> str:
    """1er décembre 2026."""
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment(at: datetime) -> str:
    """Mardi 1er décembre 2026 à 9 h 05, without the capital."""
    here = at.astimezone(PARIS)
    return f"{_DAYS[here.weekday()]} {in_french(here.date())} à {hour(here)}"


def hour(at: datetime) -> str:
    """9 h, 9 h 05."""
    here = at.astimezone(PARIS)
    return f"{here.hour} h {here.minute:02}" if here.minute else f"{here.hour} h"
