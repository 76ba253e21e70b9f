"""What to do first: priorities worked out by hand, ties, and the place of what must be verified."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scoring.score import Action, as_data, score
from tests.scoring.conftest import book, branch, question, theme


def named(actions: tuple[Action, ...]) -> list[tuple[str, Fraction]]:
    return [(action.tutorial or f"verify {action.verify}", action.priority) for action in actions]


def test_the_first_remedy_gains_all_and_the_others_half() -> None:
    one = book(
        theme("t", question("a", 2, ["first", "second", "third"])), tutorials={"third": 1, "second": 5, "first": 10}
    )
    assert named(score(one, {"a": "n25"}).actions) == [
        ("first", Fraction(2 * 3, 4)),
        ("third", Fraction(2 * 3, 4) / 2),
        ("second", Fraction(2 * 3, 4) / 2),
    ]


def test_gains_add_up_over_the_questions_that_a_tutorial_mends() -> None:
    one = book(
        theme("t", question("a", 3, ["x", "y"]), question("b", 2, ["y"]), question("c", 1, ["z", "x"])),
        tutorials={"x": 10, "y": 10, "z": 10},
    )
    found = score(one, {"a": "n50", "b": "n0", "c": "n75"})
    half, whole, quarter = Fraction(1, 2), Fraction(1), Fraction(1, 4)
    assert named(found.actions) == [
        ("y", 3 * half * half + 2 * whole * 1),
        ("x", 3 * half * 1 + 1 * quarter * half),
        ("z", 1 * quarter * 1),
    ]
    assert [action.questions for action in found.actions] == [("a", "b"), ("a", "c"), ("c",)]


@pytest.mark.parametrize(
    ("minutes", "divider"),
    [
        (1, Fraction(1)),
        (10, Fraction(1)),
        (11, Fraction(5, 4)),
        (15, Fraction(5, 4)),
        (16, Fraction(3, 2)),
        (20, Fraction(3, 2)),
        (21, Fraction(2)),
        (30, Fraction(2)),
        (31, Fraction(3)),
        (240, Fraction(3)),
    ],
)
def test_a_longer_tutorial_weighs_less(minutes: int, divider: Fraction) -> None:
    one = book(theme("t", question("a", 2, ["x"])), tutorials={"x": minutes})
    (action,) = score(one, {"a": "n0"}).actions
    assert (action.minutes, action.priority) == (minutes, Fraction(2) / divider)


def test_a_perfect_answer_asks_for_nothing() -> None:
    assert score(book(theme("t", question("a", 3))), {"a": "n100"}).actions == ()


def test_an_unknown_gives_one_verification_a_recipient_instead_of_tutorials() -> None:
    one = book(
        theme(
            "t",
            question("a", 3, ["x"], "banque"),
            question("b", 2, ["x"], "soi"),
            question("c", 1, ["x"], "banque"),
            question("d", 1, ["x"], "soi"),
        ),
        tutorials={"x": 10},
    )
    found = score(one, {"a": "nsp", "b": "nsp", "c": "nsp", "d": "n0"})
    assert found.actions == (
        Action(5, Fraction(3 + 1), verify="banque", questions=("a", "c")),
        Action(5, Fraction(2), verify="soi", questions=("b",)),
        Action(10, Fraction(1), tutorial="x", questions=("d",)),
    )


def test_the_first_remedy_of_a_vital_alert_goes_before_anything_heavier() -> None:
    one = book(
        theme(
            "t", question("a", 3, ["vital", "other"]), question("b", 3, ["big"]), question("c", 3, ["big"], "banque")
        ),
        tutorials={"big": 10, "other": 10, "vital": 45},
    )
    found = score(one, {"a": "n0", "b": "n25", "c": "nsp"})
    assert named(found.actions) == [
        ("vital", Fraction(3, 3)),
        ("verify banque", Fraction(3)),
        ("big", Fraction(3 * 3, 4)),
        ("other", Fraction(3, 2)),
    ]


def test_an_inherited_zero_feeds_the_tutorials_but_puts_none_first() -> None:
    after = question("b", 3, ["later"], regle={"reponse": "a", "pas": "n0"}, note_heritee=0)
    one = book(theme("t", question("a", 2, ["x"]), after), tutorials={"x": 10, "later": 45})
    assert named(score(one, {"a": "n0"}).actions) == [("x", Fraction(2)), ("later", Fraction(3, 3))]


def test_at_equal_priority_the_order_is_the_referentials_and_tutorials_come_before_verifications() -> None:
    one = book(
        theme("t", question("a", 1, ["late"]), question("b", 1, ["early"]), question("c", 1, recipient="banque")),
        tutorials={"early": 10, "late": 10, "t10": 10},
    )
    found = score(one, {"a": "n0", "b": "n0", "c": "nsp"})
    assert [name for name, _ in named(found.actions)] == ["early", "late", "verify banque"]


def test_six_actions_at_most_the_best_ones() -> None:
    names = [f"x{number}" for number in range(9)]
    questions = [question(f"q{number}", 1, [name]) for number, name in enumerate(names)]
    one = book(theme("t", *questions), tutorials=dict.fromkeys(names, 10))
    answers = {f"q{number}": "n0" if number % 2 else "n50" for number in range(9)}
    kept = [action.tutorial for action in score(one, answers).actions]
    assert kept == ["x1", "x3", "x5", "x7", "x0", "x2"]


def test_the_branch_feeds_the_same_actions() -> None:
    two = book(
        theme("t", question("a", 1, ["x"])),
        branches=[branch("boulanger", question("b", 2, ["y", "x"]))],
        tutorials={"x": 10, "y": 20},
    )
    found = score(two, {"a": "n0", "b": "n0"})
    assert named(found.actions) == [("x", Fraction(1) + Fraction(2, 2)), ("y", 2 / Fraction(3, 2))]


def test_as_data_names_either_a_tutorial_or_whom_to_ask() -> None:
    one = book(theme("t", question("a", 2, ["x"]), question("b", 1, ["x"], "banque")), tutorials={"x": 15})
    assert as_data(score(one, {"a": "n25", "b": "nsp"}))["actions"] == [
        {"tutorial": "x", "minutes": 15, "priority": 1.2},
        {"verify": "banque", "minutes": 5, "priority": 1.0},
    ]
