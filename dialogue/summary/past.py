"""What moved: answers that became better after the first result, and what differs from the summary read before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dialogue.events import AnswerRecorded, Record, ShortPathDone
from dialogue.flow import Flow
from dialogue.present import label_of
from dialogue.summary.value import Better, Change, Read
from dialogue.words import Words
from referential.model import Question, ScoredQuestion
from referential.rules import Answers


def better(flow: Flow, records: Iterable[Record], answers: Answers, words: Words) -> tuple[Better, ...]:
    """The answers that count more than they did at the first result, or when first given if that was after.

    An answer corrected before any result was a slip, and an unknown made known is no repair: neither is told.
    """
    return tuple(
        Better(
            node=node,
            room=flow.section[flow.questionnaire.home[node]].title,
            text=question.text,
            before=label_of(words, question, before),
            after=label_of(words, question, answers[node]),
        )
        for node, before in _first_result(records).items()
        if isinstance(question := flow.question(node), ScoredQuestion) and _worse(question, before, answers.get(node))
    )


def changes(flow: Flow, since: Read | None, answers: Answers, words: Words) -> tuple[Change, ...]:
    """Every answer that is new, other, or no longer counts."""
    if since is None:
        return ()
    nodes = [*answers, *(node for node in since.answers if node not in answers)]
    return tuple(
        Change(
            node=node,
            text=question.text,
            before=_label(words, question, since.answers.get(node)),
            after=_label(words, question, answers.get(node)),
        )
        for node in nodes
        if answers.get(node) != since.answers.get(node) and (question := flow.question(node))
    )


def _first_result(records: Iterable[Record]) -> Mapping[str, str]:
    """Each question's answer at the first result, or the first one given after it, since the last new start."""
    kept: dict[str, str] = {}
    shown = False
    for fact in (fact for record in records for fact in record.facts):
        match fact:
            case ShortPathDone():
                shown = True
            case AnswerRecorded():
                if not fact.previous and fact.node in kept:
                    kept, shown = {}, False
                if not shown or not fact.previous:
                    kept[fact.node] = fact.choice
    return kept


def _worse(question: ScoredQuestion, before: str, after: str | None) -> bool:
    """Whether both answers have a note, and the first one's is lower."""
    notes = [question.by_choice[choice].note for choice in (before, after) if choice in question.by_choice]
    return len(notes) == 2 and (notes[0] or 0) < (notes[1] or 0)


def _label(words: Words, question: Question, choice: str | None) -> str:
    return label_of(words, question, choice) if choice else ""
