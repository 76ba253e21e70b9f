"""What is kept of a visit beside its booking: answers as handed over, what its consultant last read, a diagnosis.

One rule: sealed with the key that seals what the firm told, the conversation's or the visit's own, and gone with it.
What the bytes mean is the caller's.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, delete, select, update

from store.keys import DataKey
from store.tables import insert_once
from visits.tables import bookings, visit_files

Part = Literal["handed", "read", "diagnosis"]
_PAD = 2048


def keep(tx: Connection, key: DataKey, booking: str, conversation: str | None, part: Part, plain: bytes | None) -> None:
    """Keep this part of a visit's file, in place of what it was; None: nothing any more."""
    sealed = None if plain is None else key.seal(plain, table="visit_files", row=booking, column=part, pad_to=_PAD)
    insert_once(tx, visit_files, booking=booking, conversation=conversation)
    tx.execute(update(visit_files).where(visit_files.c.booking == booking).values({part: sealed}))


def kept(tx: Connection, key: DataKey, booking: str, part: Part) -> bytes | None:
    """A part of a visit's file, or None."""
    sealed = tx.scalar(select(visit_files.c[part]).where(visit_files.c.booking == booking))
    return None if sealed is None else key.unseal(sealed, table="visit_files", row=booking, column=part)


def diagnosed(tx: Connection, conversation: str) -> str | None:
    """The latest visit of a conversation that has a diagnosis."""
    mine = (visit_files.c.conversation == conversation) & visit_files.c.diagnosis.is_not(None)
    wanted = select(bookings.c.id).join(visit_files, visit_files.c.booking == bookings.c.id).where(mine)
    name: str | None = tx.scalar(wanted.order_by(bookings.c.starts_at.desc()).limit(1))
    return name


def forget(tx: Connection, booking: str) -> None:
    """What was handed over goes; so does a diagnosis, where no conversation can show it to its manager."""
    mine = visit_files.c.booking == booking
    tx.execute(
        delete(visit_files).where(mine, visit_files.c.conversation.is_(None) | visit_files.c.diagnosis.is_(None))
    )
    tx.execute(update(visit_files).where(mine).values(handed=None, read=None))
