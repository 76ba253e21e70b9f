"""What may be published about answers and levels, and nothing else ever is: five rules, and an auditor over them.

1. A unit is one conversation that finished its short path, counted once, in one wave; a yes or a no for each value.
2. A wave closes on count alone, at `LEAST` new units, in a partition frozen beforehand; nothing crossed or summed.
3. A value is published as one of four bands.
4. A release is frozen: nothing here changes one, whatever is corrected or erased later.
5. Before a wave there is only how many are missing.

Pure. `audit` looks only at what is published, never at who answered what: a refusal tells nothing either.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final, Literal, get_args

LEAST: Final = 20
"""New units in a wave, at least."""
OWN_FROM: Final = 40
"""Firms that a branch aims at, from which its waves are of its own; below, all such branches together."""
K: Final = 5
"""A group so small is no cover: of five firms, three who collude would leave two to be told apart."""
COLLUDERS: Final = K - 2
TOGETHER: Final = "ensemble"
"""The partition of every branch that has none of its own; no branch has this id."""
LEVEL: Final = "niveau"
"""The value that says how many are at level "moyen" or "satisfaisant"; every other value is a theme's id."""
_STEP: Final = 5
_MOST_WORLDS: Final = 200_000
"""Ways of filling the groups of one audit: beyond, nothing is proved, so nothing is published."""

Band = Literal["quarter", "under_half", "half", "three_quarters"]
BANDS: Final[tuple[Band, ...]] = get_args(Band)
Unit = Mapping[str, bool]
"""One conversation: for each theme, whether it is to be strengthened; for LEVEL, whether "moyen" or better."""


class Refused(Exception):
    """A wave that may not be published; the message says why, and nothing of what it holds."""


@dataclass(frozen=True)
class Release:
    """What is published of one wave: its partition and number, how many units, a band for each value."""

    partition: str
    number: int
    units: int
    bands: Mapping[str, Band]


def band(part: int, whole: int) -> Band:
    """The band of a share: at most a quarter, under a half, under three quarters, three quarters or more."""
    if 4 * part <= whole:
        return "quarter"
    if 2 * part < whole:
        return "under_half"
    return "half" if 4 * part < 3 * whole else "three_quarters"


def counts_in(found: Band, whole: int) -> range:
    """Every count of `whole` that this band may hide."""
    hidden = [part for part in range(whole + 1) if band(part, whole) == found]
    return range(hidden[0], hidden[-1] + 1)


def partitions(branches: Collection[str], targets: Mapping[str, int]) -> dict[str, str]:
    """The partition of each branch, decided before anything is counted: from what is aimed at, not from what came."""
    return {branch: branch if targets.get(branch, 0) >= OWN_FROM else TOGETHER for branch in branches}


def missing_between(waiting: int) -> tuple[int, int]:
    """How many units a wave still needs, from so many to so many: told by fives, or each arrival would show."""
    most = LEAST - min(waiting, LEAST - 1) // _STEP * _STEP
    return most - _STEP + 1, most


def publish(partition: str, units: Sequence[Unit], past: Collection[Release]) -> Release:
    """The release of a wave of new units, once the auditor has looked at it with all the others. Raises Refused.

    New: counted in none of `past`, which whoever calls must hold to, for nothing here remembers who was counted. One
    denominator for every value: each is counted over all the units, and a value that one of them lacks is left out.
    """
    values = set.intersection(*(set(unit) for unit in units)) if units else set()
    bands = {value: band(sum(unit[value] for unit in units), len(units)) for value in sorted(values)}
    number = 1 + max((release.number for release in past if release.partition == partition), default=0)
    release = Release(partition, number, len(units), bands)
    audit((*past, release))
    return release


def audit(releases: Collection[Release]) -> None:
    """Refuse unless `COLLUDERS` firms, who know their own answers and every release, learn no other firm's answer."""
    seen: set[tuple[str, int]] = set()
    for release in releases:
        if release.units < LEAST:
            raise Refused(f"a wave of {release.units}: it takes {LEAST}")
        if (release.partition, release.number) in seen:
            raise Refused("two releases of one wave could be subtracted")
        seen.add((release.partition, release.number))
        if not set(release.bands.values()) <= set(BANDS):
            raise Refused("a value is published as one of the four bands")
    shapes = {(release.units, found) for release in releases for found in release.bands.values()}
    if any(found_out([(range(units), counts_in(found, units))]) for units, found in shapes):
        raise Refused("three firms could work out the answer of a fourth")


def found_out(published: Sequence[tuple[Collection[Hashable], range]], colluders: int = COLLUDERS) -> bool:
    """Whether colluders could be sure of another's answer. `published`: who was counted, and between what and what.

    Units counted in the same releases are alike to whoever looks from outside: one of them is sure exactly when all of
    them are, so it is enough to look at each group's possible totals, for every way that colluders stand in the groups
    and answered. What could not be looked at in full counts as found out.
    """
    groups: dict[tuple[bool, ...], int] = {}
    for unit in {unit for units, _ in published for unit in units}:
        signature = tuple(unit in units for units, _ in published)
        groups[signature] = groups.get(signature, 0) + 1
    sizes = list(groups.values())
    if prod(size + 1 for size in sizes) > _MOST_WORLDS:
        return True
    counts = [tally for _, tally in published]
    return any(
        _sure(list(groups), [size - ours for size, ours in zip(sizes, placed, strict=True)], counts, known)
        for placed in _placed(sizes, min(colluders, sum(sizes)))
        for known in product(*(range(ours + 1) for ours in placed))
    )


def _placed(sizes: Sequence[int], colluders: int) -> Iterator[tuple[int, ...]]:
    """Every way to have this many colluders in groups of these sizes."""
    for placed in product(*(range(min(size, colluders) + 1) for size in sizes)):
        if sum(placed) == colluders:
            yield placed


def _sure(
    signatures: Sequence[tuple[bool, ...]], others: Sequence[int], counts: Sequence[range], known: Sequence[int]
) -> bool:
    """Whether some group of others can only have answered all no, or all yes."""
    possible: list[set[int]] = [set() for _ in others]
    for world in product(*(range(size + 1) for size in others)):
        totals = (
            sum(
                ours + theirs
                for ours, theirs, inside in zip(known, world, (s[place] for s in signatures), strict=True)
                if inside
            )
            for place in range(len(counts))
        )
        if all(total in allowed for total, allowed in zip(totals, counts, strict=True)):
            for group, theirs in enumerate(world):
                possible[group].add(theirs)
    return any(size and found in ({0}, {size}) for size, found in zip(others, possible, strict=True))
