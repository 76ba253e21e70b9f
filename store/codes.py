"""Hand-over codes: 8 characters to type on another device or door, for 15 minutes, once, 5 tries.

The first 3 characters find the code, the last 5 prove it. A refusal is returned, not raised: the try it cost must be
committed. A conversation has one live code at a time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, select, update

from store.engine import Unavailable
from store.keys import Keyring
from store.tables import codes, insert_once

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O 1 I L U
OPEN_FOR = timedelta(minutes=15)
TRIES = 5
_LOCATOR, _LENGTH = 3, 8
_DRAWS = 100  # 27,000 locators: a hundred taken in a row means that nearly all are


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a code opened nothing. `tries_left` counts for "wrong" only."""

    reason: Literal["unknown", "wrong", "expired", "exhausted"]
    tries_left: int = 0


def issue_code(tx: Connection, keyring: Keyring, conversation: str, now: datetime) -> str:
    """A new code for this conversation, 8 characters without separator; an earlier one stops working."""
    tx.execute(delete(codes).where(codes.c.conversation == conversation))
    for _ in range(_DRAWS):
        code = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
        locator = code[:_LOCATOR]
        tx.execute(delete(codes).where(codes.c.locator == locator, codes.c.expires_at <= now))
        proof = {"digest": _digest(keyring, code), "tries": 0, "expires_at": now + OPEN_FOR}
        if insert_once(tx, codes, locator=locator, conversation=conversation, **proof):
            return code
    raise Unavailable("Trop de codes sont ouverts en ce moment : réessayez dans quelques minutes.")


def redeem(tx: Connection, keyring: Keyring, typed: str, now: datetime) -> str | Refusal:
    """The id of the conversation that this code opens, once; or why not. Commit in both cases."""
    code = read_code(typed)
    if code is None:
        return Refusal("unknown")
    locator = codes.c.locator == code[:_LOCATOR]
    row = tx.execute(select(codes).where(locator).with_for_update()).one_or_none()
    if row is None:
        return Refusal("unknown")
    if row.expires_at <= now:
        return Refusal("expired")
    if row.tries >= TRIES:
        return Refusal("exhausted")
    if not hmac.compare_digest(row.digest, _digest(keyring, code)):
        tx.execute(update(codes).where(locator).values(tries=row.tries + 1))
        left = TRIES - row.tries - 1
        return Refusal("wrong", left) if left else Refusal("exhausted")
    tx.execute(delete(codes).where(locator))
    opened: str = row.conversation
    return opened


def forget(tx: Connection, now: datetime) -> int:
    """Delete the codes that no longer open; how many."""
    return tx.execute(delete(codes).where(codes.c.expires_at <= now)).rowcount


def read_code(typed: str) -> str | None:
    """What was typed as a code (any case, spaces, dashes and dots ignored), or None if it cannot be one."""
    code = "".join(sign for sign in typed.upper() if sign.isalnum())
    return code if len(code) == _LENGTH and set(code) <= set(ALPHABET) else None


def _digest(keyring: Keyring, code: str) -> bytes:
    return keyring.digest("code", code)
