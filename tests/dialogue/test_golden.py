"""Conversations that a merchant could have had, as files: what is typed or pressed, and what is then shown.

`pytest tests/dialogue --golden-update` rewrites what is shown; the review is the diff. In a file: `say` types a text,
`press` is a choice ("node choice"), `do` a command ("name", then the node or the word it is about).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dialogue.engine import Refused, begin, result, step
from dialogue.events import Clicked, Commanded, Event
from dialogue.session import Session, dump, load
from scoring.score import tenth
from tests.dialogue.conftest import FLOW, read, turn

FOLDER = Path(__file__).parent / "golden"
FILES = sorted(FOLDER.glob("*.json"))
NODES = ("edit", "deepen")
Data = dict[str, Any]


def event_of(session: Session, given: Data) -> Event:
    if "say" in given:
        return read(FLOW, session, given["say"])
    if "press" in given:
        node, choice = given["press"].split(" ")
        return Clicked(node, choice)
    name, _, about = given["do"].partition(" ")
    return Commanded(name, about if name in NODES else "", "" if name in NODES else about)


def shown(session: Session) -> Data:
    now = turn(session)
    found: Data = {"status": now.status, "place": now.place, "messages": [message.kind for message in now.messages]}
    if now.question:
        found["question"] = now.question.node
        found["progress"] = f"{now.question.progress.done}/{now.question.progress.total}"
    if now.place == "result":
        score = result(FLOW, session)
        found["level"] = score.level
        found["range"] = [tenth(score.range.cautious), tenth(score.range.high)] if score.range else None
        found["alerts"] = list(score.alerts)
        found["actions"] = [action.tutorial or f"verify {action.verify}" for action in score.actions]
    return found


def played(conversation: Data) -> Data:
    """The conversation with what is shown after each event, written and read back between every two."""
    session = begin(FLOW, conversation["given"])
    turns = []
    for each in conversation["turns"]:
        given = {key: value for key, value in each.items() if key != "shown"}
        try:
            stepped = step(FLOW, session, event_of(session, given))
            session = load(dump(stepped.session))
            effects = {"effects": [effect.kind for effect in stepped.effects]} if stepped.effects else {}
            turns.append({**given, "shown": {**shown(session), **effects}})
        except Refused as refused:
            turns.append({**given, "shown": {"refused": refused.code}})
    return {**conversation, "start": shown(begin(FLOW, conversation["given"])), "turns": turns}


def written(conversation: Data) -> str:
    """One turn a line: a diff that a person can read."""
    head = {key: value for key, value in conversation.items() if key != "turns"}
    turns = ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in conversation["turns"])
    return f'{json.dumps(head, ensure_ascii=False, indent=1)[:-2]},\n "turns": [\n  {turns}\n ]\n}}\n'


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_conversation_goes_as_it_is_written(file: Path, request: pytest.FixtureRequest) -> None:
    conversation = json.loads(file.read_text(encoding="utf-8"))
    now = played(conversation)
    if request.config.getoption("--golden-update"):
        file.write_text(written(now), encoding="utf-8")
        return
    for number, (before, after) in enumerate(zip(conversation["turns"], now["turns"], strict=True), 1):
        assert after == before, f"turn {number}"
    assert now == conversation


def test_there_are_enough_conversations_and_they_say_who_is_speaking() -> None:
    assert len(FILES) >= 8
    assert all(len(json.loads(file.read_text(encoding="utf-8"))["who"]) > 20 for file in FILES)
