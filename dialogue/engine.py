"""The engine: `step(flow, session, event)` gives the next session, the facts and the effects.

All that moves a session is here. Nothing is refused in silence and nothing is guessed: an event that cannot be taken
raises `Refused`, and the session that the caller holds is unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from dialogue.events import (
    AnswerRecorded,
    AutodiagDone,
    Clicked,
    Commanded,
    Digressed,
    Effect,
    EraseAll,
    Event,
    Fact,
    FormDone,
    NotUnderstood,
    Paused,
    ReadAnswer,
    Reading,
    Resumed,
    SectionOpened,
    ShortPathDone,
    StartOver,
    TutorialDone,
    Wrote,
)
from dialogue.fields import tidy
from dialogue.flow import Flow, Step, journey, openable, remaining, standing
from dialogue.session import Aside, AsideKind, Place, Session
from referential.forms import FormQuestion
from referential.model import Question, ScoredQuestion
from referential.rules import NOT_CONCERNED, UNKNOWN
from scoring.score import Score

RefusalCode = Literal[
    "not_asked", "unknown_node", "unknown_choice", "na_refused", "nothing_to_confirm", "unknown_tutorial"
]


class Refused(Exception):
    """An event that can't be taken where the session stands. `code` names why; the door turns it into words."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Stepped:
    """What one event gave."""

    session: Session
    facts: tuple[Fact, ...] = ()
    effects: tuple[Effect, ...] = ()


def begin(flow: Flow, given: Mapping[str, str] | None = None) -> Session:
    """A new session; `given`: profile facts already known (a federation's link, the API), by id. Raises Refused."""
    facts = dict(given or {})
    known = {fact.id: fact for fact in flow.content.profile}
    for node, choice in facts.items():
        if node not in known:
            raise Refused("unknown_node")
        if choice not in known[node].by_choice:
            raise Refused("unknown_choice")
    return Session(flow.id, flow.fingerprint, answers=facts, given=facts)


def path(flow: Flow, session: Session) -> tuple[Step, ...]:
    """The session's journey."""
    return journey(flow, session.answers, session.opened)


def current(flow: Flow, session: Session) -> Step | None:
    """The step being asked: the one chosen by back or edit, else the first unanswered; None when all is answered."""
    steps = path(flow, session)
    chosen = next((step for step in steps if step.question.id == session.cursor), None)
    return chosen or next((step for step in steps if step.question.id not in session.answers), None)


def asking(flow: Flow, session: Session) -> Step | None:
    """The step whose choices are on offer now; None at the result, in a tutorial, before a confirmation…"""
    return current(flow, session) if session.place.kind == "question" else None


def counted(flow: Flow, session: Session) -> dict[str, str]:
    """The answers that stand on the journey: what rules, score, summary and export may see."""
    return standing(flow, session.answers, path(flow, session))


def result(flow: Flow, session: Session) -> Score:
    """The score of the answers that count."""
    return flow.worth(tuple(counted(flow, session).items()))


def step(flow: Flow, session: Session, event: Event) -> Stepped:
    """Handle one event. Raises Refused; never anything else on a session that this engine made."""
    came_back = session.paused and not (isinstance(event, Commanded) and event.name == "pause")
    if came_back:
        session = replace(session, paused=False)
        if isinstance(event, Commanded) and event.name in ("resume", "repeat"):
            return Stepped(session, (Resumed(),))
    stepped = _handled(flow, session, event)
    return replace(stepped, facts=(Resumed(), *stepped.facts)) if came_back else stepped


def _handled(flow: Flow, session: Session, event: Event) -> Stepped:
    match event:
        case Clicked():
            return _clicked(flow, session, event)
        case ReadAnswer():
            heard = _hearing(session, event.words)
            return _clicked(flow, heard, Clicked(event.node, event.choice))
        case NotUnderstood():
            return _unsure(flow, session, event.reading or Reading("clarify"), event.words)
        case Wrote():
            return _wrote(flow, session, event)
        case Commanded():
            stepped = _commanded(flow, session, event)
            meant = event.reading
            if meant and event.name == "edit" and meant.choice and event.node:
                shown = replace(meant, kind="answer", command="", node=event.node)
                return replace(stepped, session=replace(stepped.session, aside=Aside("understood", reading=shown)))
            return stepped
        case _:
            raise Refused("not_asked")


def _unsure(flow: Flow, session: Session, reading: Reading, words: str) -> Stepped:
    """Show back what was understood, or ask better; nothing is recorded."""
    if reading.reason == "forget_words":
        session = replace(session, words={}, wordless=True)
        return _beside(replace(session, aside=None), "unclear", reading=reading)
    asked = asking(flow, session)
    proposed = reading.kind == "answer" and asked is not None and asked.question.accepts(reading.choice)
    tells = reading.adds and not (session.warned or session.wordless)
    heard = replace(_hearing(session, words), warned=session.warned or tells)
    own = heard.aside.own if heard.aside else ""
    if proposed:
        return _beside(heard, "understood", reading=reading, own=own, tells=tells)
    return _beside(replace(heard, unclear=session.unclear + 1), "unclear", reading=reading, own=own, tells=tells)


def _hearing(session: Session, words: str) -> Session:
    """The session with these words held until the answer that they go with."""
    aside = session.aside or Aside("unclear")
    return replace(session, aside=replace(aside, own=words)) if words else session


def open_section(flow: Flow, session: Session, section: str) -> Session:
    """The session of a small flow with this section being asked."""
    return replace(session, opened=(section,), cursor=None, place=Place(), aside=None, unclear=0)


def _wrote(flow: Flow, session: Session, event: Wrote) -> Stepped:
    """Keep what was typed where words are asked for; what does not fit is said, and nothing changes."""
    question, asked = flow.question(event.node), asking(flow, session)
    if asked is None or asked.question.id != event.node or not isinstance(question, FormQuestion) or not question.typed:
        raise Refused("not_asked")
    written, fault = tidy(question, event.text)
    return _beside(session, "bad_text", fault) if fault else _recorded(flow, session, event.node, written)


def _clicked(flow: Flow, session: Session, event: Clicked) -> Stepped:
    helped = session.aside is not None and session.aside.kind == "help"
    if event.choice == UNKNOWN and not event.certain and not helped:
        _answerable(flow, session, event.node, event.choice)
        return _beside(session, "help", own=session.aside.own if session.aside else "")
    return _record(flow, session, event.node, event.choice)


def _answerable(flow: Flow, session: Session, node: str, choice: str) -> None:
    question = flow.question(node)
    if question is None:
        raise Refused("unknown_node")
    asked = asking(flow, session)
    if asked is None or asked.question.id != node:
        raise Refused("not_asked")
    if choice == NOT_CONCERNED and not question.na_allowed:
        raise Refused("na_refused")
    if not accepts(question, session, choice):
        raise Refused("unknown_choice")


def accepts(question: Question, session: Session, choice: str) -> bool:
    """Whether an answer may be this choice; of a live question, one of those that a room offered."""
    if isinstance(question, FormQuestion) and question.kind == "live":
        return choice in {offer.id for offer in session.offers}
    return question.accepts(choice)


def _record(flow: Flow, session: Session, node: str, choice: str) -> Stepped:
    _answerable(flow, session, node, choice)
    return _recorded(flow, session, node, choice)


def _recorded(flow: Flow, session: Session, node: str, choice: str) -> Stepped:
    said = AnswerRecorded(node, choice, session.answers.get(node, ""))
    own = session.aside.own if session.aside else ""
    changed = session.answers.get(node, choice) != choice
    kept = {each: words for each, words in session.words.items() if each != node or not (own or changed)}
    answered = replace(
        session,
        answers={**session.answers, node: choice},
        words={**kept, node: own} if own else kept,
        cursor=None,
        aside=None,
        unclear=0,
        place=Place(),
        after="question",
    )
    moved, facts = _move_on(flow, session, answered)
    return Stepped(moved, (said, *facts))


def _move_on(flow: Flow, before: Session, session: Session) -> tuple[Session, tuple[Fact, ...]]:
    """Where an answer leads: the next question to review, back to the answers, a result, or the next question."""
    if flow.form:
        return _move_on_in_form(flow, session)
    steps = path(flow, session)
    facts: list[Fact] = []
    answered = asking(flow, before)
    section = answered.section.id if answered else ""
    short_done = all(step.question.id in session.answers for step in steps if step.short)
    if short_done and not session.short_done:
        session = replace(session, short_done=True, place=Place("result"))
        facts.append(ShortPathDone())
    if not session.done and short_done and _all_themes_answered(flow, session):
        session = replace(session, done=True, place=Place("result"))
        facts.append(AutodiagDone())
    if facts:
        return replace(session, review=(), before=""), tuple(facts)

    on_path = {step.question.id for step in steps}
    review = tuple(node for node in before.review if node != before.cursor and node in on_path)
    if review:
        again = Aside("recheck", session.tutorials_done[-1])
        return replace(session, review=review, cursor=review[0], aside=again), ()
    if before.review:
        return replace(session, review=(), place=_rest(session), aside=Aside("before_after")), ()
    session = replace(session, before="")
    if before.after in ("answers", "result"):
        return replace(session, place=Place(before.after)), ()
    if current(flow, session) is None:
        closed = Aside("section_done", section if section in session.opened else "")
        return replace(session, place=Place("result"), aside=closed), ()
    same = (
        step.question.id for step in steps if step.section.id == section and step.question.id not in session.answers
    )
    return replace(session, cursor=next(same, None) if section in session.opened else None), ()


def _move_on_in_form(flow: Flow, session: Session) -> tuple[Session, tuple[Fact, ...]]:
    if current(flow, session):
        return session, ()
    return replace(session, place=Place("end")), (FormDone(flow.id, session.opened[-1], session.about),)


def _rest(session: Session) -> Place:
    """Where to be when nothing is under way: the result, once there is one."""
    return Place("result" if session.short_done else "question")


def _all_themes_answered(flow: Flow, session: Session) -> bool:
    themes = tuple(section.id for section in flow.sections if section.asks == "short")
    return all(step.question.id in session.answers for step in journey(flow, session.answers, themes))


def _beside(
    session: Session,
    kind: AsideKind,
    word: str = "",
    *,
    reading: Reading | None = None,
    own: str = "",
    tells: bool = False,
) -> Stepped:
    return Stepped(replace(session, aside=Aside(kind, word, reading, own, tells)), (Digressed(kind),))


def _go(session: Session, place: Place, *facts: Fact) -> Stepped:
    return Stepped(replace(session, place=place, aside=None), facts)


def _commanded(flow: Flow, session: Session, event: Commanded) -> Stepped:  # noqa: C901 — one arm a command
    match event.name:
        case "back":
            return _back(flow, session)
        case "edit":
            return _to_answers(session) if event.reading and not event.node else _edit(flow, session, event.node)
        case "pause":
            return Stepped(replace(session, paused=True, aside=None), () if session.paused else (Paused(),))
        case "resume" | "repeat":
            return _resume(flow, session)
        case "why":
            return _beside(session, "why" if asking(flow, session) else "commands")
        case "help":
            return _beside(session, "help" if asking(flow, session) else "commands")
        case "define":
            return _beside(session, "define" if event.word else "unknown_word", event.word)
        case "deepen":
            return _deepen(flow, session, event.node)
        case "restart" | "erase":
            return _go(session, Place("confirm", event.name))
        case "confirm":
            return _confirm(session)
        case "result":
            return _go(session, Place("result")) if session.short_done else _beside(session, "no_result_yet")
        case "answers":
            return _to_answers(session)
        case "actions" | "verify":
            return _beside(session, event.name, event.word) if session.short_done else _beside(session, "no_result_yet")
        case "tutorial":
            return _open_tutorial(flow, session, event.word)
        case "next":
            return _next(session)
        case "done":
            return _tutorial_done(flow, session, event.word or session.place.word)
        case "emergency":
            return _beside(session, event.name, event.word or ("asked" if event.reading else ""))
        case "book" | "human" | "quiet":
            return _beside(session, event.name)
        case "leave":
            return _resume(flow, session)


def _to_answers(session: Session) -> Stepped:
    return _go(replace(session, cursor=None, after="question", review=(), before=""), Place("answers"))


def _back(flow: Flow, session: Session) -> Stepped:
    place = session.place
    if place.kind == "tutorial":
        return _go(session, replace(place, step=place.step - 1) if place.step else _rest(session))
    if place.kind in ("confirm", "themes", "answers"):
        return _go(session, _rest(session))
    nodes = [step.question.id for step in path(flow, session)]
    here = current(flow, session if place.kind == "question" else replace(session, cursor=None))
    at = nodes.index(here.question.id) if here else len(nodes)
    if at == 0:
        return _beside(session, "first_question")
    return Stepped(
        replace(
            session, place=Place(), cursor=nodes[at - 1], aside=None, unclear=0, after="question", review=(), before=""
        )
    )


def _edit(flow: Flow, session: Session, node: str) -> Stepped:
    if flow.question(node) is None:
        raise Refused("unknown_node")
    if node not in session.answers or all(step.question.id != node for step in path(flow, session)):
        raise Refused("not_asked")
    after = session.place.kind if session.place.kind in ("answers", "result") else "question"
    return Stepped(
        replace(session, place=Place(), cursor=node, after=after, aside=None, unclear=0, review=(), before="")
    )


def _resume(flow: Flow, session: Session) -> Stepped:
    """Back to the question under way, or to the result when nothing is left to ask."""
    rested = replace(session, aside=None, unclear=0)
    if session.place.kind == "question" and current(flow, session):
        return Stepped(rested)
    there = replace(rested, cursor=None, after="question", review=(), before="")
    return _go(there, Place() if current(flow, there) else Place("result"))


def _deepen(flow: Flow, session: Session, node: str) -> Stepped:
    if not session.short_done:
        return _beside(session, "no_result_yet")
    sections = {section.id: section for section in openable(flow, session.answers)}
    if not node:
        return _go(session, Place("themes"))
    if node not in sections:
        raise Refused("unknown_node")
    if not remaining(flow, session.answers, sections[node]):
        return _beside(replace(session, place=Place("result")), "nothing_left", node)
    opened = (*(name for name in session.opened if name != node), node)
    ahead = replace(session, opened=opened, cursor=None, after="question", review=(), before="")
    first = remaining(flow, session.answers, sections[node])[0].question.id
    return _go(replace(ahead, cursor=first), Place(), SectionOpened(node))


def _confirm(session: Session) -> Stepped:
    if session.place.kind != "confirm":
        raise Refused("nothing_to_confirm")
    return Stepped(session, (), (EraseAll() if session.place.word == "erase" else StartOver(),))


def _open_tutorial(flow: Flow, session: Session, tutorial: str) -> Stepped:
    if all(length.id != tutorial for length in flow.questionnaire.tutorials):
        raise Refused("unknown_tutorial")
    return _go(session, Place("tutorial", tutorial))


def _next(session: Session) -> Stepped:
    if session.place.kind != "tutorial":
        raise Refused("unknown_tutorial")
    return _go(session, replace(session.place, step=session.place.step + 1))


def _tutorial_done(flow: Flow, session: Session, tutorial: str) -> Stepped:
    """Marks it done, then asks again the questions that it mends, to show honestly what has changed."""
    if all(length.id != tutorial for length in flow.questionnaire.tutorials):
        raise Refused("unknown_tutorial")
    done = (*(name for name in session.tutorials_done if name != tutorial), tutorial)
    marked = replace(session, tutorials_done=done, cursor=None, after="question")
    found = result(flow, session)
    review = tuple(step.question.id for step in path(flow, session) if _mended(step, session, tutorial))
    if not review or found.range is None:
        return _go(marked, _rest(session), TutorialDone(tutorial))
    asked = replace(marked, review=review, cursor=review[0], before=str(found.range.cautious))
    return Stepped(replace(asked, place=Place(), aside=Aside("recheck", tutorial)), (TutorialDone(tutorial),))


def _mended(step: Step, session: Session, tutorial: str) -> bool:
    question = step.question
    given = session.answers.get(question.id)
    if (
        not isinstance(question, ScoredQuestion)
        or given is None
        or given == NOT_CONCERNED
        or tutorial not in question.tutorials
    ):
        return False
    return given == UNKNOWN or Fraction(question.by_choice[given].note or 0) < 1
