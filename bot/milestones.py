"""Milestones of the visit noted from outside a conversation, by the number that its manager reads in "Vos données"."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection, select

from bot.house import House
from bot.turn import Gone, happen
from dialogue.events import Mark, Marked
from store import tables

SHOWN = 8
"""Signs of a conversation's id that are read over the phone; longer where two would be alike."""
DOOR = "operator"


class Ambiguous(Exception):
    """Several conversations begin with this number: more of it is needed."""


def file_number(conversation: str) -> str:
    """The beginning of a conversation's id, as it is read aloud; it opens nothing."""
    return f"{conversation[: SHOWN // 2]} {conversation[SHOWN // 2 : SHOWN]}"


def find(tx: Connection, number: str) -> str:
    """The conversation whose id begins so. Raises Gone, or Ambiguous."""
    bare = re.sub(r"[\s-]", "", number).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHOWN},32}}", bare):
        raise Gone
    names = tables.conversations.c.id
    found: list[str] = list(tx.scalars(select(names).where(names.startswith(bare)).limit(2)))
    if len(found) > 1:
        raise Ambiguous
    if not found:
        raise Gone
    return found[0]


def note(house: House, tx: Connection, number: str, mark: Mark, on: datetime | None) -> None:
    """Note a milestone, or take it back (None); the survey follows. Raises Gone, or Ambiguous."""
    if happen(house, tx, find(tx, number), Marked(mark, on), DOOR) is None:
        raise Gone
