"""Every command in every place, and the rules of moving about: nothing is lost, refused in silence, or a dead end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from dialogue.engine import Refused, asking, begin, counted, current, path, result, step
from dialogue.events import (
    COMMANDS,
    AnswerRecorded,
    AutodiagDone,
    Clicked,
    Command,
    Commanded,
    Digressed,
    Effect,
    EraseAll,
    Event,
    Fact,
    NotUnderstood,
    Paused,
    ReadAnswer,
    Resumed,
    ShortPathDone,
    StartOver,
    TutorialDone,
)
from dialogue.present import before_and_after, outside_visit, present
from dialogue.session import Aside, Place, Session, dump, load
from tests.dialogue.conftest import FLOW, WORDS, after, asked, do, kinds, turn, walked


def places() -> dict[str, Session]:
    """A session in every kind of place."""
    start = begin(FLOW)
    middle = walked(start, {"effectif": "2-10"}, until="mdp-double")
    shown = walked(start, {"branche": "optique", "pil-qui": "personne", "sau-frequence": "nsp"})
    done = shown
    for section in FLOW.sections[1:]:
        if section.asks == "short" or section.id == "optique":
            done = walked(after(done, do("deepen", section.id)))
    reading = after(shown, do("tutorial", word="referent-remplacant"))
    return {
        "first question": start,
        "middle": middle,
        "help shown": after(middle, do("help")),
        "gone back": after(middle, do("back"), do("back")),
        "editing": after(shown, do("answers"), do("edit", "pil-qui")),
        "paused": after(middle, do("pause")),
        "paused at the result": after(shown, do("pause")),
        "paused in a tutorial": after(reading, do("next"), do("pause")),
        "result": shown,
        "all done": done,
        "answers": after(shown, do("answers")),
        "answers too early": after(start, do("answers")),
        "themes": after(shown, do("deepen")),
        "themes, all done": after(done, do("deepen")),
        "a section": after(shown, do("deepen", "sauvegardes")),
        "tutorial": reading,
        "tutorial too early": after(middle, do("tutorial", word="double-code")),
        "last step": after(reading, *[do("next")] * 9),
        "asked again": after(reading, do("done")),
        "confirm restart": after(middle, do("restart")),
        "confirm erase": after(shown, do("erase")),
        "not understood": after(middle, NotUnderstood(), NotUnderstood()),
    }


PLACES = places()
VARIANTS: list[Event] = [
    *[Commanded(name) for name in COMMANDS],
    do("edit", "pil-qui"), do("edit", "effectif"), do("edit", "inc-papier"), do("edit", "inconnu"),
    do("deepen", "sauvegardes"), do("deepen", "optique"), do("deepen", "chaussure"), do("deepen", "profile"),
    do("define", word="VPN"), do("define", word="zorglub"), do("tutorial", word="double-code"),
    do("tutorial", word="inconnu"), do("done", word="referent-remplacant"), do("done", word="double-code"),
    Clicked("pil-qui", "personne"), Clicked("pil-qui", "nsp"), Clicked("pil-qui", "na"), Clicked("pil-qui", "inconnu"),
    Clicked("mdp-double", "nsp"), Clicked("mdp-double", "nsp", certain=True), Clicked("inconnu", "oui"),
    Clicked("branche", "autre"), ReadAnswer("mdp-double", "partout"), NotUnderstood(),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("event", VARIANTS, ids=str)
def test_every_event_in_every_place_is_taken_or_refused_and_never_a_dead_end(place: str, event: Event) -> None:
    session = PLACES[place]
    before = dump(session)
    try:
        stepped = step(FLOW, session, event)
    except Refused:
        stepped = None
    assert dump(session) == before, "what the caller holds is never changed"
    now = stepped.session if stepped else session
    assert load(dump(now)) == now
    shown = turn(now)
    assert shown == turn(now), "the same session gives the same turn"
    assert shown.question or shown.buttons
    assert all(message.text.strip() for message in shown.messages)
    assert all(button.label for button in shown.buttons)
    assert shown.messages or shown.question
    assert (now.place.kind != "result") or now.short_done, "no result before there is one"
    assert shown.question is not None or now.paused or now.place.kind != "question"


@pytest.mark.parametrize("place", PLACES)
def test_every_button_on_offer_can_be_pressed(place: str) -> None:
    shown = turn(PLACES[place])
    for button in shown.buttons:
        after(PLACES[place], Commanded(button.name, button.node, button.word))
    if shown.question:
        for option in shown.question.choices:
            after(PLACES[place], Clicked(shown.question.node, option.id))


@pytest.mark.parametrize("place", [name for name in PLACES if not PLACES[name].paused])
@pytest.mark.parametrize("name", ["emergency", "human", "book", "why", "help", "define", "actions", "verify"])
def test_a_digression_moves_nothing_else(place: str, name: Command) -> None:
    session = PLACES[place]
    stepped = step(FLOW, session, do(name, word="VPN" if name == "define" else ""))
    assert replace(stepped.session, aside=session.aside) == session
    assert stepped.session.aside is not None
    assert stepped.facts == (Digressed(stepped.session.aside.kind),)
    assert turn(stepped.session).question is not None or session.place.kind != "question"


@pytest.mark.parametrize("place", PLACES)
def test_back_again_and_again_stays_on_the_path_and_comes_to_the_first_question(place: str) -> None:
    session = PLACES[place]
    for _ in range(80):
        session = after(session, do("back"))
        if session.place.kind == "question":
            assert asked(session) in [each.question.id for each in path(FLOW, session)]
        if session.aside == Aside("first_question"):
            assert asked(session) == "branche"
            return
    raise AssertionError("back never comes to the first question")


@pytest.mark.parametrize("place", PLACES)
def test_from_anywhere_a_pause_resumes_at_the_same_place(place: str) -> None:
    session = replace(PLACES[place], paused=False)
    back = after(session, do("pause"), do("resume"))
    assert (back.place, asked(back), back.review) == (session.place, asked(session), session.review)
    resume = turn(after(session, do("pause"))).buttons[0].label
    assert resume == WORDS.label("resume_tutorial" if session.place.kind == "tutorial" else "resume")
    assert turn(back).place == turn(session).place


def test_a_pause_is_told_once_and_so_is_the_return(start: Session) -> None:
    paused = step(FLOW, start, do("pause"))
    assert paused.facts == (Paused(),)
    assert step(FLOW, paused.session, do("pause")).facts == ()
    shown = turn(paused.session)
    assert (shown.status, shown.question, kinds(paused.session)) == ("paused", None, ["paused"])
    assert step(FLOW, paused.session, do("resume")).facts == (Resumed(),)
    assert step(FLOW, paused.session, do("why")).facts == (Resumed(), Digressed("why"))
    answered = step(FLOW, paused.session, Clicked("branche", "autre"))
    assert answered.facts == (Resumed(), AnswerRecorded("branche", "autre"))


def test_i_do_not_know_shows_the_help_first_and_is_then_recorded(start: Session) -> None:
    session = walked(start, until="pil-qui")
    helped = step(FLOW, session, Clicked("pil-qui", "nsp"))
    assert (helped.facts, asked(helped.session)) == ((Digressed("help"),), "pil-qui")
    question = turn(helped.session).question
    assert question is not None
    assert question.choices[-1].label == WORDS.label("unknown_still")
    sure = step(FLOW, helped.session, Clicked("pil-qui", "nsp"))
    assert sure.facts[0] == AnswerRecorded("pil-qui", "nsp")
    assert asked(sure.session) == "inv-vital"
    assert kinds(sure.session) == ["remark"]


def test_a_help_shown_for_one_question_does_not_count_for_the_next(start: Session) -> None:
    session = after(walked(start, until="pil-qui"), do("help"), Clicked("pil-qui", "personne"))
    assert after(session, Clicked("inv-vital", "nsp")).aside == Aside("help")
    moved = after(walked(start, until="inv-vital"), do("help"), do("back"))
    assert after(moved, Clicked("pil-qui", "nsp")).aside == Aside("help")


def test_a_certain_unknown_is_recorded_at_once(start: Session) -> None:
    session = walked(start, until="pil-qui")
    stepped = step(FLOW, session, Clicked("pil-qui", "nsp", certain=True))
    assert stepped.facts == (AnswerRecorded("pil-qui", "nsp"),)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Clicked("inv-vital", "idee"), "not_asked"),
        (Clicked("branche", "autre"), "not_asked"),
        (Clicked("inconnue", "oui"), "unknown_node"),
        (Clicked("pil-qui", "oui"), "unknown_choice"),
        (Clicked("pil-qui", "na"), "na_refused"),
        (Clicked("inv-vital", "nsp"), "not_asked"),
        (do("confirm"), "nothing_to_confirm"),
        (do("edit", "inv-vital"), "not_asked"),
        (do("edit", "sau-test"), "not_asked"),
        (do("edit", "inconnue"), "unknown_node"),
        (do("tutorial", word="inconnu"), "unknown_tutorial"),
        (do("next"), "unknown_tutorial"),
        (do("done"), "unknown_tutorial"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(start: Session, event: Event, code: str) -> None:
    session = walked(start, until="pil-qui")
    with pytest.raises(Refused) as caught:
        step(FLOW, session, event)
    assert caught.value.code == code


def test_an_edit_from_the_answers_comes_back_to_the_answers(at_result: Session) -> None:
    session = after(at_result, do("answers"), do("edit", "pil-qui"))
    question = turn(session).question
    assert question is not None
    assert question.previous == "personne"
    stepped = step(FLOW, session, Clicked("pil-qui", "designe"))
    assert stepped.facts == (AnswerRecorded("pil-qui", "designe", "personne"),)
    assert stepped.session.place == Place("answers")


def test_an_edit_from_the_result_comes_back_to_the_result(at_result: Session) -> None:
    session = after(at_result, do("edit", "pil-qui"), Clicked("pil-qui", "designe"))
    assert session.place == Place("result")


def test_an_edit_given_up_leaves_no_trace_on_the_next_answer(start: Session) -> None:
    session = walked(start, until="mdp-double")
    session = after(session, do("answers"), do("edit", "pil-qui"), do("answers"), do("resume"))
    assert asked(session) == "mdp-double"
    assert asked(after(session, Clicked("mdp-double", "partout"))) == "cpt-depart"


def test_an_edit_left_for_the_result_is_forgotten_too(at_result: Session) -> None:
    session = after(at_result, do("answers"), do("edit", "cpt-depart"), Clicked("cpt-depart", "na"))
    session = after(session, do("edit", "pil-qui"), do("result"), do("resume"))
    assert asked(session) == "cpt-admin"
    assert after(session, Clicked("cpt-admin", "non")).place == Place("result")


def test_an_answer_changed_and_put_back_gives_the_same_score(at_result: Session) -> None:
    changed = after(at_result, do("answers"), do("edit", "pil-qui"), Clicked("pil-qui", "designe-relais"))
    assert result(FLOW, changed) != result(FLOW, at_result)
    restored = after(changed, do("edit", "pil-qui"), Clicked("pil-qui", "personne"))
    assert result(FLOW, restored) == result(FLOW, at_result)


def test_an_answer_changed_after_the_result_may_open_a_question_and_nothing_is_stuck(at_result: Session) -> None:
    session = after(at_result, do("answers"), do("edit", "cpt-depart"), Clicked("cpt-depart", "na"))
    assert (session.place.kind, session.short_done) == ("answers", True)
    resumed = after(session, do("resume"))
    assert asked(resumed) == "cpt-admin"
    assert after(resumed, Clicked("cpt-admin", "na")).place == Place("result")


def test_going_back_and_answering_goes_on_from_where_one_was(start: Session) -> None:
    session = after(walked(start, until="maj-auto"), do("back"), do("back"))
    assert asked(session) == "cpt-depart"
    assert asked(after(session, Clicked("cpt-depart", "jamais"))) == "maj-auto"


def test_back_from_the_result_comes_to_the_last_question_answered(at_result: Session) -> None:
    assert asked(after(at_result, do("back"))) == "inc-reflexe"
    opened = after(at_result, do("deepen", "sauvegardes"), do("result"))
    assert asked(after(opened, do("back"))) == "inc-reflexe"
    left = after(at_result, do("answers"), do("edit", "pil-qui"), do("result"))
    assert asked(after(left, do("back"))) == "inc-reflexe"


def test_restart_and_erase_happen_only_once_confirmed(at_result: Session) -> None:
    pairs: tuple[tuple[Event, Effect], ...] = ((do("restart"), StartOver()), (do("erase"), EraseAll()))
    for asked_for, effect in pairs:
        first = step(FLOW, at_result, asked_for)
        assert (first.effects, kinds(first.session)) == ((), ["confirm"])
        assert step(FLOW, first.session, do("confirm")).effects == (effect,)
        kept = after(first.session, do("back"))
        assert (kept.answers, kept.place) == (at_result.answers, Place("result"))
        with pytest.raises(Refused):
            step(FLOW, kept, do("confirm"))
    for place in PLACES.values():
        for event in VARIANTS:
            try:
                effects = step(FLOW, place, event).effects
            except Refused:
                continue
            assert not effects or (event == do("confirm") and place.place.kind == "confirm")


def test_the_result_is_not_shown_before_the_short_path_is_done(start: Session) -> None:
    session = start
    for event in (do("result"), do("deepen"), do("deepen", "sauvegardes"), do("actions"), do("verify")):
        session = after(start, event)
        assert session.aside == Aside("no_result_yet")
        assert asked(session) == "branche"
    assert "encore 18 questions" in turn(session).messages[-1].text


def test_status_goes_from_active_to_short_done_to_done(start: Session, at_result: Session, all_done: Session) -> None:
    assert [turn(each).status for each in (start, at_result, all_done)] == ["active", "short_done", "done"]
    assert turn(after(at_result, do("pause"))).status == "paused"
    assert turn(after(at_result, do("deepen", "incident"))).status == "short_done"


def test_the_last_answer_of_a_theme_opened_says_that_the_autodiag_is_done(at_result: Session) -> None:
    session, facts = at_result, list[Fact]()
    for theme in FLOW.questionnaire.themes:
        session = after(session, do("deepen", theme.id))
        while node := asked(session):
            stepped = step(FLOW, session, Clicked(node, FLOW.questionnaire.by_id[node].choices[0].id))
            session, facts = stepped.session, [*facts, *stepped.facts]
    assert facts[-1] == AutodiagDone()
    assert ShortPathDone() not in facts
    assert session.place == Place("result")


def test_a_tutorial_is_read_step_by_step_and_left_at_any_of_them(at_result: Session) -> None:
    session = after(at_result, do("tutorial", word="contre-appel"))
    assert [button.name for button in turn(session).buttons] == ["next", "resume"]
    steps = len(WORDS.tutorials["contre-appel"].steps)
    for _ in range(steps):
        session = after(session, do("next"))
    assert [button.name for button in turn(session).buttons] == ["done", "back", "resume"]
    assert "Pour vérifier" in turn(session).messages[0].text
    assert after(session, do("back")).place.step == steps - 1
    assert after(session, do("resume")).place == Place("result")


def test_a_tutorial_done_asks_its_questions_again_and_shows_before_and_after(at_result: Session) -> None:
    reading = after(at_result, do("tutorial", word="referent-remplacant"))
    stepped = step(FLOW, reading, do("done", word="referent-remplacant"))
    session = stepped.session
    assert stepped.facts == (TutorialDone("referent-remplacant"),)
    assert (asked(session), kinds(session)) == ("pil-qui", ["recheck"])
    assert session.answers == at_result.answers, "saying it is done changes no answer"
    session = after(session, Clicked("pil-qui", "designe-relais"))
    assert (session.place, kinds(session)) == (Place("result"), ["result", "before_after"])
    before, now = before_and_after(FLOW, session)
    first, last = result(FLOW, at_result).range, result(FLOW, session).range
    assert first is not None
    assert last is not None
    assert (before, now) == (int(first.cautious + 0.5), int(last.cautious + 0.5))
    assert now > before


def test_a_tutorial_that_mends_several_questions_asks_them_all_unknowns_included(at_result: Session) -> None:
    session = walked(after(at_result, do("deepen", "mots-de-passe")), {"mdp-unique": "meme", "mdp-stockage": "nsp"})
    session = after(session, do("tutorial", word="coffre-mdp"), do("done"))
    assert session.review == ("mdp-unique", "mdp-stockage")
    session = after(session, Clicked("mdp-unique", "tous"))
    assert (asked(session), session.aside) == ("mdp-stockage", Aside("recheck", "coffre-mdp"))
    assert kinds(after(session, Clicked("mdp-stockage", "coffre")))[-1] == "before_after"


def test_a_tutorial_that_mends_nothing_asked_goes_back_to_the_result(at_result: Session) -> None:
    session = after(at_result, do("tutorial", word="encaissement"), do("done"))
    assert (session.place, session.tutorials_done, session.review) == (Place("result"), ("encaissement",), ())


def test_a_tutorial_done_before_the_result_goes_on_with_the_questions(start: Session) -> None:
    session = walked(start, {"pil-qui": "personne"}, until="inv-vital")
    session = after(session, do("tutorial", word="referent-remplacant"), do("done"), Clicked("pil-qui", "designe"))
    assert (asked(session), session.aside) == ("inv-vital", Aside("before_after"))
    early = after(session, do("tutorial", word="double-code"), do("back"))
    assert asked(early) == "inv-vital"


@pytest.mark.parametrize(
    ("answers", "node"),
    [
        ({"effectif": "300-plus"}, "effectif"),
        ({"effectif": "2-10", "gestion_ailleurs": "etranger"}, "gestion_ailleurs"),
    ],
)
def test_a_firm_outside_the_visit_programme_is_told_at_once_and_goes_on(
    start: Session, answers: dict[str, str], node: str
) -> None:
    session = walked(start, answers, until=node)
    assert "outside_visit" not in kinds(session)
    session = after(session, Clicked(node, answers[node]))
    assert kinds(session) == ["outside_visit"]
    assert outside_visit(FLOW, session)
    assert turn(session).question is not None
    assert "outside_visit" not in kinds(walked(session, until="inv-vital")), "said once"
    assert "17cyber" in turn(after(session, do("book"))).messages[-1].text.lower()


def test_an_answer_off_the_path_does_not_keep_a_firm_outside(start: Session) -> None:
    session = walked(start, {"effectif": "2-10", "gestion_ailleurs": "etranger"}, until="inv-vital")
    session = after(session, do("edit", "effectif"), Clicked("effectif", "1"))
    assert session.answers["gestion_ailleurs"] == "etranger"
    assert not outside_visit(FLOW, session)


def test_each_sentence_of_misunderstanding_differs_from_the_one_before(start: Session) -> None:
    for place in (start, PLACES["result"]):
        said, session = [], place
        for _ in range(6):
            session = after(session, NotUnderstood())
            said.append(turn(session).messages[-1].text)
        assert all(one != two for one, two in pairwise(said))


def test_the_result_names_two_levels_when_the_range_covers_two(start: Session) -> None:
    session = walked(start, dict.fromkeys(["mdp-double", "maj-auto", "sau-frequence", "msg-rib", "res-box"], "nsp"))
    text = turn(session).messages[0].text
    assert "entre moyen et satisfaisant, à préciser" in text
    assert "Calculé sur 15 thèmes sur 15." in text
    assert "Entre 67 et 100 sur 100" in text


def test_verify_gives_one_message_a_recipient(at_result: Session) -> None:
    session = after(
        at_result, do("deepen", "sauvegardes"), Clicked("sau-debranchee", "nsp", certain=True), do("verify")
    )
    text = turn(session).messages[-1].text
    assert text.count("Bonjour,") == 1
    assert text.count("À vérifier dans l'entreprise") == 1
    assert FLOW.questionnaire.by_id["sau-debranchee"].text in text


def test_presenting_changes_nothing(at_result: Session) -> None:
    before = dump(at_result)
    assert present(FLOW, at_result, WORDS) == present(FLOW, at_result, WORDS)
    assert dump(at_result) == before
    assert current(FLOW, at_result) is None
    assert asking(FLOW, at_result) is None
    assert counted(FLOW, at_result) == at_result.answers
