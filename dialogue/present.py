"""The present turn: what a door shows for a session, derived from it and from nothing else.

A door that lost its answer asks for the present turn again and gets the same one. `question` is what is asked,
`buttons` are commands, `messages` are read before both. Doors lay out, they never reword.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dialogue.engine import asking, counted, path, result
from dialogue.events import Command
from dialogue.flow import AUTODIAG, Flow, Section, Step, openable, remaining
from dialogue.session import Aside, Session
from dialogue.words import Words
from referential.model import Choice, Question, ScoredQuestion, Theme
from referential.rules import NOT_CONCERNED, UNKNOWN
from scoring.score import Action, Score, unit

Status = Literal["active", "paused", "short_done", "done"]
SECONDS_A_QUESTION = 20
"""Time to read and answer a question; gives the minutes left, rounded up."""


@dataclass(frozen=True)
class Message:
    """Something said. `kind`: the aside, place or remark that it comes from, for a door's layout."""

    kind: str
    text: str


@dataclass(frozen=True)
class Progress:
    """How far: `done` of `total` themes on the short path, or questions of the section opened."""

    done: int
    total: int


@dataclass(frozen=True)
class Option:
    """One answer on offer: its choice id (or `nsp`, `na`) and its label."""

    id: str
    label: str


@dataclass(frozen=True)
class Asked:
    """The question under way. `previous`: the answer already given to it, or empty; `title`: its theme; `typed`: what
    sort of words it asks for (text, phone, email, siret, number), or empty where one presses; `proposed`: the choice
    understood from a typed text, first of `choices` and worded as a yes, or empty.
    """

    node: str
    section: str
    title: str
    text: str
    why: str
    choices: tuple[Option, ...]
    progress: Progress
    previous: str
    typed: str = ""
    proposed: str = ""


@dataclass(frozen=True)
class Button:
    """A command on offer, with its label."""

    label: str
    name: Command
    node: str = ""
    word: str = ""


@dataclass(frozen=True)
class Turn:
    """Everything that a door shows now. `flow`: the one in front; `beside`: a question asked under the result."""

    status: Status
    place: str
    messages: tuple[Message, ...]
    question: Asked | None
    buttons: tuple[Button, ...]
    flow: str = AUTODIAG
    beside: Asked | None = None


@dataclass(frozen=True)
class Exchange:
    """One question answered: what was asked, what was said, and what the bot remarked after it (may be empty)."""

    node: str
    title: str
    text: str
    choice: str
    label: str
    remark: str


def status(flow: Flow, session: Session) -> Status:
    """Where the conversation stands, as SQL and the API say it."""
    if session.paused:
        return "paused"
    if session.done:
        return "done"
    return "short_done" if session.short_done else "active"


def present(flow: Flow, session: Session, words: Words) -> Turn:
    """The present turn of this session."""
    step = asking(flow, session)
    return Turn(
        status=status(flow, session),
        place=session.place.kind,
        messages=tuple(_messages(flow, session, words, step)),
        question=_asked(flow, session, words, step) if step and not session.paused else None,
        buttons=tuple(_buttons(flow, session, words, step)),
    )


def past(flow: Flow, session: Session, words: Words) -> tuple[Exchange, ...]:
    """Every answer that counts, in the order of the journey."""
    steps = path(flow, session)
    answered = [step for step in steps if step.question.id in session.answers]
    return tuple(
        Exchange(
            node=step.question.id,
            title=step.section.title,
            text=step.question.text,
            choice=session.answers[step.question.id],
            label=label_of(words, step.question, session.answers[step.question.id]),
            remark=_remark(flow, session, words, step) if _ends_section(steps, step) else "",
        )
        for step in answered
    )


def label_of(words: Words, question: Question, choice: str) -> str:
    """What the manager reads for an answer."""
    if choice == UNKNOWN:
        return words.label("unknown")
    if choice == NOT_CONCERNED:
        return question.na_label or words.label("not_concerned")
    chosen = question.by_choice.get(choice)
    return chosen.label if chosen else choice


def questions_left(flow: Flow, session: Session) -> int:
    """How many questions of the journey wait for an answer."""
    return sum(step.question.id not in session.answers for step in path(flow, session))


def minutes_left(flow: Flow, session: Session) -> int:
    """Minutes that the questions left take, rounded up."""
    return -(-questions_left(flow, session) * SECONDS_A_QUESTION // 60)


def level_words(words: Words, score: Score) -> str:
    """The level as a manager reads it."""
    return words.say("level", score=score)


def action_words(words: Words, action: Action) -> str:
    """One action as a line to read."""
    if action.tutorial:
        return words.say("action_tutorial", tutorial=words.tutorials[action.tutorial])
    return words.say("action_verify", recipient=action.verify, count=len(action.questions), minutes=action.minutes)


def outside_visit(flow: Flow, session: Session) -> bool:
    """Whether an answer of the profile puts the firm outside the visit programme."""
    answers = counted(flow, session)
    chosen = (_choice(fact, answers.get(fact.id)) for fact in flow.questionnaire.profile)
    return any(choice.outside_visit for choice in chosen if choice)


def weakest_first(flow: Flow, score: Score) -> tuple[Theme, ...]:
    """The themes, lowest cautious note first, at equal notes the better known first, those not scored last."""
    notes = {theme.id: (theme.range.cautious, theme.range.high) for theme in score.themes if theme.range}
    return tuple(
        sorted(flow.questionnaire.themes, key=lambda theme: (theme.id not in notes, notes.get(theme.id, (0, 0))))
    )


def deeper(flow: Flow, session: Session) -> tuple[Section, ...]:
    """The sections that still hold questions: the branch module first, then the weakest themes."""
    answers = counted(flow, session)
    ranks = {theme.id: place for place, theme in enumerate(weakest_first(flow, result(flow, session)))}
    waiting = [section for section in openable(flow, answers) if remaining(flow, session.answers, section)]
    return tuple(sorted(waiting, key=lambda section: ranks.get(section.id, -1)))


def _choice(question: Question, given: str | None) -> Choice | None:
    return question.by_choice.get(given) if given else None


def _asked(flow: Flow, session: Session, words: Words, step: Step) -> Asked:
    question = step.question
    options = [Option(choice.id, choice.label) for choice in question.choices]
    if question.na_allowed:
        options.append(Option(NOT_CONCERNED, question.na_label or words.label("not_concerned")))
    sure = session.aside is not None and session.aside.kind == "help"
    options.append(Option(UNKNOWN, words.label("unknown_still" if sure else "unknown")))
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
        progress=_progress(flow, session, step),
        previous=session.answers.get(question.id, ""),
        proposed=proposed,
    )


def offered(options: Sequence[Option], candidates: Sequence[str], proposed: str, words: Words) -> list[Option]:
    """The options in the order of what was understood, the one to confirm first and worded as a yes."""
    known = {option.id: option for option in options}
    order = [choice for choice in dict.fromkeys((proposed, *candidates, *known)) if choice in known]
    yes = words.label("understood")
    return [Option(each, yes) if each == proposed else known[each] for each in order]


def _progress(flow: Flow, session: Session, step: Step) -> Progress:
    """Themes settled of the 15 on the short path, then questions of the section: totals that never grow."""
    steps = path(flow, session)
    if step.short:
        themes = [section for section in flow.sections if section.asks == "short"]
        ahead = {each.section.id for each in steps[steps.index(step) :] if each.short}
        return Progress(sum(theme.id not in ahead for theme in themes) if step.section in themes else 0, len(themes))
    mine = [each for each in steps if each.section.id == step.section.id and not each.short]
    return Progress(mine.index(step), len(mine))


def _ends_section(steps: Sequence[Step], step: Step) -> bool:
    at = steps.index(step)
    return at + 1 == len(steps) or steps[at + 1].section.id != step.section.id


def _remark(flow: Flow, session: Session, words: Words, step: Step) -> str:
    """What the bot says after this answer, at the end of its section."""
    question, given = step.question, session.answers[step.question.id]
    theme = next((theme for theme in flow.questionnaire.themes if theme.id == step.section.id), None)
    if theme is None or not isinstance(question, ScoredQuestion) or given == NOT_CONCERNED:
        return ""
    if given == UNKNOWN:
        return theme.remarks.unknown
    note = 100 * Fraction(question.by_choice[given].note or 0)
    scale = flow.questionnaire.scale
    if note >= scale.satisfying_from:
        return theme.remarks.good
    return theme.remarks.middling if note >= scale.middling_from else theme.remarks.weak


def _said_since(flow: Flow, session: Session, words: Words, step: Step) -> list[Message]:
    """What follows from the answer just given, when the manager moves forward."""
    steps = path(flow, session)
    at = steps.index(step)
    if at == 0 or session.cursor or steps[at - 1].question.id not in session.answers:
        return []
    last = steps[at - 1]
    chosen = _choice(last.question, session.answers[last.question.id])
    if chosen and chosen.outside_visit:
        return [Message("outside_visit", words.say("outside_visit"))]
    remark = _remark(flow, session, words, last) if _ends_section(steps, last) else ""
    return [Message("remark", remark)] if remark else []


def _story(flow: Flow, session: Session, step: Step) -> list[Message]:
    """The story that opens a branch module, until its first answer."""
    branch = next((branch for branch in flow.questionnaire.branches if branch.id == step.section.id), None)
    begun = any(question.id in session.answers for question in step.section.questions)
    return [Message("story", branch.story)] if branch and branch.story and not begun else []


def _messages(flow: Flow, session: Session, words: Words, step: Step | None) -> list[Message]:
    if session.paused:
        left, minutes = questions_left(flow, session), minutes_left(flow, session)
        return [Message("paused", words.say("paused", left=left, minutes=minutes))]
    said = [*_said_since(flow, session, words, step), *_story(flow, session, step)] if step else []
    match session.place.kind:
        case "result":
            said.append(Message("result", _result(flow, session, words)))
        case "answers":
            said.append(Message("answers", words.say("answers", past=past(flow, session, words))))
        case "themes":
            said.append(Message("themes", words.say("themes", any_left=bool(deeper(flow, session)))))
        case "confirm":
            said.append(Message("confirm", words.say(f"confirm_{session.place.word}")))
        case "tutorial":
            tutorial = words.tutorials[session.place.word]
            said.append(Message("tutorial", words.say("tutorial", tutorial=tutorial, step=session.place.step)))
        case "question" | "end":
            pass
    if session.aside:
        said.append(Message(session.aside.kind, _aside(flow, session, words, step, session.aside)))
        said += beside_reading(session.aside, words)
    return said


def beside_reading(aside: Aside, words: Words) -> list[Message]:
    """What else is said about a typed text: that a secret was not kept, that the manager's words will be."""
    secret = [Message("secret", words.say("secret"))] if aside.reading and aside.reading.secret else []
    return [*secret, Message("own_words", words.say("own_words"))] if aside.tells else secret


def _result(flow: Flow, session: Session, words: Words) -> str:
    score = result(flow, session)
    shown = score.actions[: flow.questionnaire.scale.shown]
    return words.say(
        "result",
        score=score,
        level=level_words(words, score),
        alerts=[flow.question(node) for node in score.alerts],
        actions=[action_words(words, action) for action in shown],
    )


def _aside(  # noqa: C901 — one arm a kind
    flow: Flow, session: Session, words: Words, step: Step | None, aside: Aside
) -> str:
    kind, word = aside.kind, aside.word
    question = step.question if step else None
    match kind:
        case "why" | "help":
            return words.say(kind, question=question) if question else words.say("commands")
        case "define":
            term = words.term(word)
            return words.say("define", term=term) if term else words.say("unknown_word", word=word)
        case "unknown_word":
            return words.say("unknown_word", word="")
        case "unclear" | "understood":
            return read_back(words, question, session, aside)
        case "emergency":
            return words.say("emergency", ongoing=word)
        case "no_result_yet":
            return words.say("no_result_yet", left=questions_left(flow, session))
        case "nothing_left" | "section_done":
            section = flow.section.get(word)
            return words.say(kind, title=section.title if section else "")
        case "recheck":
            return words.say("recheck", tutorial=words.tutorials[word], left=len(session.review))
        case "before_after":
            before, after = before_and_after(flow, session)
            return words.say("before_after", before=before, after=after)
        case "actions":
            found = result(flow, session).actions[flow.questionnaire.scale.shown :]
            return words.say("more_actions", actions=[action_words(words, action) for action in found])
        case "verify":
            return "\n\n".join(verify_messages(flow, session, words).values()) or words.say("nothing_to_verify")
        case "book":
            return words.say("book", outside=outside_visit(flow, session))
        case "bad_text":
            return words.say("bad_text", fault=word, longest=0)
        case "reach":
            left, minutes = questions_left(flow, session), minutes_left(flow, session)
            return words.say("reach_unfinished", left=left, minutes=minutes)
        case "told":
            return words.say(word, **session.values)
        case "human" | "commands" | "first_question" | "quiet" | "thanks":
            return words.say(kind)


def read_back(words: Words, question: Question | None, session: Session, aside: Aside) -> str:
    """What was understood of a typed text, to confirm; or the next way of asking, never the same twice running."""
    reading = aside.reading
    labels = (
        [label_of(words, question, choice) for choice in reading.candidates if choice not in (UNKNOWN, NOT_CONCERNED)]
        if question and reading
        else []
    )
    if aside.kind == "understood" and question and reading:
        stronger = label_of(words, question, reading.stronger) if reading.stronger else ""
        return words.say("understood", label=label_of(words, question, reading.choice), stronger=stronger)
    forward = ""
    if reading and reading.reason == "someone_else" and isinstance(question, ScoredQuestion):
        forward = words.message_to(question.recipient, [question])
    return words.say(
        "unclear",
        question=question,
        count=session.unclear,
        reason=reading.reason if reading else "",
        labels=labels,
        forward=forward,
    )


def before_and_after(flow: Flow, session: Session) -> tuple[int, int]:
    """The cautious note, out of 100, when the last tutorial was said done, and now."""
    now = result(flow, session).range
    before = unit(Fraction(session.before or 0))
    return before, unit(now.cautious) if now else before


def verify_messages(flow: Flow, session: Session, words: Words) -> dict[str, str]:
    """The message to forward, by recipient, for every question left unknown that is on the journey."""
    answers = counted(flow, session)
    asked: dict[str, list[ScoredQuestion]] = {}
    for node, given in answers.items():
        question = flow.question(node)
        if given == UNKNOWN and isinstance(question, ScoredQuestion):
            asked.setdefault(question.recipient, []).append(question)
    return {recipient: words.message_to(recipient, questions) for recipient, questions in asked.items()}


def _buttons(flow: Flow, session: Session, words: Words, step: Step | None) -> list[Button]:
    def button(name: Command, label: str = "", node: str = "", word: str = "", **values: object) -> Button:
        return Button(words.label(label or name, **values), name, node, word)

    human, emergency = button("human"), button("emergency")
    if session.paused:
        reading = session.place.kind == "tutorial"
        return [button("resume", "resume_tutorial" if reading else "resume"), human, emergency]
    match session.place.kind:
        case "question":
            done = [button("result")] if session.short_done else []
            reached = [button("quiet")] if session.aside and session.aside.kind == "reach" else []
            if session.aside and session.aside.kind == "emergency" and session.aside.word == "asked":
                reached = [button("emergency", "emergency_now", word="now"), button("resume", "emergency_over")]
            return [
                button("why"),
                button("help"),
                button("back"),
                button("answers"),
                *done,
                button("pause"),
                *reached,
                human,
                emergency,
            ]
        case "confirm":
            return [button("confirm", f"confirm_{session.place.word}"), button("back", "cancel")]
        case "tutorial":
            return _tutorial_buttons(session, words)
        case "answers":
            edits = [
                Button(f"{words.label('edit')} : {each.text}", "edit", each.node) for each in past(flow, session, words)
            ]
            return [button("resume"), *edits, button("restart"), button("erase")]
        case "themes":
            return [*(_deepen(words, section) for section in deeper(flow, session)), button("result")]
        case _:
            return [*_result_buttons(flow, session, words), human, emergency]


def _tutorial_buttons(session: Session, words: Words) -> list[Button]:
    steps = len(words.tutorials[session.place.word].steps)
    here = session.place
    ahead = (
        [Button(words.label("next"), "next")]
        if here.step < steps
        else [Button(words.label("done"), "done", word=here.word)]
    )
    behind = [Button(words.label("previous"), "back")] if here.step else []
    return [*ahead, *behind, Button(words.label("later"), "resume")]


def _deepen(words: Words, section: Section) -> Button:
    label = "deepen_branch" if section.asks == "opened" else "deepen_one"
    return Button(words.label(label, title=section.title), "deepen", section.id)


def _result_buttons(flow: Flow, session: Session, words: Words) -> list[Button]:
    score = result(flow, session)
    shown = flow.questionnaire.scale.shown
    tutorials = [words.tutorials[action.tutorial] for action in score.actions[:shown] if action.tutorial]
    found = [
        Button(words.label("tutorial", title=each.title, minutes=each.minutes), "tutorial", word=each.id)
        for each in tutorials
    ]
    if len(score.actions) > shown:
        found.append(Button(words.label("actions"), "actions"))
    if any(action.verify for action in score.actions):
        found.append(Button(words.label("verify"), "verify"))
    waiting = deeper(flow, session)
    if questions_left(flow, session):
        found.append(Button(words.label("resume"), "resume"))
    if waiting:
        found += [_deepen(words, waiting[0]), Button(words.label("themes"), "deepen")]
    return [*found, Button(words.label("book"), "book"), Button(words.label("answers"), "answers")]
