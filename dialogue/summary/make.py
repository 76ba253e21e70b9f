"""Makes the summary: `summary(...)`. Everything comes in as a value; rooms and doors know where each is kept.

One rule: only answers that count are seen (`engine.counted`), so that what fell off the journey reaches no consultant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from dialogue.engine import begin, counted, result
from dialogue.events import Record
from dialogue.flow import Flow, Section, remaining
from dialogue.present import label_of, level_words, weakest_first
from dialogue.session import Session
from dialogue.summary.agenda import Topic, agenda
from dialogue.summary.past import better, changes
from dialogue.summary.value import Answered, Bar, Clash, Done, Open, Papers, Quote, Read, Summary, Tone, Visit
from dialogue.words import Words
from referential.model import Fact, Question, References, ScoredQuestion, Theme
from referential.rules import UNKNOWN
from referential.visit import Contradiction, Preparation
from scoring.score import RoomScore, Score, level, unit

WEAKEST = 2
"""How many of a theme's lowest answers are named."""


def summary(
    flow: Flow,
    session: Session | None,
    words: Words,
    preparation: Preparation,
    *,
    made_on: date,
    visit: Visit | None = None,
    own_words: Mapping[str, str] | None = None,
    records: Iterable[Record] = (),
    since: Read | None = None,
) -> Summary:
    """The summary of a firm. `session`: its Autodiag, or None for one that phoned.

    `own_words`: what the manager wrote, by question; `records`: the log of the conversation, oldest first; `since`: the
    summary read before, to mark what changed.
    """
    visit = visit or Visit()
    own_words = own_words or {}
    return _Firm(flow, session or begin(flow), words, since, own_words).summary(preparation, made_on, visit, records)


def read_of(flow: Flow, session: Session, own_words: Mapping[str, str], *, on: date) -> Read:
    """What a summary made now would be made from."""
    answers = counted(flow, session)
    own = {node: said for node, said in own_words.items() if node in answers and said.strip()}
    return Read(on, answers, own, session.tutorials_done)


class _Firm:
    """One firm's answers, and what changed in them, while its summary is made."""

    def __init__(
        self, flow: Flow, session: Session, words: Words, since: Read | None, own_words: Mapping[str, str]
    ) -> None:
        self.flow, self.session, self.words, self.since = flow, session, words, since
        self.book = flow.questionnaire
        self.answers = counted(flow, session)
        self.score = result(flow, session)
        self.moved = changes(flow, since, self.answers, words)
        self.changed = {change.node for change in self.moved}
        self.own = {node: said for node, said in own_words.items() if node in self.answers and said.strip()}

    def summary(self, preparation: Preparation, made_on: date, visit: Visit, records: Iterable[Record]) -> Summary:
        score, scale = self.score, self.book.scale
        clashes = tuple(self.clashes(preparation.contradictions))
        bars = tuple(
            self.bar(self.flow.section[theme.id], _room(score, theme.id)) for theme in weakest_first(self.flow, score)
        )
        branch = self.branch()
        topics = [self.topic(bar, clashes) for bar in (*bars, *([branch] if branch else []))]
        slots, left_out = agenda(preparation.agenda, topics, visit.minutes or preparation.agenda.minutes)
        order = [slot.room for slot in slots if slot.room] + [topic.bar.id for topic in topics]
        return Summary(
            visit=visit,
            made_on=made_on,
            since=self.since.on if self.since else None,
            told=any(node in self.book.home for node in self.answers),
            profile=tuple(self.answered(fact, self.answers[fact.id]) for fact in self.facts()),
            level=level_words(self.words, score),
            low=unit(score.range.cautious) if score.range else 0,
            high=unit(score.range.high) if score.range else 0,
            near=score.near,
            themes_scored=score.themes_scored,
            marks=(scale.middling_from, scale.satisfying_from),
            bars=bars,
            branch=branch,
            alerts=tuple(self.answered(self.asked(node), self.answers[node]) for node in score.alerts),
            clashes=clashes,
            unknown=self.unknown(bars),
            open=tuple(self.open(topics)),
            words=tuple(self.quotes()),
            tutorials=tuple(self.done()),
            better=better(self.flow, records, self.answers, self.words),
            changes=self.moved,
            papers=tuple(self.papers(preparation, order)),
            agenda=slots,
            left_out=left_out,
            read=read_of(self.flow, self.session, self.own, on=made_on),
        )

    def facts(self) -> Iterator[Fact]:
        return (fact for fact in self.book.profile if fact.id in self.answers)

    def asked(self, node: str) -> Question:
        return self.book.by_id[node]

    def room(self, node: str) -> str:
        home = self.book.home.get(node)
        return self.flow.section[home].title if home else self.flow.sections[0].title

    def answered(self, question: Question, choice: str) -> Answered:
        return Answered(
            node=question.id,
            room=self.room(question.id),
            text=question.text,
            answer=label_of(self.words, question, choice),
            references=question.references if isinstance(question, ScoredQuestion) else References(),
            changed=question.id in self.changed,
        )

    def bar(self, section: Section, room: RoomScore) -> Bar:
        mine = [question.id for question in section.questions if question.id in self.answers]
        content = next(each for each in self.book.rooms if each.id == section.id)
        return Bar(
            id=section.id,
            title=section.title,
            low=unit(room.range.cautious) if room.range else 0,
            high=unit(room.range.high) if room.range else 0,
            tone=self.tone(room),
            references=content.references
            if isinstance(content, Theme)
            else _together(*(each.references for each in content.questions)),
            answered=len(mine),
            unknown=sum(self.answers[node] == UNKNOWN for node in mine),
            unasked=len(remaining(self.flow, self.session.answers, section)),
            weakest=tuple(self.weakest(section)),
            changed=bool(self.changed & {question.id for question in section.questions}),
        )

    def tone(self, room: RoomScore) -> Tone:
        if room.range is None:
            return "not_scored"
        return "to_check" if room.status == "to_check" else level(self.book, room.range.cautious)

    def weakest(self, section: Section) -> Iterator[Answered]:
        """The lowest answers of a section under the upper threshold, the heaviest of equals first."""
        known = [
            (chosen.note, -question.weight, question, chosen.id)
            for question in section.questions
            if isinstance(question, ScoredQuestion)
            and (chosen := question.by_choice.get(self.answers.get(question.id, "")))
            and chosen.note is not None
            and 100 * chosen.note < self.book.scale.satisfying_from
        ]
        for _, _, question, choice in sorted(known, key=lambda each: each[:2])[:WEAKEST]:
            yield self.answered(question, choice)

    def branch(self) -> Bar | None:
        """The module of the firm's trade, answered or not."""
        trade = self.answers.get(self.book.profile[0].id, "")
        if not any(branch.id == trade for branch in self.book.branches):
            return None
        return self.bar(self.flow.section[trade], self.score.branch or RoomScore(trade, None, "not_scored"))

    def topic(self, bar: Bar, clashes: tuple[Clash, ...]) -> Topic:
        home = self.book.home
        return Topic(
            bar,
            alerts=sum(home[node] == bar.id for node in self.score.alerts),
            clashes=sum(any(home.get(each.node) == bar.id for each in clash.answers) for clash in clashes),
            weight=max(_weight(question) for question in self.flow.section[bar.id].questions),
        )

    def clashes(self, rules: Iterable[Contradiction]) -> Iterator[Clash]:
        value_of = self.book.value_of
        for each in rules:
            if each.rule.holds(self.answers, value_of) is not True:
                continue
            held = (mention.of for mention in each.rule.mentions() if mention.holds(self.answers, value_of) is True)
            nodes = tuple(dict.fromkeys(held))
            yield Clash(
                id=each.id,
                finding=each.finding,
                ask=each.ask,
                answers=tuple(self.answered(self.asked(node), self.answers[node]) for node in nodes),
                changed=bool(self.changed & set(nodes)),
            )

    def unknown(self, bars: tuple[Bar, ...]) -> tuple[Open, ...]:
        """What the manager did not know: the heaviest first, then as the bars come."""
        places = {bar.title: place for place, bar in enumerate(bars)}
        unsure = [self.asked(node) for node, given in self.answers.items() if given == UNKNOWN]
        unsure.sort(key=lambda each: (-_weight(each), places.get(self.room(each.id), len(places))))
        return tuple(self.unanswered(question) for question in unsure)

    def unanswered(self, question: Question) -> Open:
        return Open(
            node=question.id,
            room=self.room(question.id),
            text=question.text,
            how=question.help,
            recipient=question.recipient if isinstance(question, ScoredQuestion) else "soi",
            changed=question.id in self.changed,
        )

    def open(self, topics: Iterable[Topic]) -> Iterator[Open]:
        """What was never asked: the profile, then the themes and the module of which nothing is answered."""
        untouched = [self.flow.sections[0].id, *(topic.bar.id for topic in topics if not topic.bar.answered)]
        seen: set[str] = set()
        for name in untouched:
            section = self.flow.section[name]
            for step in remaining(self.flow, self.session.answers, section):
                if step.question.id not in seen:
                    seen.add(step.question.id)
                    yield self.unanswered(step.question)

    def quotes(self) -> Iterator[Quote]:
        before = self.since.words if self.since else self.own
        for node in (node for node in self.answers if node in self.own):
            said = self.own[node]
            yield Quote(node, self.asked(node).text, said, changed=before.get(node) != said)

    def done(self) -> Iterator[Done]:
        done = self.session.tutorials_done
        before = self.since.tutorials if self.since else done
        for name in dict.fromkeys(done):
            known = self.words.tutorials.get(name)
            if known:
                yield Done(name, known.title, changed=name not in before)

    def papers(self, preparation: Preparation, order: Iterable[str]) -> Iterator[Papers]:
        """Documents of the themes and of the firm's trade, in the order of the agenda."""
        for room in dict.fromkeys(order):
            texts = tuple(
                each.text
                for each in preparation.documents
                if each.room == room and each.rule.holds(self.answers, self.book.value_of) is not False
            )
            if texts:
                yield Papers(self.flow.section[room].title, texts)


def _room(score: Score, name: str) -> RoomScore:
    return next(room for room in score.themes if room.id == name)


def _weight(question: Question) -> int:
    return question.weight if isinstance(question, ScoredQuestion) else 0


def _together(*many: References) -> References:
    """Every measure named, once, in order."""
    return References(
        hyg=tuple(sorted({number for each in many for number in each.hyg})),
        tpe=tuple(sorted({number for each in many for number in each.tpe})),
        cpme=tuple(sorted({number for each in many for number in each.cpme})),
    )
