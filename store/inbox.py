"""What has come in: keyed hashes of incoming ids, so that a redelivered message changes nothing.

Claimed in the turn's own transaction: a turn that is not committed has claimed nothing.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, delete

from store import tables
from store.keys import Keyring


def claim(tx: Connection, keyring: Keyring, door: str, incoming_id: str, today: date) -> bool:
    """Note that this message came through this door; False if it had been seen before."""
    digest = keyring.digest(f"inbox/{door}", incoming_id)
    return tables.insert_once(tx, tables.inbox, door=door, digest=digest, received_on=today)


def forget(tx: Connection, before: date) -> int:
    """Forget what was received before this day (Telegram redelivers for 24 hours); how many."""
    return tx.execute(delete(tables.inbox).where(tables.inbox.c.received_on < before)).rowcount
