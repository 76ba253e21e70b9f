"""`autodiag understand`: what typed French is read as, and how well, on replies that the model has not seen.

Reads and counts; records nothing and keeps nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any, Final

from dialogue.understanding.model import Model
from dialogue.understanding.reading import understand
from referential.model import Question
from referential.rules import NOT_CONCERNED, UNKNOWN
from referential.spoken import Sayings, Utterance

DESTRUCTIVE: Final = ("restart", "erase")
_Z: Final = 1.959964
"""95 %, two sides."""
CLARIFICATIONS: Final = ("vague", "off_topic", "refusal", "other_language", "someone_else")


class BadLine(Exception):
    """A line that can't be read; the message is a French sentence that names it."""


@dataclass(frozen=True)
class Expected:
    """One reply and what it means. An empty `kind`: only whether it raises a false alarm counts."""

    question: str
    reply: str
    kind: str
    choice: str | None = None
    command: str | None = None


def told(model: Model, question: Question, text: str) -> dict[str, Any]:
    """A reading, as the command line prints it."""
    found = understand(model, question, text)
    return {
        "kind": found.kind,
        "choice": found.choice or None if found.kind == "answer" else None,
        "command": found.command or None if found.kind == "command" else None,
        "candidates": list(found.candidates),
        "confidence": found.confidence,
        "recorded": found.recorded,
    }


def lines(text: str, questions: Mapping[str, Question]) -> Iterator[tuple[Question, dict[str, Any]]]:
    """The objects of a JSON Lines file, with their question. Raises BadLine."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
        except (ValueError, RecursionError):
            raise BadLine(f"ligne {number} : ce n'est pas du JSON.") from None
        if not isinstance(given, dict) or not isinstance(given.get("reply"), str):
            raise BadLine(f"ligne {number} : il faut un objet avec « question » et « reply », en texte.")
        question = questions.get(given["question"]) if isinstance(given.get("question"), str) else None
        if question is None:
            raise BadLine(f"ligne {number} : « {given.get('question')} » n'est pas une question.")
        yield question, given


def expected(text: str, questions: Mapping[str, Question]) -> list[Expected]:
    """The lines of a file to evaluate. Raises BadLine."""
    found = []
    for number, (question, given) in enumerate(lines(text, questions), 1):
        if given.get("kind") not in ("answer", "command", "emergency", "clarify"):
            raise BadLine(f"ligne {number} : « kind » vaut answer, command, emergency ou clarify.")
        found.append(Expected(question.id, given["reply"], given["kind"], given.get("choice"), given.get("command")))
    return found


@dataclass
class Figures:
    """Counts; each measure is (how many, of how many)."""

    counts: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[tuple[str, Expected, dict[str, Any]]] = field(default_factory=list)

    def count(self, name: str, true: bool) -> None:
        """One more case of a measure."""
        had = self.counts.setdefault(name, [0, 0])
        had[0] += true
        had[1] += 1

    def add(self, given: Expected, got: Mapping[str, Any]) -> None:
        """One reading, against what was expected."""
        if given.kind != "emergency":
            self.count("false_alarms", got["kind"] == "emergency")
        if not given.kind:
            return
        wanted = {"answer": given.choice, "command": given.command}.get(given.kind)
        right = got["kind"] == given.kind and wanted == got.get({"answer": "choice"}.get(given.kind, "command"))
        self.count("accuracy", right)
        wrongly = bool(got["recorded"]) and not (given.kind == "answer" and got["choice"] == given.choice)
        self.count("wrongly_recorded", wrongly)
        if got["command"] in DESTRUCTIVE:
            self.count("destructive_unconfirmed", bool(got["recorded"]))
        match given.kind:
            case "answer":
                self.count("coverage", bool(got["recorded"]))
                self.count("right_at_once_or_confirmed", right)
                self.count("right_in_first_two", given.choice in got["candidates"][:2])
                self.count("useless_clarifications", got["kind"] == "clarify")
            case "command":
                self.count("commands", right)
            case "emergency":
                self.count("emergencies", right)
            case _:
                self.count("clarifications", right)
        if not right or wrongly:
            self.wrong.append((given.kind, given, dict(got)))

    def merge(self, other: Figures) -> None:
        """With the counts of others."""
        for name, (had, of) in other.counts.items():
            mine = self.counts.setdefault(name, [0, 0])
            mine[0] += had
            mine[1] += of

    def report(self) -> dict[str, Any]:
        """Each measure with its interval at 95 % (Wilson)."""
        return {
            name: {
                "rate": round(had / of, 4),
                "low": wilson(had, of)[0],
                "high": wilson(had, of)[1],
                "n": of,
                "count": had,
            }
            for name, (had, of) in sorted(self.counts.items())
        }


def wilson(had: int, of: int) -> tuple[float, float]:
    """The interval in which a proportion lies, 95 times in 100."""
    if not of:
        return 0.0, 1.0
    rate, square = had / of, _Z * _Z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    spread = _Z / (1 + square / of) * sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    return round(max(0.0, middle - spread), 4), round(min(1.0, middle + spread), 4)


def evaluate(model: Model, questions: Mapping[str, Question], given: Iterable[Expected]) -> Figures:
    """Read every line, and count."""
    figures = Figures()
    for each in given:
        figures.add(each, told(model, questions[each.question], each.reply))
    return figures


def held_out(sayings: Sayings, questions: Mapping[str, Question], voice: str) -> tuple[Sayings, list[Expected]]:
    """The sayings without a voice, and what that voice says, as replies to read."""
    kept = tuple(each for each in sayings.utterances if each.voice != voice)
    nodes = sorted({each.node for each in sayings.utterances if each.node in questions})
    asked = [
        _asked_with(each, at, nodes, questions) for at, each in enumerate(sayings.utterances) if each.voice == voice
    ]
    return replace(sayings, utterances=kept), [each for each in asked if each]


def _asked_with(each: Utterance, at: int, nodes: Sequence[str], questions: Mapping[str, Question]) -> Expected | None:
    """A sentence as a reply: to its own question, or to one that turns."""
    if each.node:
        return Expected(each.node, each.text, "answer", each.meant)
    node = nodes[at * 37 % len(nodes)]
    match each.meant:
        case "yes" | "no" | "partly":
            return None
        case "not_emergency":
            return Expected(node, each.text, "")
        case "emergency":
            return Expected(node, each.text, "emergency")
        case "nsp":
            return Expected(node, each.text, "answer", UNKNOWN)
        case "na":
            allowed = [name for name in nodes if questions[name].na_allowed]
            return Expected(allowed[at * 37 % len(allowed)], each.text, "answer", NOT_CONCERNED)
        case meant if meant in CLARIFICATIONS:
            return Expected(node, each.text, "clarify")
        case meant:
            return Expected(node, each.text, "command", None, meant)
