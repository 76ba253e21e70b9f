"""The funnel in a real database: once a conversation, in its week and its branch; and a campaign at its closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, select

from bot import stats, worker
from bot.house import House
from federations import campaigns, funnel
from federations.campaigns import BadCampaign, Campaign
from federations.funnel import Step
from federations.tables import reached
from store import conversations
from tests.conftest import Clock

Come = Callable[..., list[str]]
BRANCHES = ("optique", "chaussure")


@pytest.fixture
def come(house: House) -> Come:
    """So many conversations that reach these steps today; their ids."""

    def _come(
        many: int, *steps: Step, branch: str | None = "optique", campaign: str | None = None, at: str = "effectif"
    ) -> list[str]:
        def work(tx: Connection) -> list[str]:
            day, made = house.today(), []
            for _ in range(many):
                one = conversations.create(
                    tx,
                    house.store.keyring,
                    snapshot=b"{}",
                    flow="f",
                    entry="direct",
                    today=day,
                    purge_on=day + timedelta(days=365),
                    branch=branch,
                    campaign=campaign,
                    step=at,
                )
                for step in steps:
                    funnel.reach(tx, house.store.keyring, one.id, branch, campaign, step, day)
                made.append(one.id)
            return made

        return house.store.db.write(work)

    return _come


def read(house: House, branch: str = "optique") -> funnel.Funnel:
    return house.store.db.read(lambda tx: funnel.read(tx, branch, house.today()))


def test_a_week_is_told_once_it_is_over(house: House, come: Come, clock: Clock) -> None:
    come(8, "begun")
    assert read(house).mondays == ()
    clock.forward(days=7)
    found = read(house)
    assert found.mondays == (date(2026, 11, 23),)
    assert found.steps["begun"].weeks == (8,)
    assert found.steps["surveyed"].weeks == (None,), "nobody told us of any, and no zero is shown"


def test_a_conversation_counts_once_for_a_step_and_outlives_itself(house: House, come: Come, clock: Clock) -> None:
    shops = come(6, "begun", "begun", "short_done")
    store = house.store
    again = store.db.write(
        lambda tx: funnel.reach(tx, store.keyring, shops[0], "optique", None, "begun", house.today())
    )
    assert not again
    store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, shops[0]))
    clock.forward(days=7)
    assert read(house).steps["begun"].weeks == (6,)


def test_the_database_alone_does_not_say_what_a_conversation_was_counted_for(house: House, come: Come) -> None:
    come(2, "begun", "visit_booked", "surveyed")
    marks = house.store.db.read(lambda tx: list(tx.scalars(select(reached.c.step))))
    assert len(set(marks)) == 6, "no two are alike, even for the same step"
    assert not [mark for mark in marks if any(step in mark for step in funnel.STEPS)]


def test_a_branch_sees_its_own_and_the_sum_of_what_each_may_tell(house: House, come: Come, clock: Clock) -> None:
    come(7, "begun")
    come(4, "begun", branch="chaussure")
    come(9, "begun", branch=None)
    clock.forward(days=7)
    mine, other = read(house), read(house, "chaussure")
    assert (mine.steps["begun"].total, mine.everyone["begun"]) == (7, 16)
    assert other.steps["begun"].total == 0
    assert other.everyone["begun"] == 16, "the four are told neither here nor there"
    come(1, "begun", branch="chaussure")
    clock.forward(days=7)
    assert read(house).everyone["begun"] == 21
    assert read(house, "chaussure").steps["begun"].weeks == (None, None)


def test_a_step_is_never_told_beyond_the_one_before_it(house: House, come: Come, clock: Clock) -> None:
    come(15, "begun", "short_done")
    late = come(5, "begun")
    clock.forward(days=7)
    new = come(4, "begun")
    for shop in (*late, *new):
        house.store.db.write(
            lambda tx, shop=shop: funnel.reach(  # type: ignore[misc]
                tx, house.store.keyring, shop, "optique", None, "short_done", house.today()
            )
        )
    clock.forward(days=7)
    found = read(house)
    assert found.steps["begun"].weeks == (20, None)
    assert found.steps["short_done"].weeks == (15, None), "24 results would say that the four hidden are four"


def test_weeks_without_anybody_are_told_like_the_others(house: House, come: Come, clock: Clock) -> None:
    come(6, "begun")
    clock.forward(days=21)
    assert read(house).steps["begun"].weeks == (6, None, None)


def _campaign(house: House, **changes: object) -> Campaign:
    wanted = {"code": "", "branch": "optique", "channel": "branche", "issue": "Lettre 12", "opens_on": house.today()}
    made = Campaign(**(wanted | changes))  # type: ignore[arg-type]
    return house.store.db.write(lambda tx: campaigns.create(tx, made, BRANCHES))


def reports(house: House) -> list[funnel.Report]:
    return house.store.db.read(lambda tx: funnel.reports(tx, "optique", house.today()))


def test_a_campaign_is_told_once_over_from_twenty_on_and_only_its_first_steps(
    house: House, come: Come, clock: Clock
) -> None:
    code = _campaign(house, closes_on=house.today() + timedelta(days=3)).code
    come(21, "begun", campaign=code)
    come(6, "begun", "short_done", "done", "visit_booked", campaign=code)
    assert reports(house)[0].steps is None
    clock.forward(days=7)
    come(40, "begun", campaign=code)
    (report,) = reports(house)
    assert report.steps == {"begun": 27, "short_done": 6, "done": 6}, "then, for the branch only"


def test_a_campaign_of_nineteen_is_never_told(house: House, come: Come, clock: Clock) -> None:
    code = _campaign(house, closes_on=house.today()).code
    come(19, "begun", campaign=code)
    come(30, "begun")
    clock.forward(days=70)
    assert reports(house)[0].steps is None


def test_a_campaign_does_not_tell_what_its_branch_hides(house: House, come: Come, clock: Clock) -> None:
    code = _campaign(house, closes_on=house.today() + timedelta(days=10)).code
    come(22, "begun", campaign=code)
    clock.forward(days=7)
    come(4, "begun", campaign=code)
    clock.forward(days=7)
    assert read(house).steps["begun"].weeks == (22, None)
    assert reports(house)[0].steps == {"begun": 22, "short_done": 0, "done": 0}


def test_closing_early_ends_it_for_good(house: House, come: Come, clock: Clock) -> None:
    code = _campaign(house).code
    come(20, "begun", campaign=code)
    house.store.db.write(lambda tx: campaigns.close(tx, code, house.today()))
    clock.forward(days=7)
    assert house.store.db.write(lambda tx: campaigns.close(tx, code, house.today())) == reports(house)[0].campaign
    assert reports(house)[0].steps == {"begun": 20, "short_done": 0, "done": 0}


def test_what_cannot_be_a_campaign_is_refused(house: House) -> None:
    _campaign(house, code="LETTRE")
    wrong: list[tuple[dict[str, object], str]] = [
        ({"branch": "sabotage"}, "branch"),
        ({"branch": ""}, "branch"),
        ({"channel": "radio"}, "channel"),
        ({"issue": " "}, "issue"),
        ({"issue": "x" * 81}, "issue"),
        ({"issue": "a\0b"}, "issue"),
        ({"closes_on": date(2020, 1, 1)}, "dates"),
        ({"code": "deux mots"}, "code"),
        ({"code": "code-AB"}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"code": "LETTRE"}, "taken"),
        ({"code": "lettre"}, "taken"),
    ]
    for change, why in wrong:
        with pytest.raises(BadCampaign, match=why):
            _campaign(house, **change)
    assert len(house.store.db.read(lambda tx: campaigns.of_branch(tx, None))) == 1


def test_a_code_is_found_as_it_is_read_off_a_poster(house: House) -> None:
    made = _campaign(house)
    find = house.store.db.read
    assert find(lambda tx: campaigns.find(tx, made.code.lower())) == made
    assert all(find(lambda tx, code=code: campaigns.find(tx, code)) is None for code in ("", "XXXXXXX", "a b"))  # type: ignore[misc]


def test_a_kit_opens_by_its_own_address_only(house: House) -> None:
    keyring = house.store.keyring
    token = campaigns.kit_token(keyring, "LETTRE-12")
    assert campaigns.opens_kit(keyring, "LETTRE-12", token)
    assert not any(campaigns.opens_kit(keyring, "LETTRE-12", wrong) for wrong in ("", token[:-1], "é" * 22))
    assert not campaigns.opens_kit(keyring, "LETTRE-13", token)


def test_where_they_stop_is_counted_once_and_told_from_twenty_by_five(house: House, come: Come, clock: Clock) -> None:
    themes = stats.places(house.flow)[1:]
    come(14, at=themes[0])
    come(9, at=themes[1])
    come(3, at=themes[2])
    come(8, at="result")
    clock.forward(days=13)
    _sweep(house)
    assert read(house).stopped == {}
    clock.forward(days=1)
    _sweep(house)
    _sweep(house)
    assert read(house).stopped == {themes[0]: 14, themes[1]: 9}
    come(4, at=themes[1])
    clock.forward(days=14)
    _sweep(house)
    assert read(house).stopped == {themes[0]: 14, themes[1]: 9}, "nothing moves by less than five"
    come(1, at=themes[1])
    clock.forward(days=14)
    _sweep(house)
    assert read(house).stopped == {themes[0]: 14, themes[1]: 14}
    assert read(house, "chaussure").stopped == {}


def test_the_hours_work_counts_those_who_stopped(house: House, come: Come, clock: Clock) -> None:
    come(20, at=stats.places(house.flow)[1])
    clock.forward(days=14)
    assert asyncio.run(worker.work_once(house))
    assert len(read(house).stopped) == 1


def _sweep(house: House) -> None:
    house.store.db.write(lambda tx: funnel.sweep(tx, house.store.keyring, stats.places(house.flow), house.today()))
