"""How the time of a visit is shared out, by the rule of visit.yml: always to the minute, whatever its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialogue.summary.value import Bar, Slot
from referential.visit import AgendaRule


@dataclass(frozen=True)
class Topic:
    """A theme, or the branch module, with what weighs on it; `weight`: of its heaviest question."""

    bar: Bar
    alerts: int
    clashes: int
    weight: int


def agenda(rule: AgendaRule, topics: Sequence[Topic], minutes: int) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
    """The moments of a visit of this length, and the titles of the themes that it leaves no time for.

    Alerts come first, then the weakest; each gets the least, then the first ones more, up to what each is worth.
    """
    opening, closing = _framed(rule, minutes)
    ranked = sorted(topics, key=_urgency)
    left = minutes - opening - closing
    shares: list[int] = []
    for _ in ranked:
        share = rule.least if left >= rule.least else 0
        shares.append(share)
        left -= share
    for place, topic in enumerate(ranked):
        missing = min(left, max(_worth(rule, topic) - shares[place], 0)) if shares[place] else 0
        more = missing - missing % rule.least
        shares[place] += more
        left -= more
    moments = [Slot(0, opening, rule.opening.title)]
    moments += [
        Slot(0, share, topic.bar.title, topic.bar.id, topic.alerts, topic.clashes)
        for topic, share in zip(ranked, shares, strict=True)
    ]
    moments += [Slot(0, left, rule.spare), Slot(0, closing, rule.closing.title)]
    left_out = tuple(topic.bar.title for topic, share in zip(ranked, shares, strict=True) if not share)
    return _timed([slot for slot in moments if slot.minutes]), left_out


def _framed(rule: AgendaRule, minutes: int) -> tuple[int, int]:
    """Minutes of the opening and of the closing: at most a third of the visit together, in their own proportion."""
    opening, closing = rule.opening.minutes, rule.closing.minutes
    room = minutes // 3
    if opening + closing <= room:
        return opening, closing
    shorter = room * opening // (opening + closing)
    return shorter, room - shorter


def _urgency(topic: Topic) -> tuple[int, int, int, int]:
    """Alerts first, the most of them; then the weakest, where answers that clash are worth no more than unknowns; of
    those without a note, the heaviest.
    """
    rank = {"faible": 0, "to_check": 1, "moyen": 2, "not_scored": 3, "satisfaisant": 4}[topic.bar.tone]
    return -topic.alerts, min(rank, 1) if topic.clashes else rank, -topic.clashes, -topic.weight if rank == 3 else 0


def _worth(rule: AgendaRule, topic: Topic) -> int:
    wanted = rule.wanted
    if topic.alerts:
        return wanted.alert
    worth = {
        "faible": wanted.weak,
        "to_check": wanted.to_check,
        "moyen": wanted.middling,
        "not_scored": wanted.unasked,
        "satisfaisant": wanted.good,
    }[topic.bar.tone]
    return max(worth, wanted.to_check) if topic.clashes else worth


def _timed(moments: Sequence[Slot]) -> tuple[Slot, ...]:
    at, timed = 0, []
    for slot in moments:
        timed.append(replace(slot, at=at))
        at += slot.minutes
    return tuple(timed)
