"""What is told of counts, against somebody who knows the rule by heart and keeps every page that was ever shown."""

from __future__ import annotations

from collections import defaultdict
from itertools import accumulate, pairwise, product

from federations.counts import SMALL, Ran, Told, at_closing, by_theme, moved, told


def _tried(most: int, *pages: Told) -> bool:
    """Whether weeks under `most` are all that what these pages tell may be made of."""
    return all(count < most for page in pages for _, _, count in page.blocks)


def test_a_week_of_five_is_told_and_a_week_of_four_waits() -> None:
    assert told([5, 4, 6]).weeks == (5, None, None)
    assert told([5, 4]).total == 5
    assert told([5, 4, 6]).total == 15, "what waited joins the total with the week that makes five of it"
    assert told([0, 0, 0]) == Told((None, None, None), (0, 0, 0), ())
    assert told([]).total == 0


def test_every_page_ever_shown_together_leaves_each_hidden_week_in_doubt() -> None:
    worlds: dict[tuple[Told, ...], list[tuple[int, ...]]] = defaultdict(list)
    for weeks in product(range(8), repeat=5):
        worlds[tuple(told(weeks[: n + 1]) for n in range(5))].append(weeks)
    assert sum(map(len, worlds.values())) == 8**5
    for pages, possible in worlds.items():
        for place, shown in enumerate(pages[-1].weeks):
            values = {weeks[place] for weeks in possible}
            assert values == {shown} if shown is not None else len(values) > 1 or not _tried(8, pages[-1])
        said = [0, *(page.total for page in pages)]
        assert all(after == before or after - before >= SMALL for before, after in pairwise(said))
        assert all(page.weeks == pages[-1].weeks[: n + 1] for n, page in enumerate(pages)), "what is out stays as it is"


def test_nobody_finishes_without_having_begun_and_that_gives_nothing_away() -> None:
    """The step after is known to be at most the step before: hidden weeks of both stay in doubt."""
    worlds = defaultdict(list)
    for begun in product(range(8), repeat=3):
        up_to = list(accumulate(begun))
        for short in product(range(8), repeat=3):
            if all(done <= came for done, came in zip(accumulate(short), up_to, strict=True)):
                first = told(begun)
                worlds[first, told(short, first)].append((*begun, *short))
    for (first, second), possible in worlds.items():
        for place, shown in enumerate((*first.weeks, *second.weeks)):
            doubt = len({world[place] for world in possible}) > 1
            assert shown is not None or doubt or not _tried(8, first, second), (first, second, place)


def test_a_campaign_gives_away_no_week_of_its_branch() -> None:
    """Everybody of the weeks 1 and 2 may have come by one of two campaigns, which are told one after the other."""
    worlds = defaultdict(list)
    for weeks in product(range(9), repeat=3):
        branch = told(weeks)
        for one in range(weeks[1] + weeks[2] + 1):
            shown = at_closing(one, range(1, 3), branch, [])
            for two in range(weeks[2] + 1 if one <= weeks[1] else weeks[1] + weeks[2] - one + 1):
                other = at_closing(two, range(2, 3), branch, [Ran(range(1, 3), shown)])
                worlds[branch, shown, other].append(weeks)
    assert len(worlds) > 100
    for (branch, one, two), possible in worlds.items():
        assert one + two <= branch.total
        for place, told_of_it in enumerate(branch.weeks):
            doubt = len({weeks[place] for weeks in possible}) > 1
            assert told_of_it is not None or doubt or not _tried(9, branch), (branch, one, two, place)


def test_campaigns_of_other_weeks_take_nothing_from_each_other() -> None:
    branch = told([30, 40])
    assert at_closing(28, range(1), branch, []) == 28
    assert at_closing(39, range(1, 2), branch, [Ran(range(1), 28)]) == 39
    assert at_closing(39, range(2), branch, [Ran(range(1), 28), Ran(range(1, 2), 39)]) == 3


def test_branches_told_apart_leave_nothing_or_five_when_they_are_subtracted_from_all_together() -> None:
    for one, two in product(product(range(8), repeat=3), repeat=2):
        totals = [told(one).total, told(two).total]
        assert sum(totals) - totals[0] not in range(1, SMALL)


def test_where_people_stop_is_told_from_twenty_and_moves_by_five() -> None:
    assert moved(0, 4) == 0
    assert moved(0, 5) == 5
    assert moved(5, 9) == 5
    assert moved(5, 10) == 10
    assert by_theme({"mots-de-passe": 12, "sauvegardes": 7}) == {}
    assert list(by_theme({"sauvegardes": 7, "mots-de-passe": 13, "mises-a-jour": 0}).items()) == [
        ("mots-de-passe", 13),
        ("sauvegardes", 7),
    ]
