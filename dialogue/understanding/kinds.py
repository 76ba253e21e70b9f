"""Features that tell kinds apart (a command, an emergency, a clarification, an answer), beside the words themselves."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from dialogue.understanding.commands import COMMAND_WORDS, LIKELY, SURE, defined
from dialogue.understanding.emergency import marks
from dialogue.understanding.features import SIZE, Ids, Weights
from dialogue.understanding.plain import Said
from dialogue.understanding.slots import slots

_RULE = 1.5
_TERSE = 22
"""Words beyond which two pieces of a command may have nothing to do with each other."""


def kind_features(said: Said, ids: Ids, weights: Weights) -> tuple[Ids, Weights]:
    """The features of a text (length 1) with those that its rules and its shape add."""
    extra: dict[str, float] = {}
    for name, pattern in SURE:
        if pattern.search(said.line):
            extra[f"r {name}"] = _RULE
    for name, pattern in LIKELY:
        if pattern.search(said.line):
            extra[f"l {name}"] = _RULE * 0.6
    if found := COMMAND_WORDS.get(said.line.strip()):
        extra[f"x {found}"] = _RULE * 2
    if defined(said):
        extra["r define"] = _RULE
    if "?" in said.flat:
        extra["q?"] = 0.8
    seen = [name for name, there in marks(said).items() if there]
    extra |= {f"m {name}": 1.0 for name in seen}
    extra |= {f"mm {one} {other}": 0.7 for at, one in enumerate(seen) for other in seen[at + 1 :]}
    pieces = slots(said)
    extra |= {f"s {name}": 0.9 for name in pieces}
    if len(said.words) <= _TERSE:
        extra |= {f"ss {one} {other}": 0.8 for at, one in enumerate(pieces) for other in pieces[at + 1 :]}
    many = len(said.words)
    extra["size " + (str(many) if many < 4 else "m" if many < 9 else "l" if many < 20 else "xl")] = 0.6
    if said.words:
        extra[f"first {said.words[0]}"] = 0.7
        extra[f"last {said.words[-1]}"] = 0.5
    more = {crc32(name.encode()) % SIZE: weight for name, weight in extra.items()}
    merged: dict[int, float] = dict(zip(map(int, ids), (float(weight) * 2.2 for weight in weights), strict=True))
    for name_id, weight in more.items():
        merged[name_id] = max(merged.get(name_id, 0.0), weight)
    kept = sorted(merged)
    return np.array(kept, np.int32), np.array([merged[name_id] for name_id in kept], np.float32)
