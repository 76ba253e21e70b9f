"""Rules have three values, and an unknown answer never excludes a question."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from referential.model import RuleField
from referential.rules import ALWAYS, Answers, Rule, parse_rule

NODES = ("a", "b", "c")
CHOICES = ("x", "y", "nsp", "na")
VALUES = {"x": 1, "y": 5}
ANSWERS = st.dictionaries(st.sampled_from(NODES), st.sampled_from(CHOICES))


def value_of(_: str, choice: str) -> int | None:
    return VALUES.get(choice)


LEAVES = st.one_of(
    st.just(ALWAYS),
    st.builds(
        Rule, op=st.sampled_from(["equals", "not_equals"]), of=st.sampled_from(NODES), choice=st.sampled_from("xy")
    ),
    st.builds(Rule, op=st.just("greater"), of=st.sampled_from(NODES), number=st.integers(0, 6)),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Rule, op=st.sampled_from(["all", "any"]), rules=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Rule, op=st.just("not"), rules=inner.map(lambda one: (one,))),
    ),
    max_leaves=6,
)


def holds(rule: Rule, answers: Answers) -> bool | None:
    return rule.holds(answers, value_of)


def rule(raw: object) -> Rule:
    class Holder(BaseModel):
        rule: RuleField

    return Holder.model_validate({"rule": raw}).rule


@given(RULES, ANSWERS)
def test_all_any_and_not_follow_kleene(one: Rule, answers: Answers) -> None:
    held = holds(one, answers)
    assert holds(Rule(op="not", rules=(one,)), answers) is (None if held is None else not held)
    assert holds(Rule(op="all", rules=(one, ALWAYS)), answers) is held
    assert holds(Rule(op="any", rules=(one, ALWAYS)), answers) is True
    never = Rule(op="not", rules=(ALWAYS,))
    assert holds(Rule(op="all", rules=(one, never)), answers) is False
    assert holds(Rule(op="any", rules=(one, never)), answers) is held
    assert holds(Rule(op="not", rules=(Rule(op="not", rules=(one,)),)), answers) is held


@given(RULES, RULES, ANSWERS)
def test_de_morgan_holds_with_unknowns_too(one: Rule, two: Rule, answers: Answers) -> None:
    def no(inner: Rule) -> Rule:
        return Rule(op="not", rules=(inner,))

    neither = no(Rule(op="any", rules=(one, two)))
    assert holds(neither, answers) is holds(Rule(op="all", rules=(no(one), no(two))), answers)


@given(RULES, ANSWERS)
def test_what_is_settled_stays_settled_when_more_is_known(one: Rule, answers: Answers) -> None:
    known = {node: choice for node, choice in answers.items() if choice != "nsp"}
    held = holds(one, known)
    assert held is holds(one, answers), "je ne sais pas says no more than silence"
    for node in NODES:
        for choice in "xy":
            if node not in known and held is not None:
                assert holds(one, {**known, node: choice}) is held


@given(RULES)
def test_without_any_answer_nothing_is_excluded_unless_it_always_is(one: Rule) -> None:
    if holds(one, {}) is False:
        assert all(holds(one, dict.fromkeys(NODES, choice)) is False for choice in "xy")


@given(RULES)
def test_a_rule_survives_json(one: Rule) -> None:
    assert rule(json.loads(one.model_dump_json())) == one


@pytest.mark.parametrize(
    ("raw", "answers", "expected"),
    [
        ("toujours", {}, True),
        ({"fait": "a", "vaut": "x"}, {}, None),
        ({"fait": "a", "vaut": "x"}, {"a": "nsp"}, None),
        ({"fait": "a", "vaut": "x"}, {"a": "x"}, True),
        ({"fait": "a", "vaut": "x"}, {"a": "y"}, False),
        ({"reponse": "a", "pas": "x"}, {"a": "x"}, False),
        ({"reponse": "a", "pas": "x"}, {"a": "na"}, True),
        ({"fait": "a", "plus_de": 1}, {"a": "x"}, False),
        ({"fait": "a", "plus_de": 1}, {"a": "y"}, True),
        ({"fait": "a", "plus_de": 1}, {"a": "na"}, None),
        ({"tout": [{"fait": "a", "vaut": "x"}, {"fait": "b", "vaut": "x"}]}, {"a": "x"}, None),
        ({"tout": [{"fait": "a", "vaut": "x"}, {"fait": "b", "vaut": "x"}]}, {"a": "y"}, False),
        ({"un": [{"fait": "a", "vaut": "x"}, {"fait": "b", "vaut": "x"}]}, {"a": "x"}, True),
        ({"un": [{"fait": "a", "vaut": "x"}, {"fait": "b", "vaut": "x"}]}, {"a": "y"}, None),
        ({"sauf": {"fait": "a", "vaut": "x"}}, {"a": "x"}, False),
        ({"sauf": {"fait": "a", "vaut": "x"}}, {}, None),
    ],
)
def test_each_shape_that_files_may_write(raw: object, answers: Answers, expected: bool | None) -> None:
    assert holds(rule(raw), answers) is expected


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("jamais", "entre accolades"),
        (["toujours"], "entre accolades"),
        (None, "entre accolades"),
        ({}, "écrivez toujours"),
        ({"fait": "a"}, "écrivez toujours"),
        ({"fait": "a", "vaut": "x", "pas": "y"}, "écrivez toujours"),
        ({"fait": "a", "reponse": "b", "vaut": "x"}, "écrivez toujours"),
        ({"tout": []}, "écrivez toujours"),
        ({"tout": {"fait": "a", "vaut": "x"}}, "écrivez toujours"),
        ({"tout": [{"fait": "a", "égale": "x"}]}, "écrivez toujours"),
        ({"sauf": "rarement"}, "entre accolades"),
        ({"fait": "effectif", "vaut": 1}, 'entre guillemets si c\'est un nombre : "1"'),
        ({"fait": "effectif", "vaut": True}, "entre guillemets"),
        ({"fait": "effectif", "pas": ["a", "b"]}, "un choix en texte"),
        ({"fait": "effectif", "plus_de": "un"}, "nombre entier"),
        ({"fait": "effectif", "plus_de": True}, "nombre entier"),
        ({"fait": "effectif", "plus_de": 1.5}, "nombre entier"),
        ({"fait": ["a"], "vaut": "x"}, "un identifiant"),
        ({"reponse": "", "vaut": "x"}, "un identifiant"),
    ],
)
def test_a_rule_written_wrong_says_what_to_do(raw: object, words: str) -> None:
    with pytest.raises(ValueError, match=r"règle|écrivez|plus_de") as caught:
        parse_rule(raw)
    assert words in str(caught.value)
    with pytest.raises(ValidationError):
        rule(raw)


def test_a_rule_says_every_question_that_it_names() -> None:
    whole = rule({"un": [{"fait": "a", "vaut": "x"}, {"sauf": {"tout": [{"reponse": "b", "pas": "y"}, "toujours"]}}]})
    assert [(mention.of, mention.profile) for mention in whole.mentions()] == [("a", True), ("b", False)]
