"""The satisfaction survey: what the operator reads, and what nobody can work out from it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot import milestones, survey
from bot.house import House
from bot.survey import ENOUGH, EVERYBODY, showable
from bot.turn import Gone, Present, happen, look
from dialogue.events import Clicked, Commanded, TimerFired, Wrote
from tests.bot.test_outreach import work
from tests.bot.test_turn import answer, run, send, started
from tests.conftest import Clock

pytestmark = pytest.mark.databases("sqlite", because="nothing here is special to a database")


def finished(house: House, branch: str) -> Present:
    here, _ = started(house, given={"branche": branch})
    while here.turn(house).question:
        here = answer(house, here)
    return here


def opinion(house: House, branch: str, choice: str, comment: str = "") -> Present:
    here = send(house, finished(house, branch), Clicked("sat-autodiag", choice))
    if comment:
        house.store.db.write(
            lambda tx: happen(house, tx, here.conversation, TimerFired("enquete-trente-jours"), "timer")
        )
        here = run(look(house, here.conversation))
        for event in (Clicked("sat-action", "oui"), Clicked("sat-reco", "oui"), Wrote("sat-pourquoi", comment)):
            here = send(house, here, event)
    return here


def read(house: House) -> survey.Opinions:
    return house.store.db.read(lambda tx: survey.read(house, tx))


def test_a_branch_is_shown_from_ten_answers_and_comments_without_anything_beside(house: House) -> None:
    for n in range(ENOUGH - 1):
        opinion(house, "optique", "oui", "Zut, trop long." if n == 0 else "")
    before = read(house)
    assert before.counts["sat-autodiag"] == {}
    assert before.waiting["sat-autodiag"] == ENOUGH - 1
    assert before.comments == ()
    opinion(house, "optique", "plutot-non", "Aidez les petits !")
    shown = read(house)
    assert shown.counts["sat-autodiag"]["optique"] == Counter({"oui": 9, "plutot-non": 1})
    assert shown.comments == ("Aidez les petits !", "Zut, trop long.")
    opinion(house, "chaussure", "non")
    alone = read(house)
    assert set(alone.counts["sat-autodiag"]) == {"optique"}, "with the total, the shoe shop's answer would be known"
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(survey.table(alone, house))
    printed = console.export_text()
    assert "Aidez les petits !" in printed
    assert "Réponses en attente : 1" in printed


def test_an_answer_erased_is_no_longer_counted(house: House) -> None:
    last = [opinion(house, "optique", "oui") for _ in range(ENOUGH)][-1]
    assert read(house).counts["sat-autodiag"][EVERYBODY].total() == ENOUGH
    for event in (Commanded("erase"), Commanded("confirm")):
        last = send(house, last, event)
    assert read(house).counts["sat-autodiag"] == {}


BRANCHES = st.dictionaries(
    st.sampled_from(["optique", "chaussure", "photographie", "alimentaire"]),
    st.dictionaries(st.sampled_from(["oui", "non"]), st.integers(0, 14)).map(Counter),
)


@given(BRANCHES)
def test_no_count_under_ten_is_shown_nor_given_by_a_subtraction(by_branch: dict[str, Counter[str]]) -> None:
    shown = showable(by_branch)
    assert all(counts.total() >= ENOUGH for counts in shown.values())
    if EVERYBODY in shown:
        rest = shown[EVERYBODY].total() - sum(counts.total() for name, counts in shown.items() if name != EVERYBODY)
        assert rest == 0 or rest >= ENOUGH


def test_a_milestone_is_noted_by_the_number_read_over_the_phone(house: House, clock: Clock) -> None:
    here = finished(house, "optique")
    here = send(house, here, Clicked("sat-autodiag", "oui"))
    number = milestones.file_number(here.conversation)
    yesterday = datetime(2026, 11, 22, 14, tzinfo=UTC)
    house.store.db.write(lambda tx: milestones.note(house, tx, number, "visit", yesterday))
    clock.forward(days=7)
    work(house)
    assert run(look(house, here.conversation)).turn(house).question.node == "sat-visite"  # type: ignore[union-attr]


@pytest.mark.parametrize("number", ["", "12", "zzzzzzzz", "0000 0000", "%%%%%%%%", "________"])
def test_a_number_that_is_nobodys_is_said_so(house: House, number: str) -> None:
    finished(house, "optique")
    with pytest.raises(Gone):
        house.store.db.write(lambda tx: milestones.note(house, tx, number, "visit", None))
