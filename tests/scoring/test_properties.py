"""What stays true of any score, on the published questionnaire."""

from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from bot.content import load_content
from referential.model import ScoredQuestion
from scoring.score import Range, check_answers, score

BOOK = load_content().flow.questionnaire
FACTS = {fact.id for fact in BOOK.profile}
CHOICES = {
    question.id: [*question.by_choice, "nsp", *(["na"] if question.na_allowed else [])] for question in BOOK.questions()
}
Answers = dict[str, str]
ANSWERS: st.SearchStrategy[Answers] = st.lists(
    st.sampled_from(sorted(CHOICES)).flatmap(lambda node: st.tuples(st.just(node), st.sampled_from(CHOICES[node]))),
    max_size=40,
).map(dict)


def ranges(answers: Answers) -> list[Range]:
    found = score(BOOK, answers)
    rooms = [theme.range for theme in found.themes] + [found.branch.range if found.branch else None]
    return [each for each in (found.range, *rooms) if each]


@given(ANSWERS)
def test_every_note_is_between_0_and_100_and_cautious_known_high_are_in_order(answers: Answers) -> None:
    check_answers(
        BOOK,
        {node: given for node, given in answers.items() if node in FACTS},
        {node: given for node, given in answers.items() if node not in FACTS},
    )
    for each in ranges(answers):
        known = each.known if each.known is not None else each.cautious
        assert 0 <= each.cautious <= known <= each.high <= 100


@given(ANSWERS, st.integers())
def test_the_order_of_the_answers_changes_nothing(answers: Answers, seed: int) -> None:
    shuffled = list(answers.items())
    random.Random(seed).shuffle(shuffled)
    assert score(BOOK, dict(shuffled)) == score(BOOK, answers)


@given(ANSWERS, st.data())
def test_whatever_is_found_out_the_note_stays_inside_the_range_announced(answers: Answers, data: st.DataObject) -> None:
    unknown = sorted(node for node, given in answers.items() if given == "nsp" and node not in FACTS)
    mentioned = {mention.of for question in BOOK.questions() for mention in question.rule.mentions()}
    unknown = [node for node in unknown if node not in mentioned]
    assume(unknown)
    before = score(BOOK, answers).range
    node = data.draw(st.sampled_from(unknown))
    told = data.draw(st.sampled_from(sorted(BOOK.by_id[node].by_choice)))
    after = score(BOOK, {**answers, node: told}).range
    assume(before)
    assert before is not None
    assert after is not None
    assert before.cautious <= after.cautious <= after.high <= before.high


@given(ANSWERS, st.data())
def test_a_better_answer_never_lowers_the_cautious_note(answers: Answers, data: st.DataObject) -> None:
    scored = sorted(node for node in answers if node not in FACTS and answers[node] != "na")
    assume(scored)
    node = data.draw(st.sampled_from(scored))
    question = BOOK.by_id[node]
    assert isinstance(question, ScoredQuestion)
    now = question.by_choice[answers[node]].note if answers[node] != "nsp" else 0
    better = [choice.id for choice in question.choices if (choice.note or 0) >= (now or 0)]
    assume(node != "sau-frequence" or answers[node] != "nsp")  # see the next test
    before = score(BOOK, answers).range
    after = score(BOOK, {**answers, node: data.draw(st.sampled_from(better))}).range
    assert (before is None) == (after is None)
    if before and after:
        assert before.cautious <= after.cautious


@given(ANSWERS)
def test_actions_are_few_ordered_and_alerts_remedies_come_first(answers: Answers) -> None:
    found = score(BOOK, answers)
    first = {question.tutorials[0] for node in found.alerts if isinstance(question := BOOK.by_id[node], ScoredQuestion)}
    assert len(found.actions) <= 6
    ranks = [(action.tutorial not in first, -action.priority) for action in found.actions]
    assert ranks == sorted(ranks)
    assert all(action.priority > 0 for action in found.actions)
    assert all(bool(action.tutorial) != bool(action.verify) for action in found.actions)


def test_starting_to_back_up_never_scores_less_than_never() -> None:
    question = BOOK.by_id["sau-frequence"]
    notes = [score(BOOK, {"sau-frequence": choice}).range for choice in question.by_choice]
    cautious = [each.cautious if each else Fraction(-1) for each in notes]
    assert cautious == sorted(cautious)
