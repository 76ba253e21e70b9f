"""Notes, range, level and alerts, against arithmetic done by hand in each test."""

from __future__ import annotations

from fractions import Fraction

import pytest

from referential.model import Questionnaire
from scoring.score import Range, Score, level, score, tenth, unit
from tests.scoring.conftest import book, branch, question, theme


def notes(found: Range | None) -> tuple[object, ...]:
    assert found is not None
    return found.cautious, found.high, found.known


def of_theme(found: Score, name: str = "t") -> tuple[object, ...]:
    return notes(next(each for each in found.themes if each.id == name).range)


def status(found: Score, name: str = "t") -> str:
    return next(each.status for each in found.themes if each.id == name)


def test_a_theme_is_the_mean_of_its_answers_weighted_by_risk() -> None:
    one = book(theme("t", question("a", 3), question("b", 2), question("c", 1)))
    found = score(one, {"a": "n100", "b": "n25", "c": "n0"})
    expected = Fraction(100 * 3 + 25 * 2 + 0 * 1, 3 + 2 + 1)
    assert of_theme(found) == (expected, expected, expected)
    assert expected == Fraction(175, 3)


def test_a_question_without_an_answer_does_not_count() -> None:
    one = book(theme("t", question("a", 3), question("b", 1)))
    assert of_theme(score(one, {"b": "n75"})) == (75, 75, 75)


def test_not_concerned_is_taken_out_of_the_mean() -> None:
    one = book(theme("t", question("a", 3), question("b", 1)))
    assert of_theme(score(one, {"a": "na", "b": "n50"})) == (50, 50, 50)


def test_the_three_numbers_of_an_unknown() -> None:
    one = book(theme("t", question("a", 3), question("b", 1)))
    found = score(one, {"a": "n50", "b": "nsp"})
    assert of_theme(found) == (Fraction(150, 4), Fraction(250, 4), Fraction(150, 3))


def test_known_is_empty_when_everything_is_unknown() -> None:
    found = score(book(theme("t", question("a"))), {"a": "nsp"})
    assert notes(found.range) == (0, 100, None)
    assert status(found) == "to_check"
    assert (found.level, found.level_high) == ("faible", "satisfaisant")


def test_half_of_the_weight_unknown_is_still_scored_and_just_above_is_to_check() -> None:
    even = book(theme("t", question("a", 2), question("b", 1), question("c", 1)))
    assert status(score(even, {"a": "n50", "b": "nsp", "c": "nsp"})) == "scored"
    odd = book(theme("t", question("a", 2), question("b", 2), question("c", 1)))
    assert status(score(odd, {"a": "n50", "b": "nsp", "c": "nsp"})) == "to_check"
    assert status(score(odd, {"a": "n50", "b": "nsp", "c": "n0"})) == "scored"


def test_to_check_weighs_by_risk_and_not_by_number_of_questions() -> None:
    one = book(theme("t", question("a", 3), question("b", 1), question("c", 1)))
    assert status(score(one, {"a": "nsp", "b": "n0", "c": "n0"})) == "to_check"
    assert status(score(one, {"a": "n0", "b": "nsp", "c": "nsp"})) == "scored"


def test_the_global_note_is_the_plain_mean_of_scored_and_to_check_themes() -> None:
    three = book(theme("heavy", question("a", 3)), theme("light", question("b", 1)), theme("none", question("c")))
    found = score(three, {"a": "n100", "b": "nsp", "c": "na"})
    assert notes(found.range) == (Fraction(100 + 0, 2), Fraction(100 + 100, 2), Fraction(100, 1))
    assert found.themes_scored == 2
    assert [status(found, name) for name in ("heavy", "light", "none")] == ["scored", "to_check", "not_scored"]


def test_nothing_scored_leaves_everything_empty() -> None:
    found = score(book(theme("t", question("a"))), {})
    assert (found.range, found.level, found.level_high, found.near) == (None, None, None, None)
    assert (found.themes_scored, found.alerts, found.actions, found.branch) == (0, (), (), None)


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (Fraction(0), "faible"),
        (Fraction(3999, 100), "faible"),
        (Fraction(399999999, 10000000), "faible"),
        (Fraction(40), "moyen"),
        (Fraction(6999, 100), "moyen"),
        (Fraction(699999999, 10000000), "moyen"),
        (Fraction(70), "satisfaisant"),
        (Fraction(100), "satisfaisant"),
    ],
)
def test_thresholds_are_read_before_any_rounding(real: Questionnaire, note: Fraction, expected: str) -> None:
    assert level(real, note) == expected


def test_a_note_shown_as_forty_may_still_be_weak() -> None:
    one = book(theme("t", question("a", notes=(39.99,))))
    found = score(one, {"a": "n39_99"})
    assert notes(found.range)[0] == Fraction(3999, 100)
    assert (tenth(Fraction(3999, 100)), found.level) == (40.0, "faible")


@pytest.mark.parametrize(
    ("note", "shown", "read"),
    [
        (Fraction(1, 20), 0.1, 0),
        (Fraction(4, 100), 0.0, 0),
        (Fraction(3335, 100), 33.4, 33),
        (Fraction(100, 3), 33.3, 33),
        (Fraction(669, 20), 33.5, 33),
        (Fraction(67, 2), 33.5, 34),
        (Fraction(200, 3), 66.7, 67),
        (Fraction(100), 100.0, 100),
    ],
)
def test_halves_round_up(note: Fraction, shown: float, read: int) -> None:
    assert (tenth(note), unit(note)) == (shown, read)


@pytest.mark.parametrize(
    ("note", "near"),
    [
        (37.9, None),
        (38, "moyen"),
        (39.9, "moyen"),
        (40, "faible"),
        (42, "faible"),
        (42.1, None),
        (67.9, None),
        (68, "satisfaisant"),
        (70, "moyen"),
        (72, "moyen"),
        (72.1, None),
    ],
)
def test_two_points_from_a_threshold_on_either_side_it_is_said(note: float, near: str | None) -> None:
    one = book(theme("t", question("a", notes=(note,))))
    assert score(one, {"a": f"n{note}".replace(".", "_")}).near == near


def test_the_level_is_the_cautious_one_and_the_high_one_is_given_apart() -> None:
    one = book(theme("t", question("a", 1), question("b", 1)))
    found = score(one, {"a": "n75", "b": "nsp"})
    assert notes(found.range)[:2] == (Fraction(75, 2), Fraction(175, 2))
    assert (found.level, found.level_high) == ("faible", "satisfaisant")


def test_a_vital_alert_is_a_zero_answered_to_a_question_of_weight_three() -> None:
    one = book(theme("t", question("a", 3), question("b", 3), question("c", 3), question("d", 2), question("e", 3)))
    found = score(one, {"a": "n0", "b": "n25", "c": "nsp", "d": "n0", "e": "na"})
    assert found.alerts == ("a",)


def test_no_backup_settles_the_two_questions_after_it_without_asking_them(real: Questionnaire) -> None:
    found = score(real, {"sau-frequence": "jamais"})
    assert of_theme(found, "sauvegardes") == (0, 0, 0)
    assert found.alerts == ("sau-frequence",), "an inherited zero is no alert"


def test_an_old_answer_to_an_inherited_question_counts_for_nothing(real: Questionnaire) -> None:
    old = {"sau-debranchee": "debranchee", "sau-test": "moins-un-an"}
    assert of_theme(score(real, {"sau-frequence": "jamais", **old}), "sauvegardes") == (0, 0, 0)
    assert of_theme(score(real, {"sau-frequence": "jamais", "sau-test": "nsp"}), "sauvegardes") == (0, 0, 0)
    kept = Fraction(100 * (3 * 30 + 3 * 100 + 2 * 100), 100 * (3 + 3 + 2))
    assert of_theme(score(real, {"sau-frequence": "parfois", **old}), "sauvegardes") == (kept, kept, kept)


def test_an_unknown_excludes_nothing_and_nothing_is_inherited(real: Questionnaire) -> None:
    found = score(real, {"sau-frequence": "nsp", "sau-test": "moins-un-an"})
    assert of_theme(found, "sauvegardes") == (Fraction(100 * 2, 5), Fraction(100 * 5, 5), Fraction(100))
    assert status(found, "sauvegardes") == "to_check"


def test_an_inherited_note_other_than_zero_counts_too() -> None:
    after = question("b", 1, regle={"reponse": "a", "pas": "n0"}, note_heritee=0.5)
    assert of_theme(score(book(theme("t", question("a", 3), after)), {"a": "n0"}))[0] == Fraction(50, 4)


def test_a_profile_rule_excludes_only_when_the_profile_says_so() -> None:
    one = book(theme("t", question("a"), question("b", regle={"fait": "effectif", "plus_de": 1})))
    answers = {"a": "n0", "b": "n100"}
    assert of_theme(score(one, answers))[0] == 50
    assert of_theme(score(one, {**answers, "effectif": "equipe"}))[0] == 50
    assert of_theme(score(one, {**answers, "effectif": "nsp"}))[0] == 50
    assert of_theme(score(one, {**answers, "effectif": "seul"}))[0] == 0


def test_the_branch_has_its_own_note_and_leaves_the_global_one_alone() -> None:
    two = book(theme("t", question("a", 1)), branches=[branch("boulanger", question("b1", 3), question("b2", 1))])
    alone = score(two, {"a": "n50"})
    found = score(two, {"a": "n50", "b1": "n0", "b2": "n100"})
    assert found.range == alone.range
    assert (found.level, found.themes_scored) == (alone.level, 1)
    assert found.branch is not None
    assert found.branch.id == "boulanger"
    assert notes(found.branch.range) == (25, 25, 25)


def test_a_branch_question_gives_alerts_and_actions_too() -> None:
    two = book(
        theme("t", question("a", 1, ["soft"])),
        branches=[branch("boulanger", question("b1", 3, ["urgent"]))],
        tutorials={"soft": 10, "urgent": 45},
    )
    found = score(two, {"a": "n0", "b1": "n0"})
    assert found.alerts == ("b1",)
    assert [action.tutorial for action in found.actions] == ["urgent", "soft"]


def test_the_module_of_another_trade_counts_for_nothing() -> None:
    two = book(
        theme("t", question("a")), branches=[branch("boulanger", question("b")), branch("fleuriste", question("f", 3))]
    )
    answers = {"a": "n50", "b": "n25", "f": "n0"}
    known = score(two, {**answers, "branche": "boulanger"})
    assert known.branch is not None
    assert (known.branch.id, known.alerts) == ("boulanger", ())
    other = score(two, {**answers, "branche": "autre"})
    assert (other.branch, other.alerts) == (None, ())
    unsure = score(two, {"f": "n0", "branche": "nsp"})
    assert unsure.branch is not None, "an unknown excludes nothing"
    guessed = score(two, {"f": "n0"})
    assert guessed.branch is not None
    assert guessed.branch.id == "fleuriste"
    assert (guessed.range, guessed.level) == (None, None)


def test_a_branch_where_nothing_counts_has_no_note() -> None:
    two = book(theme("t", question("a")), branches=[branch("boulanger", question("b"))])
    assert score(two, {"a": "n50", "b": "na", "branche": "boulanger"}).branch is None
