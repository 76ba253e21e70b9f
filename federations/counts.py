"""How many came, told so that no number under five can be read, nor worked out by subtraction. Pure.

One rule: **a published number never moves by less than five.** Whoever subtracts two pages, of two weeks or of two
branches, finds nothing or at least five. A week is told once it is over, and what was told is never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SMALL: Final = 5
"""Under this, "moins de 5"."""
ENOUGH: Final = 20
"""Conversations from which a campaign is told about, and where people stop."""


@dataclass(frozen=True)
class Told:
    """What may be said of one step, week after week.

    `weeks`: None for "moins de 5", or for a number hidden because it would give such a one away. `totals`: what had
    been said in all after each week. `blocks`: first week, last week and sum of each piece that joined the total.
    """

    weeks: tuple[int | None, ...] = ()
    totals: tuple[int, ...] = ()
    blocks: tuple[tuple[int, int, int], ...] = ()

    @property
    def total(self) -> int:
        """All that has been said so far; what is under five waits for the weeks to come."""
        return self.totals[-1] if self.totals else 0

    def within(self, weeks: range) -> int:
        """What anybody can already tell of these weeks together: the pieces that lie wholly inside."""
        return sum(count for first, last, count in self.blocks if first in weeks and last in weeks)


def told(weeks: Sequence[int], before: Told | None = None) -> Told:
    """The weeks that are over, in order. Adding one changes nothing of those before it.

    A week under five waits, and is hidden; so are those after it, until what waits makes five: it then joins the total
    in one piece. The last of them is hidden too, large or not: its number would give the others away. `before`: the
    step that one passes first. No more is ever told of this one, or it would say how many are hidden of that one.
    """
    said: list[int | None] = []
    totals: list[int] = []
    blocks: list[tuple[int, int, int]] = []
    total = waiting = first = 0  # `first`: the first week that waits, were it empty
    for week, count in enumerate(weeks):
        waiting += count
        whole = waiting >= SMALL and (before is None or total + waiting <= before.totals[week])
        said.append(count if whole and first == week else None)
        if whole:
            blocks.append((first, week, waiting))
            total, waiting, first = total + waiting, 0, week + 1
        totals.append(total)
    return Told(tuple(said), tuple(totals), tuple(blocks))


@dataclass(frozen=True)
class Ran:
    """A campaign that is over: its weeks, and what was told of it."""

    weeks: range
    count: int


def at_closing(count: int, weeks: range, branch: Told, earlier: Collection[Ran]) -> int:
    """How many to tell of a campaign's step, once it is over: all of them, or as many as say nothing new of the branch.

    A campaign told in full may say how many were hidden in a week of its branch: never more is told than the branch's
    own figures already imply, whatever was told of the campaigns that ran in some of the same weeks.
    """
    taken = sum(ran.count for ran in earlier if range(max(ran.weeks[0], weeks[0]), min(ran.weeks[-1], weeks[-1]) + 1))
    return max(0, min(count, branch.within(weeks) - taken))


def moved(shown: int, count: int) -> int:
    """What a running count shows next: itself once it has moved by five, else what it showed."""
    return count if count - shown >= SMALL else shown


def by_theme(shown: Mapping[str, int]) -> dict[str, int]:
    """Where people stop, from `ENOUGH` on, most first; empty before. `shown`: counts that moved by five or more."""
    if sum(shown.values()) < ENOUGH:
        return {}
    return {theme: count for theme, count in sorted(shown.items(), key=lambda item: -item[1]) if count}
