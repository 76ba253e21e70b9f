"""The rule of secrecy, attacked by brute force, whole and with each of its parts taken out.

The attacker here is not the house's auditor: it tries every content that a wave may have, keeps those that the releases
allow, and looks for an answer that is the same in all of them. It knows who is in each wave, and three answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, product

import numpy as np
import numpy.typing as npt
import pytest

from federations import disclosure
from federations.disclosure import (
    BANDS,
    COLLUDERS,
    LEAST,
    LEVEL,
    TOGETHER,
    Band,
    Refused,
    Release,
    audit,
    band,
    counts_in,
    found_out,
    missing_between,
    partitions,
    publish,
)

Unit = dict[str, bool]


def units(weak: int, of: int = LEAST) -> list[Unit]:
    return [{"mots-de-passe": place < weak, LEVEL: place >= weak} for place in range(of)]


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        *((0, "quarter"), (5, "quarter"), (6, "under_half"), (9, "under_half")),
        *((10, "half"), (14, "half"), (15, "three_quarters"), (20, "three_quarters")),
    ],
)
def test_a_share_is_told_by_its_band(part: int, shown: Band) -> None:
    assert band(part, 20) == shown


@pytest.mark.parametrize("whole", range(LEAST, 61))
def test_bands_cover_every_count_once(whole: int) -> None:
    assert [part for found in BANDS for part in counts_in(found, whole)] == list(range(whole + 1))


def test_a_branch_has_waves_of_its_own_only_where_it_aims_at_forty_firms() -> None:
    plan = partitions(["chaussure", "optique", "autre"], {"chaussure": 40, "optique": 39})
    assert plan == {"chaussure": "chaussure", "optique": TOGETHER, "autre": TOGETHER}


def test_before_a_wave_one_knows_how_many_are_missing() -> None:
    told = {waiting: missing_between(waiting) for waiting in (0, 4, 5, 14, 15, 19, 30)}
    assert told == {0: (16, 20), 4: (16, 20), 5: (11, 15), 14: (6, 10), 15: (1, 5), 19: (1, 5), 30: (1, 5)}


def test_a_wave_is_published_in_bands_over_one_denominator() -> None:
    release = publish(TOGETHER, units(7), [])
    assert release == Release(TOGETHER, 1, 20, {"mots-de-passe": "under_half", LEVEL: "half"})
    assert publish(TOGETHER, units(3), [release]).number == 2
    assert publish("chaussure", units(3), [release]).number == 1


def test_a_value_that_some_units_lack_is_left_out() -> None:
    changed = [*units(7, 19), {LEVEL: True, "nouveau": True}]
    assert set(publish(TOGETHER, changed, []).bands) == {LEVEL}


# What every wave may hold.


def _ones(worlds: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    return np.bitwise_count(worlds)


def _bands(ones: npt.NDArray[np.uint8], whole: int) -> npt.NDArray[np.int64]:
    """The house's own band of every count, as a number."""
    table = np.array([BANDS.index(band(part, whole)) for part in range(whole + 1)])
    found: npt.NDArray[np.int64] = table[ones]
    return found


def _determined(shown: npt.NDArray[np.int64], worlds: npt.NDArray[np.uint32], size: int, known: int) -> int:
    """Of these contents, how many let those who know the first `known` units be sure of another."""
    others = np.uint32((1 << size) - 1) & ~np.uint32((1 << known) - 1)
    ours = worlds & np.uint32((1 << known) - 1)
    sure = 0
    for told, mine in product(np.unique(shown), np.unique(ours)):
        alike = worlds[(shown == told) & (ours == mine)]
        if alike.size:
            always = np.bitwise_and.reduce(alike) & others
            never = ~np.bitwise_or.reduce(alike) & others
            sure += alike.size if always or never else 0
    return sure


def test_all_contents_of_a_wave_leave_every_answer_in_doubt() -> None:
    """1,048,576 contents of twenty answers; by symmetry, the three who collude may be the first three."""
    worlds = np.arange(1 << LEAST, dtype=np.uint32)
    assert _determined(_bands(_ones(worlds), LEAST), worlds, LEAST, COLLUDERS) == 0


def test_a_wave_of_fifteen_would_not() -> None:
    worlds = np.arange(1 << 15, dtype=np.uint32)
    assert _determined(_bands(_ones(worlds), 15), worlds, 15, COLLUDERS) > 0


def test_exact_numbers_would_not() -> None:
    worlds = np.arange(1 << LEAST, dtype=np.uint32)
    assert _determined(_ones(worlds).astype(np.int64), worlds, LEAST, COLLUDERS) > 0


PATTERNS = ((0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0))
"""What two themes and the level may be together: nothing weak is never "faible", everything weak always is."""


def test_themes_and_level_together_leave_every_answer_in_doubt() -> None:
    """A level says something of the themes: every content of a wave over six patterns, for every three colluders."""
    contents = np.array(list(_compositions(LEAST, len(PATTERNS))), dtype=np.int16)
    table = np.array([BANDS.index(band(part, LEAST)) for part in range(LEAST + 1)])
    told = table[contents @ np.array(PATTERNS, dtype=np.int16)] @ np.array([1, 4, 16])
    cases = 0
    for three in combinations_with_replacement(range(len(PATTERNS)), COLLUDERS):
        ours = np.bincount(three, minlength=len(PATTERNS)).astype(np.int16)
        there = (contents >= ours).all(axis=1)
        others = (contents[there] - ours) @ np.array(PATTERNS, dtype=np.int16)
        cases += len(others)
        shown = told[there]
        for release in np.unique(shown):
            alike = others[shown == release]
            assert (alike.min(axis=0) < LEAST - COLLUDERS).all()
            assert (alike.max(axis=0) > 0).all()
    assert cases > 1_000_000


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def test_no_size_of_wave_from_twenty_on_gives_an_answer_away() -> None:
    for whole, found in product(range(LEAST, 81), BANDS):
        for mine in range(COLLUDERS + 1):
            others = [n - mine for n in counts_in(found, whole) if 0 <= n - mine <= whole - COLLUDERS]
            assert len(others) > 1 or others[0] not in (0, whole - COLLUDERS)


# Sequences of arrivals, second thoughts and erasures; and what happens where a rule is missing.


@dataclass(frozen=True)
class Rules:
    """How a house publishes. As it stands, ours; each field set otherwise is one rule removed."""

    least: int = LEAST
    bands: bool = True
    once: bool = True
    """A unit counts in one wave; otherwise the total of all who came is told again with each who comes."""
    frozen: bool = True
    """A release stays; otherwise it is made again when one of its units is erased."""
    by_count: bool = True
    """A wave waits for its number; otherwise the last one is published at the end, whatever it holds."""
    one_partition: bool = True
    """No filter; otherwise each wave is also told for those of one size class alone."""


Published = tuple[frozenset[int], range]


@dataclass
class Street:
    """A street of shops, and all that a house told of one theme. `told`: of whom, and between what and what."""

    rules: Rules
    answers: dict[int, bool] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    waves: list[frozenset[int]] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    told: list[Published] = field(default_factory=list)

    def arrives(self, shop: int, *, weak: bool) -> None:
        self.answers[shop] = weak
        self.waiting.append(shop)
        if len(self.waiting) >= self.rules.least or (self.waves and not self.rules.once):
            self.close()

    def erases(self, shop: int) -> None:
        if shop in self.waiting:
            self.waiting.remove(shop)
        elif not self.rules.frozen:
            again = [wave - {shop} for wave in self.waves if shop in wave]
            for wave in again:
                self.tell(wave)

    def close(self) -> None:
        wave = frozenset(self.waiting if self.rules.once else self.answers)
        self.waves.append(wave)
        self.tell(wave)
        if not self.rules.one_partition:
            self.tell(frozenset(shop for shop in wave if shop % 3))
        self.waiting = []

    def tell(self, wave: frozenset[int]) -> None:
        weak, whole = sum(self.answers[shop] for shop in wave), len(wave)
        if self.rules == Rules():
            self.releases.append(publish(TOGETHER, [{"theme": self.answers[shop]} for shop in wave], self.releases))
            allowed = counts_in(self.releases[-1].bands["theme"], self.releases[-1].units)
        else:
            allowed = counts_in(band(weak, whole), whole) if self.rules.bands else range(weak, weak + 1)
        self.told.append((wave, allowed))


def life(seed: int, rules: Rules, shops: int = 45) -> Street:
    """A street's year: shops come, some erase everything, a few before their wave closes, a few after."""
    chance = random.Random(seed)
    street, weakness = Street(rules), chance.choice((0.05, 0.3, 0.5, 0.9))
    for shop in range(shops):
        street.arrives(shop, weak=chance.random() < weakness)
        if chance.random() < 0.15:
            street.erases(chance.randrange(shop + 1))
    if not rules.by_count and street.waiting:
        street.close()
    return street


def attack(street: Street, releases: int = 4) -> bool:
    """Whether three shops, who know who was counted when, are sure of another. Tries every total of every group.

    It keeps the first `releases` only, or a house that tells everything would take for ever to look at.
    """
    street = replace(street, told=street.told[:releases])
    groups: dict[tuple[int, ...], list[int]] = {}
    for shop in street.answers:
        seen = tuple(n for n, (wave, _) in enumerate(street.told) if shop in wave)
        if seen:
            groups.setdefault(seen, []).append(shop)
    for linked in _linked(groups):
        for ours in _three(street, groups, linked):
            if _sure(street, groups, linked, ours):
                return True
    return False


def _linked(groups: dict[tuple[int, ...], list[int]]) -> list[list[tuple[int, ...]]]:
    """Groups that some release counts together, directly or through others."""
    found: list[list[tuple[int, ...]]] = []
    for seen in groups:
        touching = [each for each in found if any(set(seen) & set(other) for other in each)]
        found = [each for each in found if each not in touching] + [[seen, *(s for each in touching for s in each)]]
    return found


def _three(
    street: Street, groups: dict[tuple[int, ...], list[int]], linked: list[tuple[int, ...]]
) -> Iterator[dict[tuple[int, ...], tuple[int, int]]]:
    """Three shops that collude, as (how many, how many weak) in each group: those who answered "no" or "yes" there."""
    pool = [
        (seen, weak)
        for seen in linked
        for weak in (False, True)
        for _ in range(min(COLLUDERS, sum(street.answers[shop] == weak for shop in groups[seen])))
    ]
    for three in {tuple(sorted(chosen)) for chosen in combinations_with_replacement(sorted(set(pool)), COLLUDERS)}:
        if all(three.count(one) <= pool.count(one) for one in three):
            yield {
                seen: (sum(s == seen for s, _ in three), sum(s == seen and weak for s, weak in three))
                for seen in linked
            }


def _sure(
    street: Street,
    groups: dict[tuple[int, ...], list[int]],
    linked: list[tuple[int, ...]],
    ours: dict[tuple[int, ...], tuple[int, int]],
) -> bool:
    sizes = [len(groups[seen]) - ours[seen][0] for seen in linked]
    worlds = np.indices([size + 1 for size in sizes]).reshape(len(sizes), -1)
    fine = np.ones(worlds.shape[1], dtype=bool)
    for number in {n for seen in linked for n in seen}:
        inside = np.array([number in seen for seen in linked])
        mine = sum(ours[seen][1] for seen in linked if number in seen)
        total = worlds[inside].sum(axis=0) + mine
        allowed = street.told[number][1]
        fine &= (total >= allowed.start) & (total < allowed.stop)
    left = worlds[:, fine]
    return any(size and (row.max() == 0 or row.min() == size) for size, row in zip(sizes, left, strict=True))


def test_sequences_of_arrivals_and_erasures_leave_every_answer_in_doubt() -> None:
    streets = [life(seed, Rules()) for seed in range(2000)]
    assert sum(len(street.told) for street in streets) >= 3500
    assert not any(attack(street) for street in streets)


REMOVED = {
    "a wave of twenty": Rules(least=8),
    "new units only": Rules(once=False),
    "bands": Rules(bands=False),
    "frozen": Rules(frozen=False),
    "closed on count": Rules(by_count=False),
    "no filter": Rules(one_partition=False),
}


@pytest.mark.parametrize("missing_rule", REMOVED)
def test_without_this_rule_somebody_is_found_out(missing_rule: str) -> None:
    assert any(attack(life(seed, REMOVED[missing_rule])) for seed in range(300))


# The auditor.


def fine(number: int = 1, partition: str = TOGETHER) -> Release:
    return publish(partition, units(7), [Release(partition, number - 1, LEAST, {})])


@pytest.mark.parametrize(
    ("releases", "why"),
    [
        ([replace(fine(), units=19)], "takes 20"),
        ([fine(), fine()], "subtracted"),
        ([replace(fine(), bands={"mots-de-passe": "a_third"})], "four bands"),  # type: ignore[dict-item]
    ],
)
def test_the_auditor_refuses_a_release_that_breaks_a_rule(releases: list[Release], why: str) -> None:
    with pytest.raises(Refused, match=why):
        audit(releases)


def test_the_auditor_lets_through_what_the_house_publishes() -> None:
    audit([fine(1), fine(2), fine(1, "chaussure"), publish("optique", units(30, 31), [])])


def test_a_wave_too_small_is_never_published(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused):
        publish(TOGETHER, units(3, 19), [])
    monkeypatch.setattr(disclosure, "LEAST", 15)
    with pytest.raises(Refused, match="work out"):
        publish(TOGETHER, units(3, 15), [])


def test_finer_bands_are_refused_even_where_their_number_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosure, "BANDS", ("none", *BANDS))
    monkeypatch.setattr(disclosure, "band", lambda part, whole: "none" if part == 0 else band(part, whole))
    with pytest.raises(Refused, match="work out"):
        publish(TOGETHER, units(0), [])


def test_a_refusal_tells_nothing_of_what_the_wave_holds() -> None:
    """It hangs on what would be published only: alike for every content that would be published alike."""
    for whole in (15, 19, LEAST):
        refused: dict[Band, set[bool]] = {found: set() for found in BANDS}
        for weak in range(whole + 1):
            release = Release(TOGETHER, 1, whole, {"mots-de-passe": band(weak, whole)})
            refused[band(weak, whole)].add(_refuses([release]))
        assert all(len(found) == 1 for found in refused.values())


def _refuses(releases: Sequence[Release]) -> bool:
    try:
        audit(releases)
    except Refused:
        return True
    return False


def test_the_auditor_and_the_attacker_agree() -> None:
    """On small streets that break rules of every kind, where some are found out and some are not."""
    chance, agreed = random.Random(8), {True: 0, False: 0}
    for _ in range(300):
        shops, told = range(chance.randint(6, 11)), []
        answers = {shop: chance.random() < 0.4 for shop in shops}
        for _ in range(chance.randint(1, 2)):
            wave = frozenset(shop for shop in shops if chance.random() < 0.8) or frozenset(shops)
            told.append((wave, counts_in(band(sum(answers[shop] for shop in wave), len(wave)), len(wave))))
        attacked = attack(Street(Rules(), answers=answers, told=told))
        audited = found_out(told)
        assert audited or not attacked, "the auditor looks at every answer that three may have, so it refuses more"
        agreed[attacked] += 1
    assert min(agreed.values()) > 10


def test_four_who_collude_learn_nothing_either_and_five_may() -> None:
    """The margin that docs/secret-statistique.md tells of."""
    lowest = [(range(LEAST), counts_in("quarter", LEAST))]
    assert [found_out(lowest, many) for many in (3, 4, 5)] == [False, False, True]


def test_what_is_too_large_to_be_looked_at_is_refused() -> None:
    assert found_out([(range(n, n + 20), range(5, 10)) for n in range(20)])
