"""Invitations: a link for one person, to make a first passkey, or to start again after a loss.

One rule: a link is used up by the passkey it lets in, and by nothing else: programs open links before people do. The
token is given once, and only its keyed hash is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import Connection, delete, insert, select, update

from access.accounts import Account, find, shut_out
from access.refused import Refused
from access.tables import invitations
from store.keys import Keyring

Purpose = Literal["new", "recovery"]

OPEN_FOR = timedelta(days=7)
_REMEMBERED = timedelta(days=30)
"""How long after its end a link is still told apart from one that never was, for the sentence it gets."""
_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that still opens."""

    digest: bytes
    account: Account
    purpose: Purpose
    expires_at: datetime


def invite(tx: Connection, keyring: Keyring, account: str, now: datetime) -> str:
    """A link's token (192 bits, URL-safe) for a new account; an earlier one stops working."""
    return _issue(tx, keyring, account, "new", now)


def recover(tx: Connection, keyring: Keyring, account: str, now: datetime) -> str:
    """A link's token for somebody who lost their passkeys: those, and every sign-in, end at once."""
    shut_out(tx, account)
    return _issue(tx, keyring, account, "recovery", now)


def look_up(tx: Connection, keyring: Keyring, token: str, now: datetime, *, lock: bool = False) -> Invitation:
    """The invitation of this token, if it still opens. Reads only. Raises Refused."""
    wanted = select(invitations).where(invitations.c.digest == _digest(keyring, token))
    row = tx.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    account = find(tx, keyring, row.account) if row else None
    if row is None or account is None or account.revoked_on:
        raise Refused("invitation_unknown")
    if row.used_at is not None:
        raise Refused("invitation_used")
    if row.expires_at <= now:
        raise Refused("invitation_expired")
    return Invitation(row.digest, account, cast("Purpose", row.purpose), row.expires_at)


def use_up(tx: Connection, invitation: Invitation, now: datetime) -> None:
    """The invitation has served. Raises Refused if it served meanwhile."""
    unused = (invitations.c.digest == invitation.digest) & invitations.c.used_at.is_(None)
    if not tx.execute(update(invitations).where(unused).values(used_at=now)).rowcount:
        raise Refused("invitation_used")


def pending(tx: Connection, account: str, now: datetime) -> datetime | None:
    """Until when an unused invitation of this account opens, or None."""
    open_one = (invitations.c.account == account) & invitations.c.used_at.is_(None) & (invitations.c.expires_at > now)
    return tx.scalar(select(invitations.c.expires_at).where(open_one))


def forget(tx: Connection, now: datetime) -> int:
    """Delete the invitations that ended long ago; how many."""
    return tx.execute(delete(invitations).where(invitations.c.expires_at <= now - _REMEMBERED)).rowcount


def _issue(tx: Connection, keyring: Keyring, account: str, purpose: Purpose, now: datetime) -> str:
    tx.execute(delete(invitations).where(invitations.c.account == account))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {
        "digest": _digest(keyring, token),
        "account": account,
        "purpose": purpose,
        "expires_at": now + OPEN_FOR,
        "used_at": None,
    }
    tx.execute(insert(invitations).values(row))
    return token


def _digest(keyring: Keyring, token: str) -> bytes:
    return keyring.digest("invitation", token)
