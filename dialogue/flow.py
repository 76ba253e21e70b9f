"""A flow, and the journey through it.

A journey is the questions that apply, in the order in which they are asked, for the answers given. It is derived from
them and never stored: profile and short path first (one question a theme), then the sections opened, in their order. An
answer whose question is not on the journey is kept, and seen by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from referential.forms import Form
from referential.model import Branch, Fact, Question, Questionnaire, ScoredQuestion, Theme
from referential.rules import NOT_CONCERNED, Answers
from scoring.score import Score, score

AUTODIAG = "autodiag"
_REMEMBERED = 128
"""Answers whose journey is remembered: one turn asks for the same journey many times, and turns cross."""

Pairs = tuple[tuple[str, str], ...]
"""Answers as a value that can be looked up."""


@dataclass(frozen=True, eq=False)
class Section:
    """Questions that go together. `asks`: all; one first, the rest once opened (`short`); only once `opened`."""

    id: str
    title: str
    asks: Literal["all", "short", "opened"]
    questions: tuple[Question, ...]

    @cached_property
    def essential_first(self) -> tuple[ScoredQuestion, ...]:
        """The questions that count: the essential one, then by weight, the first of equals."""
        scored = [question for question in self.questions if isinstance(question, ScoredQuestion)]
        return tuple(sorted(scored, key=lambda each: (not each.essential, -each.weight)))


@dataclass(frozen=True, eq=False)
class Flow:
    """An immutable questionnaire: ordered sections, with an id, a version and a fingerprint of its content."""

    id: str
    content: Questionnaire | Form
    sections: tuple[Section, ...]

    @property
    def questionnaire(self) -> Questionnaire:
        """The content of the Autodiag, which has notes. Raises TypeError on any other flow."""
        if isinstance(self.content, Questionnaire):
            return self.content
        raise TypeError(f"the flow {self.id} has no notes")

    @property
    def form(self) -> Form | None:
        """The content of a small flow, or None for the Autodiag."""
        return self.content if isinstance(self.content, Form) else None

    @property
    def version(self) -> str:
        """The version that its editors gave to the content."""
        return self.content.version

    @property
    def fingerprint(self) -> str:
        """Digest of everything asked and of everything it is worth."""
        return self.content.fingerprint

    @cached_property
    def section(self) -> Mapping[str, Section]:
        """Sections by id."""
        return {section.id: section for section in self.sections}

    @cached_property
    def needed(self) -> Mapping[str, tuple[Fact, ...]]:
        """The facts to ask before a question, because its rule looks at them, by question."""

        def facts(question: Question) -> Iterator[Fact]:
            for mention in question.rule.mentions():
                found = self.question(mention.of)
                if isinstance(found, Fact) and found.asked == "needed":
                    yield found

        return {question.id: tuple(facts(question)) for question in self.content.questions()}

    @cached_property
    def walk(self) -> Callable[[Pairs, tuple[str, ...]], tuple[Step, ...]]:
        """`journey`, which remembers the last ones asked for."""
        return lru_cache(_REMEMBERED)(lambda answers, opened: tuple(_Walk(self, dict(answers)).steps(opened)))

    @cached_property
    def worth(self) -> Callable[[Pairs], Score]:
        """The score of answers that count, which remembers the last ones asked for: a result page asks many times."""
        return lru_cache(_REMEMBERED)(lambda answers: score(self.questionnaire, dict(answers)))

    def question(self, node: str) -> Question | None:
        """The question with this id, or None."""
        return self.content.by_id.get(node)


@dataclass(frozen=True, eq=False)
class Step:
    """One stop of a journey: a question, the section that it is asked for, and whether it is on the short path."""

    question: Question
    section: Section
    short: bool

    def __eq__(self, other: object) -> bool:
        """Whether it is the same stop, of the same flow."""
        return isinstance(other, Step) and self.question.id == other.question.id and self._for == other._for

    def __hash__(self) -> int:
        """As equality has it."""
        return hash((self.question.id, self._for))

    @property
    def _for(self) -> tuple[str, bool]:
        return self.section.id, self.short


def autodiag(questionnaire: Questionnaire) -> Flow:
    """The Autodiag as a flow: the profile, the 15 themes by their short path, the branch modules on demand."""

    def room(part: Theme | Branch, asks: Literal["short", "opened"]) -> Section:
        return Section(part.id, part.title, asks, part.questions)

    profile = Section("profile", "Vous et votre entreprise", "all", questionnaire.profile)
    themes = [room(theme, "short") for theme in questionnaire.themes]
    branches = [room(branch, "opened") for branch in questionnaire.branches]
    return Flow(AUTODIAG, questionnaire, (profile, *themes, *branches))


def small(form: Form) -> Flow:
    """A form as a flow: its sections are asked once opened, each question once."""
    by_id = {question.id: question for question in form.asked}
    sections = (
        Section(part.id, part.title, "opened", tuple(by_id[name] for name in part.questions)) for part in form.sections
    )
    return Flow(form.id, form, tuple(sections))


def journey(flow: Flow, answers: Answers, opened: Sequence[str] = ()) -> tuple[Step, ...]:
    """The steps that apply, in order, for these answers; `opened` names the sections asked in full, in order."""
    return flow.walk(tuple(answers.items()), tuple(opened))


def standing(flow: Flow, answers: Answers, steps: Sequence[Step]) -> dict[str, str]:
    """The answers that count: those on the journey, and the facts that somebody else gave."""
    given = {fact.id: answers[fact.id] for fact in flow.content.profile if fact.asked == "never" and fact.id in answers}
    return given | {step.question.id: answers[step.question.id] for step in steps if step.question.id in answers}


def openable(flow: Flow, answers: Answers) -> tuple[Section, ...]:
    """The sections that may be opened: of the Autodiag, every theme and the module of the manager's own branch."""
    if flow.form:
        return flow.sections
    trade = answers.get(flow.questionnaire.profile[0].id)
    return tuple(
        section
        for section in flow.sections
        if section.asks == "short" or (section.asks == "opened" and section.id == trade)
    )


def remaining(flow: Flow, answers: Answers, section: Section) -> tuple[Step, ...]:
    """The steps of this section that would still be asked if it were opened now."""
    return tuple(
        step
        for step in journey(flow, answers, (section.id,))
        if step.section.id == section.id and step.question.id not in answers
    )


class _Walk:
    """One walk from the start. `seen` holds the answers met so far: all that a rule may look at."""

    def __init__(self, flow: Flow, answers: Answers) -> None:
        self.flow = flow
        self.answers = answers
        self.on_path: set[str] = set()
        self.seen = {
            fact.id: answers[fact.id] for fact in flow.content.profile if fact.asked == "never" and fact.id in answers
        }

    def steps(self, opened: Sequence[str]) -> Iterator[Step]:
        for section in self.flow.sections:
            if section.asks == "all":
                yield from self.whole(section)
            elif section.asks == "short":
                yield from self.short(section)
        allowed = {section.id for section in openable(self.flow, self.answers)}
        for name in opened:
            if name in allowed:
                yield from self.whole(self.flow.section[name])

    def whole(self, section: Section) -> Iterator[Step]:
        for question in section.questions:
            if not isinstance(question, Fact) or question.asked == "start":
                yield from self.stop(question, section, short=section.asks == "all")

    def short(self, section: Section) -> Iterator[Step]:
        """The essential question; where it does not apply, the heaviest that does, the first of equals."""
        for question in section.essential_first:
            stops = tuple(self.stop(question, section, short=True))
            yield from stops
            asked = any(step.question.id == question.id for step in stops)
            if asked and self.answers.get(question.id) != NOT_CONCERNED:
                return

    def stop(self, question: Question, section: Section, *, short: bool) -> Iterator[Step]:
        """The question, if it applies and is not on the path yet, after the facts that its rule needs."""
        if question.id in self.on_path:
            return
        for fact in self.flow.needed[question.id]:
            yield from self.stop(fact, section, short=short)
        if self.flow.content.holds(question, self.seen) is not False:
            self.on_path.add(question.id)
            if question.id in self.answers:
                self.seen[question.id] = self.answers[question.id]
            yield Step(question, section, short)
