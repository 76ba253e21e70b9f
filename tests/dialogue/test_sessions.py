"""Several sessions in one conversation: what comes to the front, what goes back, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialogue import sessions
from dialogue.diary import Diary
from dialogue.engine import Refused, begin
from dialogue.events import Clicked, Commanded, Event, FormDone, Marked, ReadAnswer, TimerFired, TutorialDone, Wrote
from dialogue.present import Turn
from dialogue.session import Session
from dialogue.sessions import Flows, Sessions, Taken, dump, load
from dialogue.shown import shown
from tests.dialogue.conftest import CONTENT, FLOW, WORDS, bare, do, read

FLOWS = Flows(
    FLOW, CONTENT.forms, {flow.fingerprint: flow for flow in CONTENT.forms.values()}, CONTENT.referential.plan
)
NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)


def taken(held: Sessions, *events: Event, at: datetime = NOON) -> Taken:
    """What the last of these events gave; the conversation is written and read back between every two."""
    found = Taken(held)
    for event in events:
        found = sessions.take(FLOWS, load(dump(found.held)), event, at, "web")
    return found


def after(held: Sessions, *events: Event) -> Sessions:
    return taken(held, *events).held


def turn(held: Sessions) -> Turn:
    return shown(FLOWS, held, WORDS)


def asked(held: Sessions) -> str:
    question = turn(held).question
    return question.node if question else ""


@pytest.fixture
def finished(at_result: Session) -> Sessions:
    """Short path done, a moment ago, by the same baker."""
    return replace(Sessions(at_result), diary=Diary(door="web", last=NOON, since={"result": NOON}))


def test_a_first_session_kept_by_an_earlier_version_is_still_read(start: Session) -> None:
    from dialogue import session as one

    assert load(one.dump(start)) == Sessions(start)
    assert load(dump(Sessions(start))) == Sessions(start)


def test_the_first_result_comes_with_one_question_below_it_that_takes_no_place(finished: Sessions) -> None:
    there = after(finished, do("result"))
    now = turn(there)
    assert now.place == "result"
    assert now.beside is not None
    assert now.beside.node == "sat-autodiag"
    assert [option.label for option in now.beside.choices] == ["Oui", "Plutôt oui", "Plutôt non", "Non"]
    answered = taken(there, Clicked("sat-autodiag", "oui"))
    assert turn(answered.held).beside is None
    assert turn(answered.held).place == "result"
    assert "thanks" in [message.kind for message in turn(answered.held).messages]
    assert FormDone("survey", "resultat") in answered.facts
    assert turn(after(answered.held, do("result"))).beside is None, "asked once"


def test_a_survey_that_comes_first_gives_the_place_back(finished: Sessions) -> None:
    there = after(finished, TimerFired("enquete-trente-jours"))
    assert turn(there).flow == "survey"
    assert asked(there) == "sat-action"
    assert [button.name for button in turn(there).buttons] == ["why", "leave", "quiet"]
    there = after(there, Clicked("sat-action", "commence"), Clicked("sat-reco", "oui"))
    assert asked(there) == "sat-pourquoi"
    there = after(there, Wrote("sat-pourquoi", "  Simple\tet clair. "))
    assert there.others["survey"].answers["sat-pourquoi"] == "Simple et clair."
    assert turn(there).place == "end"
    assert turn(there).messages[0].text.startswith("Merci")
    assert turn(after(there, do("leave"))).place == "result"


def test_any_command_of_the_autodiag_brings_it_back_to_the_front(finished: Sessions) -> None:
    there = after(finished, TimerFired("enquete-trente-jours"))
    for command in ("answers", "result", "pause", "leave"):
        back = after(there, do(command))
        assert turn(back).flow == "autodiag"
        assert back.others["survey"].answers.get("sat-action") is None
    assert turn(after(there, do("why"))).flow == "survey"


def test_typed_words_answer_an_open_question_and_a_label_skips_it(finished: Sessions) -> None:
    there = after(
        finished, TimerFired("enquete-trente-jours"), Clicked("sat-action", "oui"), Clicked("sat-reco", "non")
    )
    flow, session = sessions.front(FLOWS, there)
    assert bare(read(flow, session, "trop long, désolé")) == Wrote("sat-pourquoi", "trop long, désolé")
    assert bare(read(flow, session, "ne rien ajouter")) == ReadAnswer("sat-pourquoi", "na")
    assert bare(read(flow, session, "plus tard")) == Commanded("pause")
    too_long = after(there, Wrote("sat-pourquoi", "x" * 501))
    assert asked(too_long) == "sat-pourquoi"
    assert "500 signes" in turn(too_long).messages[0].text
    assert turn(after(there, ReadAnswer("sat-pourquoi", "na"))).place == "end"


def test_a_question_answered_in_one_sending_is_not_asked_in_the_next(finished: Sessions) -> None:
    there = after(
        finished, TimerFired("enquete-trente-jours"), Clicked("sat-action", "oui"), Clicked("sat-reco", "oui")
    )
    there = after(there, Wrote("sat-pourquoi", "Très bien."), do("leave"), Marked("visit", NOON))
    with pytest.raises(Refused):
        sessions.take(FLOWS, there, TimerFired("enquete-apres-visite"), NOON, "timer")


def test_the_report_is_asked_about_only_once_it_was_handed_over(finished: Sessions) -> None:
    there = after(finished, Marked("visit", NOON), TimerFired("enquete-visite"), Clicked("sat-visite", "tres"))
    assert asked(there) == "sat-financement"
    there = after(finished, Marked("visit", NOON), Marked("report", NOON), TimerFired("enquete-visite"))
    assert asked(after(there, Clicked("sat-visite", "na"))) == "sat-rapport"


def test_a_tutorial_said_done_asks_again_what_it_mends(finished: Sessions) -> None:
    there = after(finished, do("tutorial", word="referent-remplacant"), do("resume"))
    assert "referent-remplacant" in there.diary.tutorials
    there = after(there, TimerFired("tutoriel", "referent-remplacant"))
    assert "« " in turn(there).messages[0].text
    done = taken(there, Clicked("tuto-fait", "oui"))
    assert TutorialDone("referent-remplacant") in done.facts
    assert turn(done.held).flow == "autodiag"
    assert asked(done.held) == "pil-qui"
    assert "referent-remplacant" not in done.held.diary.tutorials


def test_a_visit_not_wanted_any_more_is_no_longer_wanted(finished: Sessions) -> None:
    there = after(finished, do("book"), do("resume"), TimerFired("visite-voulue-1"))
    assert "visit_wanted" in there.diary.since
    assert "visit_wanted" not in after(there, Clicked("visite-voulue", "pas-le-temps")).diary.since
    booked = after(there, Clicked("visite-voulue", "reserver"))
    assert "book" in [message.kind for message in turn(booked).messages]


def test_quiet_is_for_good_and_said(finished: Sessions) -> None:
    there = after(finished, TimerFired("enquete-trente-jours"), do("quiet"))
    assert there.diary.quiet
    assert turn(there).flow == "autodiag"
    assert "quiet" in [message.kind for message in turn(there).messages]


def test_a_reminder_leads_to_the_exact_question_with_the_minutes_left() -> None:
    there = after(Sessions(begin(FLOW)), Clicked("branche", "optique"), do("pause"), TimerFired("inacheve-1"))
    now = turn(there)
    assert now.question is not None
    assert now.question.node != "branche"
    assert "minutes" in now.messages[0].text
    assert "quiet" in [button.name for button in now.buttons]


def test_a_press_for_another_flow_than_those_open_changes_nothing(finished: Sessions) -> None:
    with pytest.raises(Refused):
        taken(finished, Clicked("sat-reco", "oui"))
    with pytest.raises(Refused):
        taken(finished, Wrote("pil-qui", "moi"))


def test_the_same_events_give_the_same_bytes(finished: Sessions) -> None:
    events = (TimerFired("enquete-trente-jours"), Clicked("sat-action", "oui"), do("leave"), do("book"), do("pause"))
    assert dump(after(finished, *events)) == dump(after(finished, *events))
    later = taken(finished, *events, at=NOON + timedelta(days=1)).held
    assert later.diary != after(finished, *events).diary
