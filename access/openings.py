"""The access log: who opened what of which conversation, and when, for its manager to read.

One rule: it only grows. The database refuses to change a line, and to delete one while its conversation is there; it
goes with the conversation, when that is erased. Write it in the transaction that reads what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select

from access.accounts import Account, find
from access.tables import openings as log
from store.keys import Keyring

What = Literal["visit", "summary", "summary_paper"]
"""What may be opened; each has its words in dialogue/words/openings.j2."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of the log, for the manager."""

    name: str
    firm: str
    what: str
    at: datetime


def opened(tx: Connection, account: str, conversation: str, what: What, at: datetime) -> None:
    """Write down that this account opened that."""
    tx.execute(insert(log).values(account=account, conversation=conversation, what=what, at=at))


def openings(tx: Connection, keyring: Keyring, conversation: str) -> tuple[Opening, ...]:
    """Everything that was opened of a conversation, the latest first."""
    rows = tx.execute(select(log).where(log.c.conversation == conversation).order_by(log.c.id.desc())).all()
    people: dict[str, Account | None] = {name: find(tx, keyring, name) for name in {row.account for row in rows}}
    return tuple(
        Opening(account.person.name, account.person.firm, row.what, row.at)
        for row in rows
        if (account := people[row.account])
    )
