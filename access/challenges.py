"""Challenges: what a device must sign, for one purpose, for one browser or invitation, within five minutes, once.

One rule: asking for one writes nothing. A challenge carries its own end and a keyed hash of what it is bound to; only
one that was answered is remembered, until its end, so that the answer serves once.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete

from access.refused import Refused
from access.tables import spent_challenges
from store.keys import Keyring
from store.tables import insert_once

OPEN_FOR = timedelta(minutes=5)
_DRAWN, _END, _PROOF = 16, 8, 32


def draw(keyring: Keyring, bound_to: str, now: datetime) -> bytes:
    """A challenge for what `bound_to` names: a purpose, and whoever may answer."""
    told = secrets.token_bytes(_DRAWN) + int((now + OPEN_FOR).timestamp()).to_bytes(_END)
    return told + _proof(keyring, told, bound_to)


def check(keyring: Keyring, challenge: bytes, bound_to: str, now: datetime) -> None:
    """Raises Refused unless this challenge is ours, bound to this, and still open."""
    told, proof = challenge[: _DRAWN + _END], challenge[_DRAWN + _END :]
    if len(proof) != _PROOF or not hmac.compare_digest(proof, _proof(keyring, told, bound_to)):
        raise Refused("challenge_foreign")
    if _end(told) <= now:
        raise Refused("challenge_expired")


def spend(tx: Connection, keyring: Keyring, challenge: bytes) -> None:
    """A checked challenge has served. Raises Refused if it had already."""
    digest = keyring.digest("spent challenge", challenge)
    if not insert_once(tx, spent_challenges, digest=digest, expires_at=_end(challenge)):
        raise Refused("challenge_used")


def forget(tx: Connection, now: datetime) -> int:
    """Delete what remembers challenges that ended by themselves; how many."""
    return tx.execute(delete(spent_challenges).where(spent_challenges.c.expires_at <= now)).rowcount


def _end(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_DRAWN : _DRAWN + _END]), UTC)


def _proof(keyring: Keyring, told: bytes, bound_to: str) -> bytes:
    return keyring.digest("challenge", told + bound_to.encode())
