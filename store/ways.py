"""Ways back into a conversation: long random tokens (a device's cookie, a return link, an API client's).

One rule: the token is given once and only its keyed hash is kept. A way stays open 90 days from its last use and, but
for those that lie in mailboxes, past the conversation's last milestone. A way of a limited kind opens nothing to a
caller who does not ask for it: a mail passes through many hands, and opens the next question only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from store.keys import Keyring
from store.tables import ways

Kind = Literal["device", "link", "api", "telegram", "mail", "visit"]
LIMITED: frozenset[Kind] = frozenset({"mail", "visit"})
NAMED: frozenset[Kind] = frozenset({"visit"})
"""Kinds that open something of their own (a booked visit), and only to a caller who names them."""

OPEN_FOR = timedelta(days=90)
_TOKEN_BYTES = 24
_SHOWN = select(ways).where(ways.c.digest == bindparam("shown"))


@dataclass(frozen=True, slots=True)
class Way:
    """What an open token leads to, the day of its last use, and whether it opens the next question only."""

    conversation: str
    last_on: date
    limited: bool = False


def issue(
    tx: Connection,
    keyring: Keyring,
    conversation: str,
    kind: Kind,
    today: date,
    *,
    until: date | None = None,
    token: str | None = None,
) -> str:
    """Open a way and give its token (192 bits, URL-safe); it stays open at least `until`, the last milestone.

    `token` is for a caller that must be able to draw the same one again; it must be as hard to guess.
    """
    token = token or secrets.token_urlsafe(_TOKEN_BYTES)
    expires = max(today + OPEN_FOR, until or today)
    row = {
        "digest": digest(keyring, token),
        "conversation": conversation,
        "kind": kind,
        "created_on": today,
        "last_on": today,
        "expires_on": expires,
    }
    tx.execute(insert(ways).values(row))
    return token


def look_up(
    tx: Connection, keyring: Keyring, token: str, today: date, kind: Kind | None = None, *, limited: bool = False
) -> Way | None:
    """Where this token leads, or None: unknown, revoked, expired, of another `kind` look the same. Reads only.

    `limited`: the caller takes limited ways too, and keeps to what they open.
    """
    row = tx.execute(_SHOWN, {"shown": digest(keyring, token)}).one_or_none()
    if row is None or row.expires_on < today or kind not in (None, row.kind):
        return None
    if (row.kind in LIMITED and not limited) or (row.kind in NAMED and kind is None):
        return None
    return Way(row.conversation, row.last_on, row.kind in LIMITED)


def find(
    tx: Connection, keyring: Keyring, token: str, today: date, kind: Kind | None = None, *, limited: bool = False
) -> Way | None:
    """`look_up` that counts as a use, written at most once a day."""
    way = look_up(tx, keyring, token, today, kind, limited=limited)
    if way and way.last_on < today:
        row = ways.c.digest == digest(keyring, token)
        tx.execute(update(ways).where(row).values(last_on=today))
        tx.execute(update(ways).where(row, ways.c.expires_on < today + OPEN_FOR).values(expires_on=today + OPEN_FOR))
    return way


def extend(tx: Connection, conversation: str, until: date) -> None:
    """Keep the conversation's ways open at least until this day, a milestone further than 90 days; not a mail's."""
    short = (ways.c.conversation == conversation) & (ways.c.expires_on < until) & (ways.c.kind != "mail")
    tx.execute(update(ways).where(short).values(expires_on=until))


def revoke(tx: Connection, keyring: Keyring, token: str) -> bool:
    """Close one way; False if it was not open."""
    return tx.execute(delete(ways).where(ways.c.digest == digest(keyring, token))).rowcount == 1


def revoke_all(tx: Connection, conversation: str, kind: Kind | None = None) -> int:
    """Close every way of a conversation, or those of one kind; how many."""
    closing = delete(ways).where(ways.c.conversation == conversation)
    return tx.execute(closing if kind is None else closing.where(ways.c.kind == kind)).rowcount


def forget(tx: Connection, today: date) -> int:
    """Delete the ways that no longer open; how many."""
    return tx.execute(delete(ways).where(ways.c.expires_on < today)).rowcount


def digest(keyring: Keyring, token: str) -> bytes:
    """The keyed hash under which a token's way is kept."""
    return keyring.digest("way", token)
