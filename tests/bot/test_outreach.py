"""The bot speaks first on a real database: one timer each, a turn like another, nothing after a stop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select

from bot import worker
from bot.doers import doers
from bot.house import House
from bot.outreach import REACH, reach
from bot.turn import Happened, erase, look
from dialogue.events import Commanded
from dialogue.outreach import Say
from store import tables
from tests.bot.test_turn import answer, run, send, started, to_result
from tests.conftest import Clock


def timer(house: House) -> datetime | None:
    """When the one timer rings; None when nothing is to be said."""
    mine = select(tables.outbox.c.next_at).where(tables.outbox.c.kind == REACH, tables.outbox.c.settled_at.is_(None))
    rows = house.store.db.read(lambda tx: list(tx.scalars(mine)))
    assert len(rows) <= 1
    return rows[0] if rows else None


def work(house: House) -> None:
    """Do everything that is due."""

    async def all_of_it() -> None:
        while await worker.work_once(house, doers(house)):
            pass

    asyncio.run(all_of_it())


def test_an_unfinished_autodiag_is_recalled_in_the_chat_at_the_exact_question(house: House, clock: Clock) -> None:
    here, _ = started(house)
    here = answer(house, here)
    question = here.turn(house).question
    assert timer(house) == datetime(2026, 11, 24, 10, tzinfo=UTC)
    clock.forward(hours=23)
    work(house)
    assert run(look(house, here.conversation)).revision == here.revision, "not yet"
    clock.forward(hours=2)
    work(house)
    now = run(look(house, here.conversation))
    assert now.revision == here.revision + 1
    assert now.turn(house).question == question
    assert now.turn(house).messages[0].kind == "reach"
    assert timer(house) == datetime(2026, 12, 1, 11, tzinfo=UTC), "eight days, a week after the first at least"


def test_speaking_first_keeps_nothing_longer(house: House, clock: Clock) -> None:
    here, _ = started(house)
    answer(house, here)
    before = house.store.db.read(lambda tx: tx.scalar(select(tables.conversations.c.purge_on)))
    clock.forward(days=1, hours=1)
    work(house)
    assert house.store.db.read(lambda tx: tx.scalar(select(tables.conversations.c.purge_on))) == before


def test_after_a_result_the_survey_comes_thirty_days_later_and_its_answers_are_kept(house: House, clock: Clock) -> None:
    here, _ = started(house)
    here = to_result(house, here)
    clock.forward(days=31)
    work(house)
    here = run(look(house, here.conversation))
    assert here.turn(house).flow == "survey"
    while here.turn(house).flow == "survey" and here.turn(house).question and not here.turn(house).question.typed:  # type: ignore[union-attr]
        here = answer(house, here)
    assert here.turn(house).question.typed == "text"  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["quiet", "erase"])
def test_whoever_stopped_or_erased_is_never_spoken_to_again(house: House, clock: Clock, how: str) -> None:
    here, _ = started(house)
    here = answer(house, here)
    if how == "quiet":
        here = send(house, here, Commanded("quiet"))
    else:
        run(erase(house, here.conversation))
    assert timer(house) is None
    clock.forward(days=40)
    work(house)
    if how == "quiet":
        assert run(look(house, here.conversation)).revision == here.revision


def test_a_trial_is_left_alone(house: House) -> None:
    here, _ = started(house, trial=True)
    answer(house, here)
    assert timer(house) is None


def test_the_door_that_the_manager_uses_carries_the_words(house: House, clock: Clock) -> None:
    here, _ = started(house)
    answer(house, here)
    clock.forward(days=1, hours=1)
    told: list[str] = []

    def speaker(name: str, *, there: bool) -> object:
        def speak(house: House, tx: Connection, happened: Happened, said: Say) -> bool:
            told.append(f"{name} {said.moment.id} {happened.after.revision}")
            return there

        return speak

    speakers = {"mail": speaker("mail", there=True), "web": speaker("web", there=False)}
    assert house.store.db.write(lambda tx: reach(house, tx, here.conversation, speakers))  # type: ignore[arg-type]
    assert told == ["web inacheve-1 3", "mail inacheve-1 3"], "first by the door used, then by another"
    assert not house.store.db.write(lambda tx: reach(house, tx, here.conversation, speakers)), "said once"  # type: ignore[arg-type]
