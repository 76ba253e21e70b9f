"""Ways of saying things, from `referential/sayings/`: what the typed French is learned from.

`intents.yml` is Rasa's NLU format 3.1 (commands, emergencies, clarifications); `spelling.yml` and `concepts.yml` are
word lists; every other file holds, for the questions of one theme, branch or the profile: question -> choice -> voice
-> sentences. Each fault names file, line and mend. Pure after loading.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from referential.load import FOLDER as REFERENTIAL
from referential.model import Question, ScoredQuestion
from referential.rules import UNKNOWN
from referential.yamlfile import Fault, Faults, Source, read_source

FOLDER = REFERENTIAL / "sayings"
LEAST = 8
"""Ways of saying one choice of a scored question, at least."""
_LISTS = ("spelling.yml", "concepts.yml")
_INTENTS = "intents.yml"
_NAME = re.compile(r"[a-z_]+")


@dataclass(frozen=True)
class Utterance:
    """One way of saying something. `meant`: a choice of `node`, or an intent where `node` is empty."""

    node: str
    meant: str
    voice: str
    text: str


@dataclass(frozen=True)
class Sayings:
    """Everything that the reading of typed French is learned from."""

    utterances: tuple[Utterance, ...]
    spelling: Mapping[str, Sequence[str]]
    concepts: Mapping[str, Sequence[str]]


def load(questions: Mapping[str, Question], folder: Path = FOLDER) -> Sayings:
    """Read the folder; raises Faults with all that is wrong in it."""
    faults: list[Fault] = []
    found: list[Utterance] = []
    homes: dict[str, Source] = {}
    listed: dict[str, Mapping[str, Sequence[str]]] = {name: {} for name in _LISTS}
    for path in sorted(folder.glob("*.yml")):
        name = f"{folder.parent.name}/{folder.name}/{path.name}"
        try:
            source = read_source(path, name=name)
        except Faults as wrong:
            faults += wrong.faults
            continue
        if path.name in _LISTS:
            faults += _list_faults(source)
            listed[path.name] = source.values
        elif path.name == _INTENTS:
            faults += _intent_faults(source)
            found += _intents(source)
        else:
            faults += _saying_faults(source, questions)
            found += _said(source)
            homes |= dict.fromkeys(source.values if isinstance(source.values, dict) else (), source)
    faults += _missing(found, questions, homes, folder)
    if faults:
        raise Faults(faults)
    return Sayings(tuple(found), _spelled(listed[_LISTS[0]]), listed[_LISTS[1]])


def lists(folder: Path = FOLDER) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    """Spelling (a token -> its words) and concepts alone: quick, for a process that serves. Raises Faults."""
    spelling, concepts = (read_source(folder / name).values for name in _LISTS)
    return _spelled(spelling), concepts


def fingerprint(folder: Path = FOLDER) -> str:
    """The digest of every file of the folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _spelled(spelling: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {plain(typed): str(meant).split() for meant, ways in spelling.items() for typed in ways}


def plain(text: object) -> str:
    """Lower case, without accents, spaces squeezed: two sentences that differ by these only are the same."""
    flat = unicodedata.normalize("NFKD", str(text).casefold())
    return " ".join(
        re.sub(r"[^\w'@*]+", " ", "".join(sign for sign in flat if not unicodedata.combining(sign))).split()
    )


def _list_faults(source: Source) -> Iterator[Fault]:
    if not isinstance(source.values, dict):
        yield source.fault((), "ce fichier doit tenir en lignes « idée: [mots] ».")
        return
    met: dict[str, str] = {}
    for key, words in source.values.items():
        if not isinstance(words, list) or not words or not all(isinstance(word, str | int) for word in words):
            yield source.fault((key,), f"« {key} » doit être suivi d'une liste de mots : [un, deux].")
            continue
        for at, word in enumerate(words):
            if source.file.endswith(_LISTS[0]) and met.setdefault(plain(word), key) != key:
                yield source.fault(
                    (key, at), f"« {word} » mène déjà à « {met[plain(word)]} » : gardez une seule ligne."
                )


def _saying_faults(source: Source, questions: Mapping[str, Question]) -> Iterator[Fault]:
    if not isinstance(source.values, dict):
        yield source.fault((), "ce fichier doit tenir en lignes « question: », puis « choix: », puis « voix: ».")
        return
    for node, choices in source.values.items():
        question = questions.get(node)
        if question is None:
            yield source.fault((node,), f"« {node} » n'est pas une question : corrigez son identifiant, ou retirez-la.")
            continue
        if not isinstance(choices, dict):
            yield source.fault((node,), f"sous « {node} », il faut une ligne par choix.")
            continue
        met: dict[str, str] = {}
        for choice, voices in choices.items():
            if not question.accepts(choice):
                offered = ", ".join((*question.by_choice, UNKNOWN, *(("na",) if question.na_allowed else ())))
                yield source.fault((node, choice), f"« {choice} » n'est pas un choix de « {node} » : {offered}.")
                continue
            for where, sentence in _sentences(voices, (node, choice)):
                if sentence is None:
                    yield source.fault(where, "il faut, sous chaque voix, une liste de phrases entre guillemets.")
                elif met.setdefault(plain(sentence), choice) != choice:
                    told = f"« {sentence} » est déjà une façon de dire « {met[plain(sentence)]} » : gardez-la une fois."
                    yield source.fault(where, told)


def _sentences(voices: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[int | str, ...], str | None]]:
    if not isinstance(voices, dict) or not voices:
        yield where, None
        return
    for voice, sentences in voices.items():
        if not isinstance(sentences, list):
            yield (*where, voice), None
            continue
        for at, sentence in enumerate(sentences):
            yield (*where, voice, at), sentence if isinstance(sentence, str) and sentence.strip() else None


def _said(source: Source) -> Iterator[Utterance]:
    for node, choices in source.values.items() if isinstance(source.values, dict) else ():
        for choice, voices in choices.items() if isinstance(choices, dict) else ():
            for where, sentence in _sentences(voices, (node, choice)):
                if sentence is not None:
                    yield Utterance(node, choice, str(where[2]), sentence)


def _intent_faults(source: Source) -> Iterator[Fault]:
    blocks = source.values.get("nlu") if isinstance(source.values, dict) else None
    if not isinstance(blocks, list) or str(source.values.get("version")) != "3.1":
        yield source.fault((), 'ce fichier commence par « version: "3.1" » puis « nlu: », comme chez Rasa.')
        return
    for at, block in enumerate(blocks):
        if not _well_formed(block):
            told = "chaque bloc a « intent: nom », « metadata: {voix: nom} » s'il y a lieu, et « examples: | »."
            yield source.fault(("nlu", at), told)


def _well_formed(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and _NAME.fullmatch(str(block.get("intent", ""))) is not None
        and isinstance(block.get("examples"), str)
        and isinstance(block.get("metadata", {}), dict)
    )


def _intents(source: Source) -> Iterator[Utterance]:
    blocks = source.values.get("nlu", ()) if isinstance(source.values, dict) else ()
    for block in blocks if isinstance(blocks, list) else ():
        if _well_formed(block):
            voice = str(block.get("metadata", {}).get("voix", "rasa"))
            for line in block["examples"].splitlines():
                if line.lstrip().startswith("- "):
                    yield Utterance("", block["intent"], voice, line.lstrip()[2:].strip())


def _missing(
    found: Sequence[Utterance], questions: Mapping[str, Question], homes: Mapping[str, Source], folder: Path
) -> Iterator[Fault]:
    """Choices said in too few ways: a theme's or a branch's need `LEAST`; the profile's are as they are."""
    many = Counter((each.node, each.meant) for each in found)
    for node, question in questions.items():
        for choice in question.choices if isinstance(question, ScoredQuestion) else ():
            had = many[node, choice.id]
            if had >= LEAST:
                continue
            told = f"« {node} », choix « {choice.id} » : {had} façons de le dire, il en faut au moins {LEAST}."
            if node in homes:
                yield homes[node].fault((node, choice.id), told)
            else:
                yield Fault(
                    f"{folder.parent.name}/{folder.name}", 1, f"{told} Écrivez-les dans le fichier de son thème."
                )
