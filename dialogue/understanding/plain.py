"""What was typed, made plain: lower case, no accents, SMS spelled out, words cut apart, negation marked.

Pure, and bounded: only the beginning and the end of a long text are read, so that it costs no more than a short one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

HEAD, TAIL = 380, 120
"""Characters read at the beginning and at the end of a long text: the answer is at one end or the other."""
MOST_WORDS = 110

_SIGNS = {
    "👍": " oui ", "✅": " oui ", "👌": " oui ", "🆗": " ok ", "✔": " oui ", "💯": " oui ",
    "👎": " non ", "❌": " non ", "🚫": " non ", "⛔": " non ", "🤷": " je sais pas ", "❓": " ? ",
    "’": "'", "‘": "'", "`": "'", "´": "'", "œ": "oe", "æ": "ae", "…": ". ", "«": " ", "»": " ",
}  # fmt: skip
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_PIECE = re.compile(r"[a-z0-9]+(?:[/.,][0-9]+)*|[.,;:!?()\n]+")
_MANY = re.compile(r"([a-z])\1{2,}")
_JOIN = {"anti": "antivirus", "wi": "wifi", "e": "email", "post": "postit"}
_JOINED = re.compile(r"\b(?:anti[ -]virus|wi[ -]fi|e-mails?|post[ -]its?)\b")
"""Words that are written in two as often as in one."""
_SPACES = re.compile(r"\s+")
_GLUED = re.compile(r"^([cdjlmnst]|qu|jusqu|lorsqu|puisqu)'(?=[a-z])")

_NEGATIVE_TEXT = """
pas aucun aucune sans jamais rien ni plus non zero personne nulle nul guere point
"""
_NEGATIVE = frozenset(_NEGATIVE_TEXT.split())
_STOPS_TEXT = """
mais par sauf enfin donc alors parce car sinon puis et ou quand si apres seulement juste que oui
"""
_STOPS = frozenset(_STOPS_TEXT.split())
_NE = frozenset(("ne", "n"))
SCOPE = 4
"""Words after a negation that it may turn round."""


def normal(text: str) -> str:
    """Lower case, no accents, plain apostrophes and spaces, no closing punctuation: what two writings share."""
    flat = _flat(clipped(text))
    return _SPACES.sub(" ", flat).strip(' .!;,:"()') if flat.strip() != "?" else "?"


def clipped(text: str) -> str:
    """The text, or its beginning and its end when it is long."""
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]} {text[-TAIL:]}"


def _flat(text: str) -> str:
    signs = _SIGN.sub(lambda found: _SIGNS[found[0]], text)
    decomposed = unicodedata.normalize("NFKD", signs.casefold())
    bare = "".join(
        char
        for char in decomposed
        if (not unicodedata.combining(char) and unicodedata.category(char) not in ("Cf", "Cc")) or char in "\n\t"
    )
    return _SIGN.sub(lambda found: _SIGNS[found[0]], bare)


@dataclass(frozen=True)
class Spelling:
    """How people write, as data: `words` says what a token stands for (several words may come out)."""

    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    """Words that need no mending."""

    def spelled(self, token: str) -> Sequence[str]:
        """The words that a token stands for."""
        found = self.words.get(token)
        if found is not None:
            return found
        if len(token) < 5 or token in self.known or not token.isalpha():
            return (token,)
        return (self._nearest(token),)

    def share_known(self, words: Sequence[str]) -> float:
        """The share of the words that were met before; little words and numbers say nothing either way."""
        real = [word for word in words if len(word) > 2 and word.isalpha()]
        return sum(word in self.known for word in real) / len(real) if real else 1.0

    def _nearest(self, token: str) -> str:
        """The known word one slip away, if there is one: a letter too many, missing, wrong, or two exchanged."""
        if not self.known:
            return token
        cuts = [(token[:at], token[at:]) for at in range(len(token) + 1)]
        for left, right in cuts[1:]:
            if right and (word := left + right[1:]) in self.known:
                return word
            if len(right) > 1 and (word := left + right[1] + right[0] + right[2:]) in self.known:
                return word
        for left, right in cuts[1:]:
            for letter in "abcdefghijklmnopqrstuvwxyz":
                if (word := left + letter + right) in self.known:
                    return word
                if right and (word := left + letter + right[1:]) in self.known:
                    return word
        return token


@dataclass(frozen=True)
class Said:
    """A text as the rules and the model see it. `words`: spelled out; `breaks`: places where a clause begins."""

    flat: str
    words: tuple[str, ...]
    breaks: frozenset[int]

    @cached_property
    def line(self) -> str:
        """The words in a line, with a space at both ends, for patterns."""
        return f" {' '.join(self.words)} "

    @cached_property
    def denied(self) -> tuple[bool, ...]:
        """For each word, whether a negation before it (or around its verb) turns it round."""
        turned = [False] * len(self.words)
        left = 0
        for at, word in enumerate(self.words):
            if at in self.breaks or (word in _STOPS and left):
                left = 0
            if word in _NEGATIVE:
                left = SCOPE
            elif word in _NE:
                left = max(left, 2)
            elif left:
                turned[at] = True
                left -= 1
        return tuple(turned)


def heard(text: str, spelling: Spelling) -> Said:
    """The text made plain."""
    flat = _SPACES.sub(" ", _flat(clipped(text))).strip()
    words: list[str] = []
    breaks: set[int] = set()
    joined = _JOINED.sub(lambda found: _JOIN[re.split("[ -]", found[0])[0]], _MANY.sub(r"\1", flat))
    for piece in _PIECE.findall(joined):
        if not piece[0].isalnum():
            breaks.add(len(words))
            continue
        words += spelling.spelled(piece)
        if len(words) >= MOST_WORDS:
            break
    return Said(flat, tuple(words), frozenset(breaks))


def stem(word: str) -> str:
    """The word without most of its endings: enough for "appelle", "appelait" and "appeler" to meet."""
    if len(word) < 5 or word[0].isdigit():
        return word[:-1] if len(word) == 4 and word[-1] in "sx" else word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word[:-1] if word[-1] in "sxe" else word


_ENDINGS_TEXT = """
ements ement ations ation aient erait erais eront eraient erons erez antes ante ants ant ees ee es er ez ent ons ais ait
is it ir irait irais ira era erai eras iez ions e s x eurs eur euse euses elle elles
"""
_ENDINGS = sorted(
    _ENDINGS_TEXT.split(),
    key=len,
    reverse=True,
)
