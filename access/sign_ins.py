"""Sign-ins: a person let in on one device, 8 hours at most, 30 minutes without a sign of life, ended when asked.

One rule: looking one up reads the database each time, so that what was revoked is out by the next page.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from access.accounts import Account, find
from access.tables import sign_ins
from store.keys import Keyring

IDLE = timedelta(minutes=30)
AT_MOST = timedelta(hours=8)
FRESH = timedelta(minutes=10)
"""How long after showing a passkey one may change one's passkeys."""
_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody signed in. `passkey`: the digest of the one they showed."""

    digest: bytes
    account: Account
    passkey: bytes
    opened_at: datetime
    seen_at: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether the passkey was shown just now."""
        return now < self.opened_at + FRESH

    def to_mark(self, now: datetime) -> bool:
        """Whether this sign of life is worth writing down: once a minute is enough."""
        return now >= self.seen_at + _SEEN_EVERY


def open_one(tx: Connection, keyring: Keyring, account: str, passkey: bytes, now: datetime) -> str:
    """Let a person in, and give the token (192 bits, URL-safe) of this device."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = {"digest": _digest(keyring, token), "account": account, "passkey": passkey, "opened_at": now, "seen_at": now}
    tx.execute(insert(sign_ins).values(row))
    return token


def look_up(tx: Connection, keyring: Keyring, token: str, now: datetime) -> SignIn | None:
    """Who this token lets in, or None: unknown, ended and revoked look the same. Reads only."""
    row = tx.execute(select(sign_ins).where(sign_ins.c.digest == _digest(keyring, token))).one_or_none()
    if row is None or not _open(row, now):
        return None
    account = find(tx, keyring, row.account)
    if account is None or account.revoked_on:
        return None
    return SignIn(row.digest, account, row.passkey, row.opened_at, row.seen_at)


def mark(tx: Connection, sign_in: SignIn, now: datetime) -> None:
    """The person is still there."""
    tx.execute(update(sign_ins).where(sign_ins.c.digest == sign_in.digest).values(seen_at=now))


def close(tx: Connection, keyring: Keyring, token: str) -> bool:
    """End one sign-in; False if there was none."""
    return tx.execute(delete(sign_ins).where(sign_ins.c.digest == _digest(keyring, token))).rowcount == 1


def close_all(tx: Connection, account: str) -> int:
    """End every sign-in of an account; how many."""
    return tx.execute(delete(sign_ins).where(sign_ins.c.account == account)).rowcount


def forget(tx: Connection, now: datetime) -> int:
    """Delete the sign-ins that ended by themselves; how many."""
    over = or_(sign_ins.c.opened_at <= now - AT_MOST, sign_ins.c.seen_at <= now - IDLE)
    return tx.execute(delete(sign_ins).where(over)).rowcount


def _open(row: Row[tuple[object, ...]], now: datetime) -> bool:
    return bool(now < row.opened_at + AT_MOST and now < row.seen_at + IDLE)


def _digest(keyring: Keyring, token: str) -> bytes:
    return keyring.digest("sign-in", token)
