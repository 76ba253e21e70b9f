"""What the rooms bring to the house: their tables, what each does in a turn's transaction, what it forgets by itself.

A room that remembers something is added here once, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, MetaData

from access import entry
from access import tables as access_tables
from bot import branches, outreach
from bot.house import House
from bot.turn import Happened, UnderWay
from bot.visit import booking
from dialogue.events import Event
from federations import tables as federations_tables
from visits import bookings

_ROOMS: Final = (access_tables, federations_tables)
TABLES: Final[MetaData] = _ROOMS[0].metadata
"""The store's own metadata, once every room has declared its tables on it, by being imported here."""

AFTER_TURN: Final[tuple[Callable[[House, Connection, Happened], None], ...]] = (outreach.arm, branches.count)
"""Done in the transaction of a turn that was taken, in this order."""

IN_TURN: Final[tuple[Callable[[House, Connection, UnderWay], Sequence[Event]], ...]] = (booking.answer,)
"""Asked before a turn is saved: what a room knows comes back as events of the same turn (live choices, a time lost)."""

ON_ERASE: Final[tuple[Callable[[House, Connection, str], None], ...]] = (booking.erased,)
"""Done in the transaction of an erasure, before it, with the id of the conversation."""

FORGET: Final[tuple[Callable[[Connection, datetime], None], ...]] = (entry.forget, bookings.forget)
"""Done each hour, beside the purge of conversations."""
