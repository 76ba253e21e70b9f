"""What the rooms bring to the house: their tables, on the store's metadata, and what each forgets by itself.

A room that remembers something is added here once, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, MetaData

from access import entry
from access import tables as access_tables

TABLES: Final[MetaData] = access_tables.accounts.metadata
"""The store's own metadata, once every room has declared its tables on it: what migrations must make."""

FORGET: Final[tuple[Callable[[Connection, datetime], None], ...]] = (entry.forget,)
"""Done each hour, beside the purge of conversations."""
