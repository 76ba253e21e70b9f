"""Which questions are asked, in which order, and which answers count."""

from __future__ import annotations

import pytest

from dialogue.engine import Refused, begin, counted, path, result
from dialogue.engine import step as step_once
from dialogue.events import AutodiagDone, Clicked, Fact, SectionOpened, ShortPathDone
from dialogue.flow import journey, openable, remaining
from dialogue.present import past
from dialogue.session import Session
from tests.dialogue.conftest import FLOW, WORDS, after, asked, do, kinds, turn, walked

ESSENTIAL = [
    "pil-qui", "inv-vital", "pre-contrat", "mdp-double", "cpt-depart", "pos-antivirus", "maj-auto", "sau-frequence",
    "res-box", "msg-rib", "mob-perso", "pay-terminal", "don-liste", "sen-formation", "inc-reflexe",
]  # fmt: skip


def nodes(answers: dict[str, str], *opened: str) -> list[str]:
    return [step.question.id for step in journey(FLOW, answers, opened)]


def theme(answers: dict[str, str], name: str) -> list[str]:
    return [step.question.id for step in journey(FLOW, answers) if step.section.id == name]


def test_the_short_path_is_two_or_three_facts_and_one_question_a_theme() -> None:
    assert nodes({"effectif": "1"}) == ["branche", "effectif", *ESSENTIAL]
    assert nodes({"effectif": "2-10"}) == ["branche", "effectif", "gestion_ailleurs", *ESSENTIAL]
    assert all(step.short for step in journey(FLOW, {}))


def test_who_works_alone_is_not_asked_about_a_head_office_and_reaches_the_first_real_question_in_two() -> None:
    session = begin(FLOW)
    session = after(session, Clicked("branche", "autre"), Clicked("effectif", "1"))
    assert asked(session) == "pil-qui"


def test_na_falls_back_to_the_heaviest_question_then_to_the_first_of_equals_then_to_none() -> None:
    assert theme({"cpt-depart": "na"}, "comptes-droits") == ["cpt-depart", "cpt-admin"]
    assert theme({"cpt-depart": "na", "cpt-admin": "na"}, "comptes-droits") == [
        "cpt-depart",
        "cpt-admin",
        "cpt-individuel",
    ]
    alone = {"effectif": "1", "cpt-depart": "na", "cpt-admin": "na"}
    assert theme(alone, "comptes-droits") == ["cpt-depart", "cpt-admin"]
    web = ["pay-terminal", "presence_web"]
    assert theme({"pay-terminal": "na"}, "site-encaissement") == [*web, "web-maj"], "first of two equals"
    assert theme({"pay-terminal": "na", "presence_web": "reseaux"}, "site-encaissement") == [*web, "web-comptes"]
    assert theme({"pay-terminal": "na", "presence_web": "non"}, "site-encaissement") == web


def test_an_essential_question_that_a_known_fact_excludes_is_replaced() -> None:
    assert theme({"encaissement_carte": "non"}, "site-encaissement") == ["presence_web", "web-maj"]
    assert theme({"prestataire_informatique": "non"}, "prestataires") == ["pre-export"]
    assert theme({"prestataire_informatique": "non", "services_en_ligne": "non"}, "prestataires") == []


def test_a_theme_without_any_question_is_not_scored_and_the_walk_still_ends() -> None:
    session = walked(begin(FLOW, {"prestataire_informatique": "non", "services_en_ligne": "non"}))
    assert session.short_done
    assert result(FLOW, session).themes_scored == 14


def test_a_needed_fact_is_asked_just_before_the_question_that_needs_it() -> None:
    opened = nodes({}, "site-encaissement")
    assert opened[-3:] == ["presence_web", "web-maj", "web-comptes"]
    jeweller = nodes({"branche": "horlogerie-bijouterie"}, "horlogerie-bijouterie")
    assert jeweller[-4:] == ["hor-stock", "presence_web", "hor-reseaux", "hor-rachat"]
    both = nodes({"branche": "horlogerie-bijouterie"}, "site-encaissement", "horlogerie-bijouterie")
    assert both.count("presence_web") == 1


def test_no_question_comes_twice_whatever_is_opened() -> None:
    everything = [section.id for section in FLOW.sections] * 2
    for trade in FLOW.questionnaire.profile[0].by_choice:
        found = nodes({"branche": trade}, *everything)
        assert len(found) == len(set(found))
        assert {step.section.id for step in journey(FLOW, {"branche": trade}, everything)} & {
            branch.id for branch in FLOW.questionnaire.branches
        } <= {trade}


def test_a_branch_given_by_a_link_is_not_asked_again() -> None:
    session = begin(FLOW, {"branche": "optique"})
    assert asked(session) == "effectif"
    assert counted(FLOW, session) == {"branche": "optique"}
    assert "optique" in [section.id for section in openable(FLOW, session.answers)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"couleur": "bleu"}, "unknown_node"),
        ({"pil-qui": "designe"}, "unknown_node"),
        ({"branche": "boucher"}, "unknown_choice"),
        ({"branche": "nsp"}, "unknown_choice"),
    ],
)
def test_a_link_can_give_only_known_facts(given: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as caught:
        begin(FLOW, given)
    assert caught.value.code == code


def test_answers_off_the_path_are_kept_and_seen_by_nobody() -> None:
    session = walked(begin(FLOW), {"effectif": "2-10", "gestion_ailleurs": "etranger", "cpt-depart": "na"})
    assert "cpt-admin" in counted(FLOW, session)
    back = after(session, do("answers"), do("edit", "cpt-depart"), Clicked("cpt-depart", "jamais"))
    back = after(back, do("edit", "effectif"), Clicked("effectif", "1"))
    assert back.answers["cpt-admin"] == session.answers["cpt-admin"]
    assert not {"cpt-admin", "gestion_ailleurs"} & set(counted(FLOW, back))
    shown = {exchange.node for exchange in past(FLOW, back, WORDS)}
    assert not {"cpt-admin", "gestion_ailleurs"} & shown
    assert [theme.id for theme in result(FLOW, back).themes] == [theme.id for theme in result(FLOW, session).themes]
    again = after(back, do("edit", "cpt-depart"), Clicked("cpt-depart", "na"))
    assert counted(FLOW, again)["cpt-admin"] == session.answers["cpt-admin"], "pre-filled, and counting again"


def test_past_is_the_answers_that_count_in_the_order_of_the_path(all_done: Session) -> None:
    exchanges = past(FLOW, all_done, WORDS)
    assert {each.node: each.choice for each in exchanges} == counted(FLOW, all_done)
    order = [step.question.id for step in path(FLOW, all_done)]
    assert [each.node for each in exchanges] == [node for node in order if node in all_done.answers]
    assert all(each.label and each.text for each in exchanges)


def test_each_theme_of_the_short_path_ends_on_a_remark_that_fits_the_answer(at_result: Session) -> None:
    remarks = {each.node: each.remark for each in past(FLOW, at_result, WORDS)}
    said = {theme.id: theme.remarks for theme in FLOW.questionnaire.themes}
    assert remarks["pil-qui"] == said["pilotage"].weak
    assert remarks["mdp-double"] == said["mots-de-passe"].unknown
    assert remarks["maj-auto"] == said["mises-a-jour"].middling
    assert remarks["inc-reflexe"] == said["incident"].good
    assert remarks["effectif"] == ""


def test_the_short_path_is_done_once_and_the_autodiag_once() -> None:
    session, facts = begin(FLOW), list[Fact]()
    for opened in ("", *(section.id for section in FLOW.sections[1:])):
        if opened and opened not in [section.id for section in openable(FLOW, session.answers)]:
            continue
        if opened:
            session = after(session, do("deepen", opened))
        while node := asked(session):
            stepped = step_once(FLOW, session, Clicked(node, FLOW.questionnaire.by_id[node].choices[-1].id))
            facts += stepped.facts
            session = stepped.session
    assert sum(isinstance(fact, ShortPathDone) for fact in facts) == 1
    assert sum(isinstance(fact, AutodiagDone) for fact in facts) == 1
    again = after(session, do("answers"), do("edit", "pil-qui"))
    assert not {ShortPathDone(), AutodiagDone()} & set(step_once(FLOW, again, Clicked("pil-qui", "personne")).facts)


def test_deepening_asks_the_rest_of_one_theme_then_says_so(at_result: Session) -> None:
    stepped = step_once(FLOW, at_result, do("deepen", "sauvegardes"))
    assert stepped.facts == (SectionOpened("sauvegardes"),)
    session = stepped.session
    assert asked(session) == "sau-debranchee"
    session = walked(session)
    assert (session.place.kind, kinds(session)) == ("result", ["result", "section_done"])
    assert "« Sauvegardes »" in turn(session).messages[-1].text
    again = after(session, do("deepen", "sauvegardes"))
    assert kinds(again) == ["result", "nothing_left"]


def test_a_theme_left_halfway_does_not_come_back_before_the_one_chosen_next(at_result: Session) -> None:
    session = after(at_result, do("deepen", "incident"))
    session = after(session, Clicked(asked(session), "non"), do("result"), do("deepen", "sauvegardes"))
    assert asked(session) == "sau-debranchee"
    session = after(session, Clicked("sau-debranchee", "debranchee"))
    assert asked(session) == "sau-test", "the theme chosen is finished first"
    session = after(session, Clicked("sau-test", "moins-un-an"))
    assert asked(session) == "inc-assurance"


def test_the_branch_module_opens_for_its_own_trade_only(at_result: Session) -> None:
    with pytest.raises(Refused):
        after(at_result, do("deepen", "optique"))
    session = walked(after(at_result, do("deepen", "alimentaire")))
    found = result(FLOW, session).branch
    assert found is not None
    assert found.id == "alimentaire"
    assert not remaining(FLOW, session.answers, FLOW.section["alimentaire"])


def test_progress_never_goes_back_nor_grows_while_moving_forward() -> None:
    for answers in ({}, {"cpt-depart": "na", "cpt-admin": "na", "pay-terminal": "na", "pre-contrat": "na"}):
        session, seen = begin(FLOW), []
        while question := turn(session).question:
            seen.append((question.progress.done, question.progress.total))
            choice = answers.get(question.node, question.choices[0].id)
            session = after(session, Clicked(question.node, choice))
        assert {total for _, total in seen} == {15}
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[0][0] == 0


def test_a_section_opened_leaves_the_progress_of_the_short_path_alone(at_result: Session) -> None:
    question = turn(after(at_result, do("deepen", "inventaire"), do("edit", "inc-reflexe"))).question
    assert question is not None
    assert (question.progress.done, question.progress.total) == (14, 15)


def test_progress_in_a_section_opened_counts_its_questions(at_result: Session) -> None:
    session, seen = after(at_result, do("deepen", "site-encaissement")), []
    while question := turn(session).question:
        seen.append((question.progress.done, question.progress.total))
        session = after(session, Clicked(question.node, question.choices[0].id))
    assert seen == [(0, 3)], "no presence on the Internet: its two questions fall off"
