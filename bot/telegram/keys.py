"""What a button carries back: at most 64 bytes, the revision that it was drawn for, and ids; never content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialogue.events import COMMANDS, Command

MOST = 64
"""Bytes that Telegram lets a button carry."""
Own = Literal["begin", "web", "paper", "stay"]
_OWN: tuple[Own, ...] = ("begin", "web", "paper", "stay")


@dataclass(frozen=True)
class Pick:
    """A choice of the question."""

    revision: int
    node: str
    choice: str


@dataclass(frozen=True)
class Order:
    """A command, as the turn offered it."""

    revision: int
    name: Command
    node: str = ""
    word: str = ""


@dataclass(frozen=True)
class Term:
    """A difficult word of the question, by its place among those found in it."""

    revision: int
    place: int


@dataclass(frozen=True)
class Page:
    """Another page of the answers; moves nothing."""

    number: int


@dataclass(frozen=True)
class Ask:
    """Something that this door does by itself."""

    what: Own


@dataclass(frozen=True)
class Switch:
    """Take the conversation that this hand-over code opens, in place of the one here."""

    code: str


Key = Pick | Order | Term | Page | Ask | Switch


def write(key: Key) -> str:
    """The key as Telegram keeps it. Raises ValueError when it is too long: an id of the content is."""
    data = "|".join(str(field) for field in _fields(key))
    if len(data.encode()) > MOST:
        raise ValueError(f"a button carries {MOST} bytes at most: {data}")
    return data


def _fields(key: Key) -> tuple[object, ...]:
    match key:
        case Pick():
            return "c", key.revision, key.node, key.choice
        case Order():
            return "k", key.revision, key.name, key.node, key.word
        case Term():
            return "t", key.revision, key.place
        case Page():
            return "p", key.number
        case Ask():
            return "a", key.what
        case Switch():
            return "x", key.code


def read(data: str) -> Key | None:
    """The key that a press brought back, or None: not one of ours, or of an older programme."""
    try:
        return _read(data.split("|"))
    except ValueError:
        return None


def _read(parts: list[str]) -> Key | None:
    match parts:
        case ["c", revision, node, choice]:
            return Pick(int(revision), node, choice)
        case ["k", revision, name, node, word] if name in COMMANDS:
            return Order(int(revision), name, node, word)
        case ["t", revision, place]:
            return Term(int(revision), int(place))
        case ["p", number]:
            return Page(int(number))
        case ["a", what] if what in _OWN:
            return Ask(what)
        case ["x", code]:
            return Switch(code)
    return None
