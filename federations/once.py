"""What a conversation was already counted for, so that it is counted once: marks made with the house's key.

One rule: the database alone tells how many marks a conversation has, and never for what. They go with it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete

from federations.tables import reached
from store.keys import Keyring
from store.tables import insert_once


def mark_of(keyring: Keyring, conversation: str, what: str) -> str:
    """The mark that says so of this conversation, and of no other."""
    return keyring.digest("reached", f"{conversation}/{what}").hex()[:32]


def first(tx: Connection, keyring: Keyring, conversation: str, what: str) -> bool:
    """Note that it is counted for this; False if it was already."""
    return insert_once(tx, reached, conversation=conversation, step=mark_of(keyring, conversation, what))


def undo(tx: Connection, keyring: Keyring, conversation: str, what: str) -> bool:
    """Take the mark back; False if there was none."""
    mine = reached.c.conversation == conversation
    return tx.execute(delete(reached).where(mine, reached.c.step == mark_of(keyring, conversation, what))).rowcount == 1
