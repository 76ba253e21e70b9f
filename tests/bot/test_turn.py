"""Turns on a real database: acknowledged is committed, twice is once, and what is refused leaves no trace."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot import entrance, worker
from bot.house import House, open_house
from bot.turn import Gone, Present, begin, look, records, take
from dialogue import engine
from dialogue.events import Clicked, Commanded, Event, NotUnderstood, Reading, ShortPathDone
from dialogue.flow import autodiag
from referential.model import Questionnaire
from store.codes import Refusal
from tests.conftest import Clock

T = TypeVar("T")
_ids = itertools.count()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def started(house: House, **options: Any) -> tuple[Present, str]:
    return run(begin(house, door="web", incoming=f"begin-{next(_ids)}", **options))


def send(house: House, here: Present, event: Event, *, incoming: str = "", revision: int | None = -1) -> Present:
    return run(
        take(
            house,
            door="web",
            incoming=incoming or f"event-{next(_ids)}",
            conversation=here.conversation,
            revision=here.revision if revision == -1 else revision,
            event=event,
        )
    )


def answer(house: House, here: Present, pick: Callable[[list[str]], str] = lambda ids: ids[0]) -> Present:
    asked = here.turn(house).question
    assert asked is not None
    choice = pick([option.id for option in asked.choices if option.id not in ("nsp", "na")])
    return send(house, here, Clicked(asked.node, choice, certain=True))


def to_result(house: House, here: Present) -> Present:
    while here.turn(house).question:
        here = answer(house, here)
    return here


def rows(house: House, table: str) -> int:
    return int(house.store.db.read(lambda tx: tx.exec_driver_sql(f"select count(*) from {table}").scalar_one()))


def test_an_answer_acknowledged_is_there_when_the_house_is_opened_again(house: House) -> None:
    here, _ = started(house)
    here = answer(house, here)
    house.store.close()
    again = open_house(house.settings)
    assert run(look(again, here.conversation)).session == here.session
    again.store.close()


def test_the_same_message_twice_changes_nothing_and_shows_the_present_turn(house: House) -> None:
    here, _ = started(house)
    asked = here.turn(house).question
    assert asked
    first = send(house, here, Clicked(asked.node, "optique"), incoming="tap", revision=None)
    second = send(house, here, Clicked(asked.node, "bricolage"), incoming="tap", revision=None)
    assert second.outcome == "seen"
    assert second.session == first.session
    assert second.revision == first.revision
    assert rows(house, "facts") == 1


def test_beginning_twice_with_one_form_opens_one_conversation(house: House) -> None:
    first, token = run(begin(house, door="web", incoming="form", first=Clicked("branche", "optique")))
    second, same = run(begin(house, door="web", incoming="form", first=Clicked("branche", "optique")))
    assert (second.conversation, same) == (first.conversation, token)
    assert second.outcome == "seen"
    assert rows(house, "conversations") == 1


def test_a_first_answer_that_is_refused_begins_nothing(house: House) -> None:
    with pytest.raises(engine.Refused):
        started(house, first=Clicked("branche", "boulangerie"))
    assert rows(house, "conversations") == rows(house, "inbox") == rows(house, "ways") == 0


def test_an_old_button_changes_nothing_not_even_the_inbox(house: House) -> None:
    here, _ = started(house)
    ahead = answer(house, here)
    before = rows(house, "inbox")
    stale = send(house, here, Clicked("branche", "optique"))
    assert stale.outcome == "stale"
    assert stale.session == ahead.session
    assert rows(house, "inbox") == before


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Clicked("effectif", "1"), "not_asked"),
        (Clicked("inconnue", "1"), "unknown_node"),
        (Clicked("branche", "inconnu"), "unknown_choice"),
        (Clicked("branche", "na"), "na_refused"),
        (Commanded("confirm"), "nothing_to_confirm"),
        (Commanded("tutorial", word="inconnu"), "unknown_tutorial"),
        (Commanded("edit", "mdp-double"), "not_asked"),
    ],
)
def test_what_the_engine_refuses_leaves_no_trace(house: House, event: Event, code: str) -> None:
    here, _ = started(house)
    refused = send(house, here, event)
    assert (refused.outcome, refused.refusal) == ("refused", code)
    assert refused.session == here.session
    assert rows(house, "inbox") == 1
    assert rows(house, "facts") == 0


def test_typed_text_is_read_against_the_question_being_asked(house: House) -> None:
    here, _ = started(house)
    here = run(
        take(
            house,
            door="web",
            incoming="typed",
            conversation=here.conversation,
            revision=here.revision,
            event=house.typed("zorglub du mardi"),
        )
    )
    assert here.session.unclear == 1
    here = send(house, here, Clicked("branche", "optique"))
    assert here.session.answers == {"branche": "optique"}


def test_the_log_of_a_conversation_replays_to_the_same_session(house: House) -> None:
    here, _ = started(house, given={"branche": "chaussure"})
    here = to_result(house, here)
    here = send(house, here, Commanded("deepen", "sauvegardes"))
    here = to_result(house, here)
    replayed = engine.begin(house.flow, {"branche": "chaussure"})
    log = run(records(house, here.conversation))
    for record in log:
        replayed = engine.step(house.flow, replayed, record.event).session
    assert replayed == here.session
    assert sum(isinstance(fact, ShortPathDone) for record in log for fact in record.facts) == 1


def test_two_devices_that_press_at_once_record_one_answer(house: House) -> None:
    here, _ = started(house)

    async def both() -> list[Present]:
        presses = (
            take(house, door="web", incoming=f"both-{choice}", conversation=here.conversation, revision=1, event=event)
            for choice in ("optique", "bricolage")
            for event in [Clicked("branche", choice)]
        )
        return list(await asyncio.gather(*presses))

    outcomes = sorted(found.outcome for found in run(both()))
    assert outcomes == ["stale", "taken"]


def test_a_return_link_and_a_code_open_the_same_conversation_elsewhere(house: House, clock: Clock) -> None:
    here, token = started(house)
    link = run(entrance.open_way(house, here.conversation, "link"))
    code = run(entrance.hand_over(house, here.conversation))
    other = run(entrance.redeem(house, code.lower()))
    assert isinstance(other, str)
    for way in (token, link, other):
        assert run(entrance.who(house, way)) == here.conversation
    assert run(entrance.redeem(house, code)) == Refusal("unknown")
    clock.forward(days=91)
    assert run(entrance.who(house, link)) is None


def test_a_link_used_now_and_then_stays_open(house: House, clock: Clock) -> None:
    here, _ = started(house)
    link = run(entrance.open_way(house, here.conversation, "link"))
    for _ in range(3):
        clock.forward(days=80)
        assert run(entrance.who(house, link)) == here.conversation
    run(entrance.close_way(house, link))
    assert run(entrance.who(house, link)) is None


def test_erasing_asks_first_then_leaves_nothing(house: House) -> None:
    here, token = started(house)
    here = answer(house, here)
    here = send(house, here, Commanded("erase"))
    assert here.turn(house).place == "confirm"
    gone = send(house, here, Commanded("confirm"))
    assert gone.outcome == "erased"
    assert run(entrance.who(house, token)) is None
    for table in ("conversations", "facts", "ways", "codes"):
        assert rows(house, table) == 0
    with pytest.raises(Gone):
        run(look(house, here.conversation))


def test_starting_over_keeps_only_what_the_link_had_said(house: House) -> None:
    here, _ = started(house, given={"branche": "photographie"})
    here = to_result(house, here)
    here = send(house, send(house, here, Commanded("restart")), Commanded("confirm"))
    assert here.session.answers == {"branche": "photographie"}
    assert here.turn(house).status == "active"
    assert rows(house, "facts") == 0


def test_a_word_that_is_no_term_is_not_kept(house: House) -> None:
    here, _ = started(house)
    here = send(house, here, Commanded("define", word="Jean Dupont 0612345678"))
    here = send(house, here, Commanded("define", word="vpn"))
    here = send(house, here, Commanded("why", node="Jean", word="Dupont"))
    log = [record.event for record in run(records(house, here.conversation))]
    assert log == [Commanded("define"), Commanded("define", word="VPN"), Commanded("why")]


def test_a_result_kept_a_year_can_be_opened_for_a_year(house: House, clock: Clock) -> None:
    here, token = started(house)
    link = run(entrance.open_way(house, here.conversation, "link"))
    here = to_result(house, here)
    late = run(entrance.redeem(house, run(entrance.hand_over(house, here.conversation))))
    assert isinstance(late, str)
    clock.forward(days=house.settings.retention.finished_days - 1)
    for way in (token, link, late):
        assert run(entrance.who(house, way)) == here.conversation


def test_the_form_that_began_opens_nothing_once_somebody_has_gone_on(house: House) -> None:
    here, _ = run(begin(house, door="web", incoming="form", first=Clicked("branche", "optique")))
    answer(house, here)
    with pytest.raises(Gone):
        run(begin(house, door="web", incoming="form", first=Clicked("branche", "optique")))


def test_a_new_questionnaire_never_disturbs_a_session_under_way(house: House) -> None:
    here, _ = started(house)
    here = answer(house, here)
    book = house.flow.questionnaire
    edited = book.model_dump() | {"version": "next", "themes": book.themes[:3]}
    shorter = autodiag(Questionnaire.model_validate(edited))
    newer = replace(house, content=replace(house.content, flow=shorter), pinned={})
    going_on = to_result(newer, run(look(newer, here.conversation)))
    assert going_on.flow.fingerprint == house.flow.fingerprint
    assert len(engine.result(going_on.flow, going_on.session).themes) == 15
    fresh, _ = started(newer)
    assert fresh.flow.fingerprint == shorter.fingerprint != house.flow.fingerprint
    over = send(newer, send(newer, going_on, Commanded("restart")), Commanded("confirm"))
    assert over.flow.fingerprint == shorter.fingerprint


def test_the_purge_takes_trials_after_a_day_and_the_silent_after_their_time(house: House, clock: Clock) -> None:
    trial, _ = started(house, trial=True)
    unfinished, _ = started(house)
    finished, _ = started(house)
    to_result(house, finished)

    def still_there() -> list[str]:
        while run(worker.work_once(house)):
            pass
        found = []
        for name, here in (("trial", trial), ("unfinished", unfinished), ("finished", finished)):
            try:
                run(look(house, here.conversation))
            except Gone:
                continue
            found.append(name)
        return found

    assert still_there() == ["trial", "unfinished", "finished"]
    clock.forward(hours=25)
    assert still_there() == ["unfinished", "finished"]
    clock.forward(days=house.settings.retention.unfinished_days)
    assert still_there() == ["finished"]
    clock.forward(days=house.settings.retention.finished_days)
    assert still_there() == []


@pytest.mark.databases("sqlite", because="it reads the files of the database")
def test_what_was_answered_stands_nowhere_in_clear(house: House) -> None:
    """Ids of answers, tokens and codes are canaries: none may be read in the database, its log or the journal."""
    here, token = started(house, given={"branche": "optique"})
    here = to_result(house, here)
    link = run(entrance.open_way(house, here.conversation, "link"))
    code = run(entrance.hand_over(house, here.conversation))
    canaries = [token, link, code, "pil-qui", "mdp-double", "sau-frequence", "answer_recorded", "opt-sante"]
    path = house.store.db.path
    assert path is not None
    with sqlite3.connect(path) as raw:
        kept = "\n".join(line for line in raw.iterdump() if 'INSERT INTO "flows"' not in line)
    for canary in canaries:
        assert canary not in kept
        assert canary.encode().hex().upper() not in kept
    for file in (Path(f"{path}-wal"), house.settings.storage.erasure_journal):
        data = file.read_bytes() if file.exists() else b""
        for canary in (token, link, code):
            assert canary.encode() not in data
    here = send(house, send(house, here, Commanded("erase")), Commanded("confirm"))
    assert here.conversation.encode() not in path.read_bytes()
    assert here.conversation.encode() not in Path(f"{path}-wal").read_bytes()


def test_own_words_stand_beside_the_answer_and_never_in_the_log(house: House) -> None:
    here, _ = started(house, given={"branche": "autre"})
    here = send(house, here, Clicked("effectif", "1"))
    here = send(house, here, NotUnderstood(Reading("answer", "debrouille", node="pil-qui"), words="canari du mardi"))
    here = send(house, here, Clicked("pil-qui", "debrouille"))
    assert here.session.words == {"pil-qui": "canari du mardi"}
    assert "canari" not in repr(run(records(house, here.conversation)))
