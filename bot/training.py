"""Trains the model of typed French: `python -m bot.training OUT`, a process apart, from referential/sayings/ alone.

Ridge regression in its dual form, one voice left out in turn to learn how far each score may be believed: what decides
is weighed on voices that it has not seen. Takes seconds; scipy is imported here and nowhere else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from bot.content import load_content
from dialogue.understanding import gate
from dialogue.understanding.features import SIZE, Ids, Weights, features, ideas
from dialogue.understanding.kinds import kind_features
from dialogue.understanding.model import Asked, Intents, Model, dump
from dialogue.understanding.plain import Said, Spelling, heard
from dialogue.understanding.reading import hear
from referential import spoken
from referential.model import Question
from referential.rules import NOT_CONCERNED, UNKNOWN
from referential.spoken import Sayings

RIDGE, KIND_RIDGE = 0.15, 1.0
ANSWERS_KEPT = 3
"""One answer in so many teaches what kind of thing an answer is; all of them teach the choices."""
_WEIGHTS = {"answer": 0.6, "emergency": 1.5}
_FOREIGN = 2
"""Questions against which each sentence that is no answer is tried, when judging is learned."""
_AS_ANSWERS = frozenset(("not_emergency",))

Line = tuple[Ids, Weights]
Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """One sentence to learn from, as features."""

    said: Said
    line: Line
    meant: str
    voice: str


def train(sayings: Sayings, questions: Mapping[str, Question]) -> tuple[Model, frozenset[str]]:
    """The model, and the words that need no mending."""
    plainly = Spelling(sayings.spelling)
    texts = [each.text for each in sayings.utterances]
    labels = [text for question in questions.values() for text, _ in _labels(question)]
    said = [heard(text, plainly) for text in texts]
    known = _known([*said, *(heard(text, plainly) for text in labels)], sayings)
    lexicon = ideas(sayings.concepts)
    raw = [features(each, lexicon) for each in said]
    counted = np.bincount(np.concatenate([ids for ids, _ in raw]), minlength=SIZE)
    rarity = np.sqrt(np.minimum(np.log((1 + len(raw)) / (1 + counted)) + 1, 7)).astype(np.float16)
    model = Model(Spelling(sayings.spelling, known), lexicon, rarity)
    lines = [model.seen(each) for each in said]
    lessons = [
        Lesson(each, line, one.meant, one.voice)
        for each, line, one in zip(said, lines, sayings.utterances, strict=True)
    ]
    by_node: dict[str, list[Lesson]] = {}
    kinds: list[Lesson] = []
    for at, (one, lesson) in enumerate(zip(sayings.utterances, lessons, strict=True)):
        if one.node in questions:
            by_node.setdefault(one.node, []).append(lesson)
        if not one.node or (at % ANSWERS_KEPT == 0 and one.meant != UNKNOWN):
            meant = "answer" if one.node or one.meant in _AS_ANSWERS else one.meant
            kinds.append(replace(lesson, meant=meant, line=kind_features(lesson.said, *lesson.line)))
        elif one.meant == UNKNOWN:
            kinds.append(replace(lesson, meant="nsp", line=kind_features(lesson.said, *lesson.line)))
    voices = sorted({one.voice for one in sayings.utterances if one.node})
    held = _Kinds(kinds)
    whole = replace(
        model,
        intents=held.fitted(),
        questions={node: _asked(model, questions[node], mine) for node, mine in by_node.items()},
    )
    return _judged(whole, held, questions, by_node, kinds, voices), known


def _labels(question: Question) -> list[tuple[str, str]]:
    labels = [(choice.label, choice.id) for choice in question.choices]
    return [*labels, (question.na_label, NOT_CONCERNED)] if question.na_allowed and question.na_label else labels


def _known(said: Sequence[Said], sayings: Sayings) -> frozenset[str]:
    """Words met at least twice, or in the lexicon: what a slip is mended to."""
    met: dict[str, int] = {}
    for each in said:
        for word in set(each.words):
            met[word] = met.get(word, 0) + 1
    listed = {
        word for words in sayings.concepts.values() for entry in words for word in str(entry).split() if "*" not in word
    }
    return frozenset({word for word, many in met.items() if many > 1} | listed)


def _asked(model: Model, question: Question, lessons: Sequence[Lesson]) -> Asked:
    """One question's part: ridge regression on its examples and its labels."""
    choices = (*question.by_choice, UNKNOWN, *((NOT_CONCERNED,) if question.na_allowed else ()))
    named = [(model.seen(heard(text, model.spelling)), choice) for text, choice in _labels(question)]
    lines = [lesson.line for lesson in lessons] + [line for line, _ in named]
    meant = [lesson.meant for lesson in lessons] + [choice for _, choice in named]
    used = np.unique(np.concatenate([ids for ids, _ in lines]))
    rows = np.zeros((len(lines), len(used)), np.float32)
    for row, (ids, weights) in zip(rows, lines, strict=True):
        row[np.searchsorted(used, ids)] = weights
    target = np.zeros((len(lines), len(choices)))
    target[np.arange(len(lines)), [choices.index(choice) for choice in meant]] = 1
    bias = target.mean(0)
    kernel = rows @ rows.T
    table = rows.T @ np.linalg.solve(kernel + RIDGE * np.eye(len(lines)), target - bias)
    full = [np.flatnonzero(row) for row in rows]
    return Asked(
        choices,
        used.astype(np.int32),
        table.astype(np.float16),
        bias.astype(np.float32),
        np.cumsum([0, *(len(each) for each in full[:-1])]).astype(np.int32),
        np.concatenate(full).astype(np.uint16),
        np.concatenate([row[each] for row, each in zip(rows, full, strict=True)]).astype(np.float16),
        np.array([choices.index(choice) for choice in meant], np.int16),
    )


class _Kinds:
    """Ridge regression over kinds, in its dual form: leaving a voice out costs one small system."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self.lessons = lessons
        self.kinds = tuple(sorted({lesson.meant for lesson in lessons}))
        used = np.unique(np.concatenate([lesson.line[0] for lesson in lessons]))
        self.used = used.astype(np.int32)
        ends = np.cumsum([0, *(len(lesson.line[0]) for lesson in lessons)])
        places = np.searchsorted(used, np.concatenate([lesson.line[0] for lesson in lessons]))
        held = np.concatenate([lesson.line[1] for lesson in lessons]).astype(np.float64)
        self.rows = csr_matrix((held, places, ends), shape=(len(lessons), len(used)))
        kernel = (self.rows @ self.rows.T).toarray()
        weight = np.array([_WEIGHTS.get(lesson.meant, 1.0) for lesson in lessons])
        self.inverse = np.linalg.inv(kernel + np.diag(KIND_RIDGE / weight))
        self.target = np.zeros((len(lessons), len(self.kinds)))
        self.target[np.arange(len(lessons)), [self.kinds.index(lesson.meant) for lesson in lessons]] = 1
        self.alpha = self.inverse @ self.target

    def fitted(self) -> Intents:
        """All of it."""
        return self.of(self.alpha)

    def without(self, voice: str) -> Intents:
        """As if this voice had never been heard."""
        out = np.array([lesson.voice == voice for lesson in self.lessons])
        if not out.any():
            return self.fitted()
        alpha = self.alpha.copy()
        lost = np.linalg.solve(self.inverse[np.ix_(out, out)], self.alpha[out])
        alpha -= self.inverse[:, out] @ lost
        alpha[out] = 0
        return self.of(alpha)

    def of(self, alpha: Table) -> Intents:
        """These weights of lessons as weights of features."""
        return Intents(self.kinds, self.used, np.asarray(self.rows.T @ alpha).astype(np.float16))


def _judged(
    whole: Model,
    kinds: _Kinds,
    questions: Mapping[str, Question],
    by_node: Mapping[str, Sequence[Lesson]],
    others: Sequence[Lesson],
    voices: Sequence[str],
) -> Model:
    """The few weights that turn scores into chances, learned from each voice heard by a model that never met it."""
    ranked: list[tuple[Table, int]] = []
    judged: list[tuple[Table, float]] = []
    nodes = sorted(by_node)
    for voice in voices:
        without = replace(
            whole,
            intents=kinds.without(voice),
            questions={
                node: _asked(whole, questions[node], [each for each in mine if each.voice != voice])
                for node, mine in by_node.items()
            },
        )
        for node in nodes:
            for lesson in by_node[node]:
                if lesson.voice == voice:
                    got = hear(without, questions[node], lesson.said, lesson.line)
                    ranked.append((gate.ranking(got), list(got.choices).index(lesson.meant)))
                    judged.append((gate.judging(got), 1.0))
        for at, lesson in enumerate(others):
            if lesson.voice == voice and lesson.meant not in ("answer", "yes", "no", "partly"):
                for turn in range(_FOREIGN):
                    node = nodes[(at * 7 + turn * 31) % len(nodes)]
                    got = hear(without, questions[node], lesson.said)
                    judged.append((gate.judging(got), float(lesson.meant in (UNKNOWN, "na"))))
    return replace(whole, ranking=_ranking(ranked), judging=_judging(judged))


def _ranking(examples: Sequence[tuple[Table, int]]) -> dict[str, float]:
    most = max(len(columns) for columns, _ in examples)
    padded = np.zeros((len(examples), most, len(gate.RANKING)))
    absent = np.full((len(examples), most), -1e9)
    for at, (columns, _) in enumerate(examples):
        padded[at, : len(columns)], absent[at, : len(columns)] = columns, 0.0
    rows, meant = np.arange(len(examples)), np.array([truth for _, truth in examples])

    def loss(weights: Table) -> tuple[float, Table]:
        raw = padded @ weights + absent
        raised = np.exp(raw - raw.max(1, keepdims=True))
        chance = raised / raised.sum(1, keepdims=True)
        cost = -np.log(np.maximum(chance[rows, meant], 1e-9)).sum()
        slope = np.einsum("ij,ijk->k", chance, padded) - padded[rows, meant].sum(0)
        return float(cost + 0.01 * weights @ weights), slope + 0.02 * weights

    found = minimize(loss, np.ones(len(gate.RANKING)), jac=True, method="L-BFGS-B", options={"maxiter": 80})
    return dict(zip(gate.RANKING, map(float, found.x), strict=True))


def _judging(examples: Sequence[tuple[Table, float]]) -> dict[str, float]:
    rows, is_answer = np.array([row for row, _ in examples]), np.array([truth for _, truth in examples])
    weight = np.where(is_answer > 0, 1.0, is_answer.sum() / max(1.0, (1 - is_answer).sum()) * 0.6)

    def loss(weights: Table) -> tuple[float, Table]:
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        cost = -weight * (is_answer * np.log(chance + 1e-12) + (1 - is_answer) * np.log(1 - chance + 1e-12))
        slope = rows.T @ (weight * (chance - is_answer))
        return float(cost.sum() + 0.05 * weights @ weights), slope + 0.1 * weights

    found = minimize(loss, np.zeros(len(gate.JUDGING)), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return dict(zip(gate.JUDGING, map(float, found.x), strict=True))


def main(out: str) -> None:
    """Train, and write the file whole or not at all."""
    questions = load_content().flow.questionnaire.by_id
    model, known = train(spoken.load(questions), questions)
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    partial.write_bytes(dump(model, known))
    partial.replace(target)


if __name__ == "__main__":
    main(sys.argv[1])
