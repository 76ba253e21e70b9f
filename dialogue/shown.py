"""The present turn of a whole conversation: the flow in front, with what is asked beside the result.

The Autodiag's own turn is `present`'s; here, the turn of a small flow. Doors call `shown` and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

from dialogue.engine import asking, path, result
from dialogue.events import Command
from dialogue.flow import AUTODIAG, Flow, Step
from dialogue.present import (
    Asked,
    Button,
    Message,
    Option,
    Progress,
    Turn,
    beside_reading,
    label_of,
    offered,
    past,
    present,
    read_back,
    status,
)
from dialogue.session import Session
from dialogue.sessions import Flows, Sessions, asked_beside, front
from dialogue.words import Words
from referential.forms import Form, FormQuestion
from referential.rules import NOT_CONCERNED


def shown(flows: Flows, held: Sessions, words: Words) -> Turn:
    """What a door shows now."""
    if held.front == AUTODIAG:
        turn = present(flows.autodiag, held.autodiag, words)
        found = asked_beside(flows, held)
        return replace(turn, beside=_asked(*found, words)) if found else turn
    flow, session = front(flows, held)
    asked = asking(flow, session)
    return Turn(
        status=status(flows.autodiag, held.autodiag),
        place=session.place.kind,
        messages=(*_shown_with(flows, held, asked, words), *_messages(flows, flow, session, words)),
        question=_asked(flow, session, words) if asked else None,
        buttons=tuple(_buttons(flow, session, words, asked)),
        flow=flow.id,
    )


def _asked(flow: Flow, session: Session, words: Words) -> Asked | None:
    step = asking(flow, session)
    if step is None:
        return None
    question = step.question
    live = isinstance(question, FormQuestion) and question.kind == "live"
    given = session.offers if live else question.choices
    options = [Option(choice.id, choice.label) for choice in given]
    if question.na_allowed:
        options.append(Option(NOT_CONCERNED, question.na_label or ""))
    mine = [each for each in path(flow, session) if each.section.id == step.section.id]
    reading = session.aside.reading if session.aside else None
    proposed = reading.choice if reading and session.aside and session.aside.kind == "understood" else ""
    if reading and reading.node == question.id:
        options = offered(options, reading.candidates, proposed, words)
    return Asked(
        node=question.id,
        section=step.section.id,
        title=step.section.title,
        text=question.text,
        why=question.why,
        choices=tuple(options),
        progress=Progress(mine.index(step), len(mine)),
        previous=session.answers.get(question.id, ""),
        typed=question.kind if isinstance(question, FormQuestion) and question.typed else "",
        proposed=proposed,
    )


def _form(flow: Flow) -> Form:
    assert flow.form is not None  # noqa: S101 — only small flows come here
    return flow.form


def _messages(flows: Flows, flow: Flow, session: Session, words: Words) -> list[Message]:
    if session.place.kind == "end":
        thanks = words.say(session.told, **session.values) if session.told else _form(flow).thanks
        return [Message("thanks", thanks)]
    if session.aside is None:
        return []
    kind, word, step = session.aside.kind, session.aside.word, asking(flow, session)
    question = step.question if step else None
    match kind:
        case "reach":
            moment = flows.plan.by_id.get(word)
            title = words.tutorials[session.about].title if session.about in words.tutorials else ""
            said = words.say(f"reach_{moment.kind}", tutorial=title) if moment else ""
        case "why" | "help":
            said = words.say("why", question=question) if question else ""
        case "define":
            term = words.term(word)
            said = words.say("define", term=term) if term else words.say("unknown_word", word=word)
        case "bad_text":
            longest = question.longest if isinstance(question, FormQuestion) else 0
            said = words.say("bad_text", fault=word, longest=longest)
        case "unclear" | "understood":
            said = read_back(words, question, session, session.aside)
        case "unknown_word":
            said = words.say("unknown_word", word="")
        case "emergency":
            said = words.say("emergency", ongoing=word)
        case "human" | "first_question":
            said = words.say(kind)
        case "told":
            said = words.say(word, **session.values)
        case _:
            said = words.say("commands")
    return [Message(kind, said), *beside_reading(session.aside, words)] if said else []


def _shown_with(flows: Flows, held: Sessions, asked: Step | None, words: Words) -> list[Message]:
    """What is read with the question asked: the answers that it is about, as they stand now."""
    if asked is None or not isinstance(asked.question, FormQuestion) or asked.question.shows is None:
        return []
    flow, session = front(flows, held)
    given = [(step.question, session.answers.get(step.question.id, "")) for step in path(flow, session)]
    said = words.say(
        asked.question.shows,
        past=past(flows.autodiag, held.autodiag, words),
        score=result(flows.autodiag, held.autodiag),
        told=[(each.id, each.text, label_of(words, each, answer)) for each, answer in given if answer],
        answers=session.answers,
        values=session.values,
    )
    return [Message("shows", said)]


def _buttons(flow: Flow, session: Session, words: Words, asked: Step | None) -> list[Button]:
    def button(name: Command, label: str = "") -> Button:
        return Button(words.label(label or name), name)

    if asked is None:
        return [button("leave", "go_on")]
    before = [step.question.id for step in path(flow, session)]
    back = [button("back")] if before.index(asked.question.id) else []
    quiet = [button("quiet")] if _form(flow).reaches_out else []
    return [button("why"), *back, button("leave", "later"), *quiet]
