"""From words to features: what the model weighs. Training and serving both come through here, so they can't differ.

A feature is a number below `SIZE` (a hash of its name): nothing of what was typed is kept, and no dictionary either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from dialogue.understanding.plain import Said, stem

SIZE = 1 << 18
Ids = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]

WORD, PAIR, IDEA, GRAM = 1.0, 0.7, 1.1, 0.45
"""How much a word, two words in a row, an idea of the lexicon and a piece of a word weigh."""
_EMPTY_TEXT = """
je ce de le ne que me te se la les un une des du en y a au aux et l d c j n m s t qu il elle on nous vous
ils elles est ai as sont suis es etes sommes avons avez ont cette cet ces mon ma mes notre nos votre vos
son sa ses leur leurs euh donc alors voila du coup bon ben bah oh ah quoi hein la merci bonjour svp s il
vous plait c
"""
_EMPTY = frozenset(_EMPTY_TEXT.split())


@dataclass(frozen=True)
class Ideas:
    """The lexicon: which ideas words lead to. `exact`: one word; `prefixes`: by first 3 letters; `phrases`: several."""

    exact: Mapping[str, tuple[str, ...]]
    prefixes: Mapping[str, tuple[tuple[str, str], ...]]
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]

    def of(self, words: Sequence[str]) -> list[tuple[int, str]]:
        """Ideas found, with the place of the word where each begins."""
        found: list[tuple[int, str]] = []
        for at, word in enumerate(words):
            found.extend((at, idea) for idea in self._of_word(word))
            found.extend(
                (at, idea)
                for phrase, idea in self.phrases.get(word, ())
                if tuple(words[at : at + len(phrase)]) == phrase
            )
        return found

    def _of_word(self, word: str) -> tuple[str, ...]:
        hit = self.exact.get(word)
        if hit is None and word[-1:] in ("s", "x") and len(word) > 3:
            hit = self.exact.get(word[:-1])
        more = tuple(idea for start, idea in self.prefixes.get(word[:3], ()) if word.startswith(start))
        return (*(hit or ()), *more)


def ideas(lexicon: Mapping[str, Sequence[str]]) -> Ideas:
    """The lexicon, ready to be looked up; `word*` is a beginning, `two words` an expression."""
    exact: dict[str, tuple[str, ...]] = {}
    prefixes: dict[str, tuple[tuple[str, str], ...]] = {}
    phrases: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {}
    for idea, entries in lexicon.items():
        for entry in entries:
            words = tuple(str(entry).split())
            if len(words) > 1:
                phrases[words[0]] = (*phrases.get(words[0], ()), (tuple(word.rstrip("*") for word in words), idea))
            elif words[0].endswith("*"):
                start = words[0][:-1]
                prefixes[start[:3]] = (*prefixes.get(start[:3], ()), (start, idea))
            else:
                exact[words[0]] = (*exact.get(words[0], ()), idea)
    return Ideas(exact, prefixes, phrases)


def features(said: Said, lexicon: Ideas) -> tuple[Ids, Weights]:
    """The features of a text, each once, with its weight before the model's own."""
    found: dict[int, float] = {}

    def add(name: int, weight: float) -> None:
        if found.get(name, 0.0) < weight:
            found[name] = weight

    denied = said.denied
    before = ""
    for at, word in enumerate(said.words):
        root = stem(word)
        light = 0.35 if word in _EMPTY else 1.0
        add(_id(f"w {root}"), WORD * light)
        if denied[at] and light == 1.0:
            add(_id(f"! {root}"), WORD)
        if before:
            add(_id(f"p {before} {root}"), PAIR * (0.6 if word in _EMPTY else 1.0))
        before = root
        if light == 1.0:
            for gram in grams(word):
                add(gram, GRAM)
    held: list[str] = []
    for at, idea in lexicon.of(said.words):
        name = f"!{idea}" if denied[at] else idea
        add(_id(f"i {name}"), IDEA)
        if name not in held:
            held.append(name)
    for place, one in enumerate(held[:10]):
        for other in held[place + 1 : 10]:
            first, second = sorted((one, other))
            add(_id(f"ii {first} {second}"), PAIR * 0.7)
    ids = np.fromiter(found.keys(), np.int32, len(found))
    weights = np.fromiter(found.values(), np.float32, len(found))
    order = np.argsort(ids)
    return ids[order], weights[order]


@lru_cache(20_000)
def _id(name: str) -> int:
    return crc32(name.encode()) % SIZE


@lru_cache(8_000)
def grams(word: str) -> tuple[int, ...]:
    """The pieces of a word, 3 to 5 letters, its ends marked."""
    marked = f"<{word}>"
    return tuple(
        crc32(marked[at : at + size].encode()) % SIZE
        for size in (3, 4, 5)
        for at in range(max(1, len(marked) - size + 1))
    )
