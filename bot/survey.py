"""`autodiag survey`: what managers say of the service, by branch from ten answers on, and their comments.

Read from the conversations still kept, so that an erasure takes an answer out. One rule: no count that fewer than ten
made, nor one that a subtraction would give; comments in alphabetical order, without branch, campaign or date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import Group
from rich.table import Table
from sqlalchemy import Connection, select

from bot.house import House
from dialogue import sessions
from dialogue.present import label_of
from referential.forms import FormQuestion
from store import conversations, tables

SURVEY = "survey"
ENOUGH = 10
"""Answers from which a count is shown."""
EVERYBODY = ""
"""The line of all branches together."""

Counts = Mapping[str, Counter[str]]
"""Answers to one question, by branch: how many of each choice."""


@dataclass(frozen=True)
class Opinions:
    """What may be shown. `counts`: by question, then by branch; `waiting`: answers not shown yet, by question."""

    counts: Mapping[str, Counts]
    waiting: Mapping[str, int]
    comments: tuple[str, ...] = field(repr=False)


def read(house: House, tx: Connection) -> Opinions:
    """Every answer given so far, opened, counted and let go. Reads only."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    comments: list[str] = []
    typed = {question.id for question in _questions(house) if question.typed}
    for branch, answers in _answers(house, tx):
        for node, given in answers.items():
            if node in typed:
                comments += [given] if given != "na" else []
            else:
                counts.setdefault(node, {}).setdefault(branch, Counter())[given] += 1
    shown = {node: showable(by_branch) for node, by_branch in counts.items()}
    left = {node: _many(counts[node]) - _many_shown(shown[node]) for node in counts}
    enough = any(shown.values())
    return Opinions(shown, left, tuple(sorted(comments, key=str.casefold)) if enough else ())


def showable(by_branch: Counts) -> Counts:
    """The branches with enough answers, and everybody where what is left out could not be worked out from it."""
    shown = {branch: counts for branch, counts in by_branch.items() if counts.total() >= ENOUGH}
    rest = _many(by_branch) - _many(shown)
    if _many(by_branch) >= ENOUGH and (rest == 0 or rest >= ENOUGH):
        return {EVERYBODY: sum(by_branch.values(), Counter()), **dict(sorted(shown.items()))}
    return dict(sorted(shown.items()))


def table(opinions: Opinions, house: House) -> Group:
    """What `autodiag survey` prints."""
    made = [_table(question, opinions, house) for question in _questions(house) if not question.typed]
    said = Table(title="Ce qu'ils ajoutent (ni branche, ni campagne, ni date)", title_justify="left", show_header=False)
    for comment in opinions.comments or ("Rien à montrer pour l'instant.",):
        said.add_row(comment)
    return Group(*made, said)


def _table(question: FormQuestion, opinions: Opinions, house: House) -> Table:
    made = Table(title=question.text, title_justify="left", caption_justify="left")
    choices = [*question.by_choice, *(["na"] if question.na_allowed else [])]
    made.add_column("Branche")
    for choice in choices:
        made.add_column(label_of(house.words, question, choice), justify="right")
    for branch, counts in opinions.counts.get(question.id, {}).items():
        made.add_row(_title(house, branch), *(str(counts[choice]) for choice in choices))
    waiting = opinions.waiting.get(question.id, 0)
    if waiting or not made.row_count:
        made.caption = f"Réponses en attente : {waiting}. Une ligne se montre à partir de {ENOUGH}."
    return made


def _answers(house: House, tx: Connection) -> Iterator[tuple[str, Mapping[str, str]]]:
    kept = tables.conversations
    names = tx.execute(
        select(kept.c.id).where(kept.c.trial.is_(False), kept.c.status.in_(("short_done", "done", "paused")))
    )
    for (name,) in names:
        loaded = conversations.load(tx, house.store.keyring, name, lock=False)
        if loaded is None:
            continue
        session = sessions.load(loaded.snapshot).others.get(SURVEY)
        if session is not None:
            asked = {question.id for question in _questions(house)}
            yield loaded.branch or "nsp", {node: said for node, said in session.answers.items() if node in asked}


def _questions(house: House) -> tuple[FormQuestion, ...]:
    form = house.content.forms[SURVEY].form
    return form.asked if form else ()


def _title(house: House, branch: str) -> str:
    if branch == EVERYBODY:
        return "Toutes"
    known = house.flow.questionnaire.profile[0].by_choice
    return known[branch].label if branch in known else "Métier non dit"


def _many(by_branch: Counts) -> int:
    return sum(counts.total() for counts in by_branch.values())


def _many_shown(shown: Counts) -> int:
    """Answers that the lines shown tell, each once."""
    return shown[EVERYBODY].total() if EVERYBODY in shown else _many(shown)
