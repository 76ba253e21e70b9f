"""The pre-visit summary on paper: two to three pages that a consultant reads before the visit, or with it in hand.

Lays out a `Summary` and adds nothing to it. What would run past three pages is cut here, and the paper says so: the
page of the consultant's space shows everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from dialogue.summary.value import Answered, Bar, Open, Quote, Slot, Summary, Visit
from papers import press
from papers.days import hour, in_french, moment
from referential.model import References

EXPLAINED: Final = 12
"""Unknowns that are printed with how to find the answer, the heaviest; the others by their text alone."""
_QUOTED, _ALL_QUOTED = 240, 1200
"""Characters of one of the manager's sayings, and of all of them together."""
_CHANGES: Final = 8
_Data = dict[str, Any]


def summary_pdf(found: Summary, *, programme: str) -> bytes:
    """The summary as a tagged PDF/UA-1; `programme`: who it comes from."""
    return press.pdf("summary.typ", {**_paper(found), "programme": programme}, found.made_on)


def start_of(visit: Visit, slot: Slot) -> str:
    """When a moment of the visit begins: by the clock where the visit has its time, else counted from its start."""
    if visit.at is not None:
        return hour(visit.at + timedelta(minutes=slot.at))
    hours, minutes = divmod(slot.at, 60)
    return f"{hours} h {minutes:02}"


def ends_at(found: Summary) -> datetime | None:
    """When the visit ends, by its agenda."""
    return found.visit.at + timedelta(minutes=minutes_of(found)) if found.visit.at else None


def minutes_of(found: Summary) -> int:
    """How long the visit lasts."""
    return sum(slot.minutes for slot in found.agenda)


def measures(references: References) -> list[str]:
    """The measures of each guide, those that follow one another drawn together: « Hyg. 10–13 », « TPE 5 »."""
    guides = (("Hyg.", references.hyg), ("TPE", references.tpe), ("CPME", references.cpme))
    return [f"{name} {_spans(numbers)}" for name, numbers in guides if numbers]


def _paper(found: Summary) -> _Data:
    visit, bars = found.visit, {bar.id: bar for bar in (*found.bars, *([found.branch] if found.branch else []))}
    alerts = {alert.node for alert in found.alerts}
    return {
        "firm": visit.firm,
        "made_on": in_french(found.made_on),
        "when": moment(visit.at) if visit.at else "",
        "minutes": minutes_of(found),
        "on_site": visit.on_site,
        "told": found.told,
        "profile": [{"label": each.text, "words": each.answer, "changed": each.changed} for each in found.profile]
        + [{"label": each.label, "words": each.words, "changed": False} for each in visit.told],
        "level": found.level[:1].upper() + found.level[1:],
        "scored": found.themes_scored > 0,
        "low": found.low,
        "high": found.high,
        "near": found.near,
        "themes_scored": found.themes_scored,
        "themes": len(found.bars),
        "marks": list(found.marks),
        "bars": [_bar(bar) for bar in found.bars],
        "branch": _bar(found.branch) if found.branch else None,
        "alerts": [_answered(each) for each in found.alerts],
        "clashes": [
            {
                "finding": clash.finding,
                "ask": clash.ask,
                "answers": [_answered(each) for each in clash.answers],
                "changed": clash.changed,
            }
            for clash in found.clashes
        ],
        "unknown": [_unknown(each) for each in found.unknown[:EXPLAINED]],
        "unknown_too": _titled(found.unknown[EXPLAINED:]),
        "open": _by_room(found.open),
        "words": _quotes(found.words),
        "words_left": len(found.words) - len(_quotes(found.words)),
        "tutorials": [{"title": each.title, "changed": each.changed} for each in found.tutorials],
        "better": [{"text": each.text, "before": each.before, "after": each.after} for each in found.better],
        "since": in_french(found.since) if found.since else "",
        "changes": [
            {"text": each.text, "before": each.before, "after": each.after} for each in found.changes[:_CHANGES]
        ],
        "changes_left": len(found.changes[_CHANGES:]),
        "papers": [{"title": each.title, "texts": list(each.texts)} for each in found.papers],
        "agenda": [_slot(visit, slot, bars.get(slot.room), alerts) for slot in found.agenda],
        "left_out": list(found.left_out),
    }


def _bar(bar: Bar) -> _Data:
    return {
        "title": bar.title,
        "state": bar.tone,
        "low": bar.low,
        "high": bar.high,
        "note": "" if bar.tone == "not_scored" else f"{bar.low}" if bar.low == bar.high else f"{bar.low}–{bar.high}",
        "guides": measures(bar.references),
        "answered": bar.answered,
        "asked": bar.answered + bar.unasked,
        "changed": bar.changed,
        "weakest": [_answered(each) for each in bar.weakest],
    }


def _answered(each: Answered) -> _Data:
    return {
        "room": each.room,
        "text": each.text,
        "answer": each.answer,
        "references": ", ".join(measures(each.references)),
        "changed": each.changed,
    }


def _unknown(each: Open) -> _Data:
    return {
        "room": each.room,
        "text": each.text,
        "how": each.how,
        "recipient": each.recipient,
        "changed": each.changed,
    }


def _titled(many: Sequence[Open]) -> list[_Data]:
    """Questions by their text alone, theme by theme."""
    rooms = dict.fromkeys(each.room for each in many)
    return [{"title": room, "texts": [each.text for each in many if each.room == room]} for room in rooms]


def _by_room(many: Sequence[Open]) -> list[_Data]:
    """Questions to ask, theme by theme; of each, the first one is printed with how to find its answer."""
    rooms: dict[str, list[_Data]] = {}
    for each in many:
        mine = rooms.setdefault(each.room, [])
        mine.append({"text": each.text, "how": each.how if not mine else ""})
    return [{"title": title, "questions": questions} for title, questions in rooms.items()]


def _quotes(many: Iterable[Quote]) -> list[_Data]:
    """The manager's sayings that fit, each cut at a word where it is long."""
    kept: list[_Data] = []
    left = _ALL_QUOTED
    for each in many:
        said = " ".join(each.words.split())
        if len(said) > _QUOTED:
            said = f"{said[:_QUOTED].rsplit(' ', 1)[0]} […]"
        if len(said) > left:
            break
        left -= len(said)
        kept.append({"text": each.text, "words": said, "changed": each.changed})
    return kept


def _slot(visit: Visit, slot: Slot, bar: Bar | None, alerts: set[str]) -> _Data:
    return {
        "start": start_of(visit, slot),
        "minutes": slot.minutes,
        "title": slot.title,
        "alerts": slot.alerts,
        "clashes": slot.clashes,
        "unknown": bar.unknown if bar else 0,
        "unasked": bar.unasked if bar else 0,
        "weakest": [_answered(each) for each in bar.weakest if each.node not in alerts] if bar else [],
    }


def _spans(numbers: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}–{span[-1]}" for span in spans)
