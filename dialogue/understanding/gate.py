"""From scores to chances, and from chances to what may be done with them. The same lines serve in training and after.

The one rule: nothing is recorded without confirmation unless the chance of being wrong was measured below the bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dialogue.understanding.model import Scores
from referential.rules import NOT_CONCERNED, UNKNOWN

Matrix = npt.NDArray[np.float64]
RANKING = ("score", "near", "near_best", "label", "unknown", "unknown_said", "na", "na_said", "degree", "clause")
JUDGING = (
    "best", "near", "margin", "label", "answer", "other", "clarify", "command", "sure", "likely", "question", "short",
    "long", "bias",
)  # fmt: skip
CLARIFYING = ("vague", "off_topic", "refusal", "other_language", "someone_else")
SHORT = ("yes", "no", "nsp", "na", "partly")
"""Kinds that are answers to any question, said in few words."""


@dataclass(frozen=True)
class Heard:
    """What the model made of a text against one question: everything that chances are drawn from."""

    choices: Sequence[str]
    score: Scores
    near: Scores
    label: Scores
    degree: Scores
    clause: Scores
    intents: Mapping[str, float]
    sure: bool
    likely: bool
    question: bool
    words: int
    known: float = 1.0


def ranking(heard: Heard) -> Matrix:
    """One line a choice, one column a name of RANKING."""
    unknown = np.array([choice == UNKNOWN for choice in heard.choices], float)
    na = np.array([choice == NOT_CONCERNED for choice in heard.choices], float)
    best = (heard.near >= heard.near.max() - 1e-6).astype(float)
    return np.column_stack(
        [
            heard.score,
            heard.near,
            best,
            heard.label,
            unknown,
            unknown * heard.intents.get("nsp", 0.0),
            na,
            na * heard.intents.get("na", 0.0),
            heard.degree,
            heard.clause,
        ]
    )


def chances(heard: Heard, weights: Mapping[str, float]) -> Matrix:
    """The chance of each choice, given that the text answers the question."""
    columns = ranking(heard)
    learned = np.array([weights.get(name, 1.0) for name in RANKING])
    raw = columns @ learned
    raised = np.exp(raw - raw.max())
    return np.asarray(raised / raised.sum())


def judging(heard: Heard) -> Matrix:
    """One value a name of JUDGING: is this an answer to the question at all?"""
    ordered = np.sort(heard.score)[::-1]
    answers = ("answer", *SHORT)
    others = {kind: value for kind, value in heard.intents.items() if kind not in answers}
    clarify = max((others.get(kind, 0.0) for kind in CLARIFYING), default=0.0)
    command = max((value for kind, value in others.items() if kind not in CLARIFYING), default=0.0)
    return np.array(
        [
            ordered[0],
            heard.near.max(),
            ordered[0] - ordered[1] if len(ordered) > 1 else 0.0,
            heard.label.max(),
            heard.intents.get("answer", 0.0),
            max(others.values(), default=0.0),
            clarify,
            command,
            float(heard.sure),
            float(heard.likely),
            float(heard.question),
            float(heard.words < 4),
            float(heard.words > 14),
            1.0,
        ]
    )


def answers_it(heard: Heard, weights: Mapping[str, float]) -> float:
    """The chance that the text answers the question."""
    if not weights:
        return 0.0
    raw = float(judging(heard) @ np.array([weights[name] for name in JUDGING]))
    return float(1.0 / (1.0 + np.exp(-raw)))
