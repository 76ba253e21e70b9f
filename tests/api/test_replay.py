"""Whatever is sent, in whatever order, once or ten times: never a fault, and a key sent again changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.house import House
from dialogue.events import COMMANDS
from tests.api.conftest import Caller

TEXTS = (
    "oui",
    "non",
    "2",
    "b",
    "je ne sais pas",
    "c'est quoi un vpn ?",
    "retour",
    "pourquoi",
    "supprimer",
    "\x00",
    "🦉",
)
SOME = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def drawn_event(data: st.DataObject, turn: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """An event that a manager, a clumsy app or a curious one might send now."""
    asked, buttons = turn["question"], turn["buttons"]
    kinds = ["command", "text", "wild"] + ["choice"] * 6 * bool(asked) + ["button"] * 4 * bool(buttons)
    match data.draw(st.sampled_from(kinds)):
        case "choice":
            choice = data.draw(st.sampled_from([each["id"] for each in asked["choices"]]))
            return {"type": "choice", "node": asked["node"], "choice": choice, "revision": turn["revision"]}
        case "button":
            pressed = data.draw(st.sampled_from(buttons))
            return {"type": "command", **{name: pressed[name] for name in ("name", "node", "word")}}
        case "text":
            return {"type": "text", "text": data.draw(st.sampled_from(TEXTS))}
        case "command":
            name = data.draw(st.sampled_from([name for name in COMMANDS if name != "confirm"]))
            return {"type": "command", "name": name}
    return {
        "type": "command",
        "name": data.draw(st.sampled_from([name for name in COMMANDS if name != "confirm"])),
        "node": data.draw(st.sampled_from(words)),
        "word": data.draw(st.sampled_from(words)),
    }


@pytest.fixture
def words(house: House) -> list[str]:
    """Ids and words of every kind, ours or not."""
    flow = house.flow
    nodes = [question.id for section in flow.sections for question in section.questions]
    return ["", "vpn", "rien", "{{ x }}", "\u202e", *nodes[::9], *flow.section, *house.words.tutorials]


def sent(caller: Caller, event: dict[str, Any], key: str) -> dict[str, Any]:
    answer = caller.send(event, key=key)
    assert answer.status_code in (200, 409, 422), answer.text
    return dict(answer.json())


@pytest.mark.databases(
    "sqlite", because="the inbox of PostgreSQL has its own tests; this one looks for orders of events"
)
@SOME
@given(data=st.data())
def test_a_key_sent_again_at_any_moment_changes_nothing(anyone: Caller, words: list[str], data: st.DataObject) -> None:
    plain, replayed = anyone.begin(), anyone.begin()
    if data.draw(st.booleans(), label="after the first result"):
        plain.to_result("nsp")
        replayed.to_result("nsp")
    past: list[tuple[dict[str, Any], str]] = []
    for n in range(data.draw(st.integers(1, 8), label="events")):
        event = drawn_event(data, plain.turn, words)
        first, second = sent(plain, event, f"n{n}"), sent(replayed, event, f"n{n}")
        assert first == second
        if first.get("status") == "erased":
            assert (plain.get().status_code, replayed.get().status_code) == (404, 404)
            return
        if first.get("outcome") == "taken":
            past.append((event, f"n{n}"))
        for _ in range(data.draw(st.integers(0, 2), label="sent again")):
            if not past:
                break
            event, key = data.draw(st.sampled_from(past))
            other = data.draw(st.sampled_from([event, {"type": "command", "name": "back"}]))
            before = replayed.get().json()
            again = sent(replayed, other, key)
            assert (again["outcome"], again["turn"]) == ("seen", before["turn"])
            assert replayed.get().json() == before
    ours, theirs = plain.get().json(), replayed.get().json()
    assert (ours["turn"], ours["answers"]) == (theirs["turn"], theirs["answers"])
    assert plain.get("/result").json() == replayed.get("/result").json()
