"""The model as a value: plain arrays, read from a file that a process apart has written (bot/training.py).

It weighs; it decides nothing (see gate.py). Two parts: what kind of thing is said, and which choice of a question.
Whatever it has never seen, a question added since included, scores nothing, and the rules alone then speak.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dialogue.understanding.features import SIZE, Ideas, Ids, Weights, features, ideas
from dialogue.understanding.plain import Said, Spelling

FORMAT = 3
"""Changes when the arrays or the features do: an older file is then trained again."""
Half = npt.NDArray[np.float16]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Intents:
    """What kind of thing is said: one score a kind."""

    kinds: tuple[str, ...]
    ids: Ids
    table: Half

    def scores(self, ids: Ids, weights: Weights) -> dict[str, float]:
        """How much each kind is meant; near 1 when it surely is."""
        known, at = _places(self.ids, ids)
        found = weights[known] @ self.table[at].astype(np.float32)
        return dict(zip(self.kinds, map(float, found), strict=True))


@dataclass(frozen=True, eq=False)
class Asked:
    """One question: a score a choice, and the examples themselves, to know how near the nearest is."""

    choices: tuple[str, ...]
    ids: Ids
    table: Half
    bias: Scores
    starts: npt.NDArray[np.int32]
    places: npt.NDArray[np.uint16]
    held: Half
    owner: npt.NDArray[np.int16]

    def scores(self, ids: Ids, weights: Weights) -> tuple[Scores, Scores]:
        """For each choice: its score, and the likeness of its nearest example (0 to 1)."""
        known, at = _places(self.ids, ids)
        mine = weights[known]
        score = mine @ self.table[at].astype(np.float32) + self.bias
        near = np.zeros(len(self.choices), np.float32)
        if len(at):
            line = np.zeros(len(self.ids), np.float32)
            line[at] = mine
            likeness = np.add.reduceat(line[self.places] * self.held.astype(np.float32), self.starts)
            np.maximum.at(near, self.owner, likeness)
        return score, near


@dataclass(frozen=True, eq=False)
class Model:
    """Everything learned. `ranking` and `judging`: the few weights that turn scores into chances (gate.py)."""

    spelling: Spelling
    lexicon: Ideas
    rarity: Half = field(default_factory=lambda: np.ones(SIZE, np.float16))
    intents: Intents | None = None
    questions: Mapping[str, Asked] = field(default_factory=dict)
    ranking: Mapping[str, float] = field(default_factory=dict)
    judging: Mapping[str, float] = field(default_factory=dict)

    def seen(self, said: Said) -> tuple[Ids, Weights]:
        """The features of a text, weighed by how rare they are; length 1."""
        ids, weights = features(said, self.lexicon)
        weighed = weights * self.rarity[ids].astype(np.float32)
        length = float(np.sqrt(weighed @ weighed)) or 1.0
        return ids, weighed / np.float32(length)


def untrained(words: Mapping[str, Any], lexicon: Mapping[str, Any]) -> Model:
    """What serves before there is a model: spelling and lexicon, and no opinion."""
    return Model(Spelling(words), ideas(lexicon))


def _places(held: Ids, asked: Ids) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Which of `asked` are held, and where."""
    if not len(held) or not len(asked):
        return np.zeros(len(asked), bool), np.zeros(0, np.intp)
    at = np.minimum(np.searchsorted(held, asked), len(held) - 1)
    known = held[at] == asked
    return known, at[known]


def dump(model: Model, known: frozenset[str]) -> bytes:
    """The learned part as bytes; spelling and lexicon are content, and read again from their files."""
    assert model.intents is not None  # noqa: S101 — nothing else is ever written
    arrays: dict[str, Any] = {
        "format": np.array([FORMAT]),
        "rarity": model.rarity,
        "known": np.array(sorted(known)),
        "kinds": np.array(model.intents.kinds),
        "intent_ids": model.intents.ids,
        "intent_table": model.intents.table,
        "questions": np.array(sorted(model.questions)),
    }
    for name, weights in (("ranking", model.ranking), ("judging", model.judging)):
        arrays[f"{name}_names"], arrays[name] = np.array(list(weights)), np.array(list(weights.values()), np.float64)
    for node, asked in model.questions.items():
        for part in ("ids", "table", "bias", "starts", "places", "held", "owner"):
            arrays[f"{node}/{part}"] = getattr(asked, part)
        arrays[f"{node}/choices"] = np.array(asked.choices)
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def load(data: bytes, words: Mapping[str, Any], lexicon: Mapping[str, Any]) -> Model:
    """The model that `dump` wrote; raises ValueError or KeyError on anything else."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError("not whole")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        if int(arrays["format"][0]) != FORMAT:
            raise ValueError("another format")
        questions = {
            str(node): Asked(
                tuple(map(str, arrays[f"{node}/choices"])),
                *(arrays[f"{node}/{part}"] for part in ("ids", "table", "bias", "starts", "places", "held", "owner")),
            )
            for node in arrays["questions"]
        }
        return Model(
            Spelling(words, frozenset(map(str, arrays["known"]))),
            ideas(lexicon),
            arrays["rarity"],
            Intents(tuple(map(str, arrays["kinds"])), arrays["intent_ids"], arrays["intent_table"]),
            questions,
            *(
                dict(zip(map(str, arrays[f"{name}_names"]), map(float, arrays[name]), strict=True))
                for name in ("ranking", "judging")
            ),
        )
