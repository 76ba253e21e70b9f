"""Passkeys: what a device keeps to let its owner in. Two a person at most, so that losing one locks nobody out.

One rule: a passkey is found by the keyed hash of its id. The id itself, which a device must be told so that it is not
asked for a second one, is sealed with the account's key, beside the name it bears in the person's list.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, select, update

from access.accounts import Account
from access.ceremony import Made
from access.refused import Refused
from access.tables import passkeys, sign_ins
from store.keys import Keyring
from store.tables import insert_once

AT_MOST = 2


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey, for its owner. `label`: a code of the door's, for what it was made on."""

    digest: bytes
    id: bytes = field(repr=False)
    label: str
    created_on: date
    used_on: date | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What is needed to believe a passkey that is shown."""

    digest: bytes
    account: str
    public_key: bytes = field(repr=False)


def add(tx: Connection, keyring: Keyring, account: Account, made: Made, label: str, today: date) -> bytes:
    """Keep a passkey for an account that `tx` has locked, and give its digest. Raises Refused."""
    if count(tx, account.id) >= AT_MOST:
        raise Refused("enough_keys")
    digest = digest_of(keyring, made.id)
    plain = json.dumps({"id": b64encode(made.id).decode(), "label": label}).encode()
    sealed = account.key.seal(plain, table="passkeys", row=digest.hex(), column="sealed")
    kept = insert_once(
        tx,
        passkeys,
        digest=digest,
        account=account.id,
        public_key=made.public_key,
        sealed=sealed,
        sign_count=made.sign_count,
        created_on=today,
        used_on=None,
        blocked_at=None,
    )
    if not kept:
        raise Refused("known_key")
    return digest


def of(tx: Connection, account: Account) -> tuple[Passkey, ...]:
    """The passkeys of an account, the oldest first."""
    wanted = select(passkeys).where(passkeys.c.account == account.id)
    rows = tx.execute(wanted.order_by(passkeys.c.created_on, passkeys.c.digest)).all()
    found = []
    for row in rows:
        plain = json.loads(account.key.unseal(row.sealed, table="passkeys", row=row.digest.hex(), column="sealed"))
        blocked = row.blocked_at is not None
        found.append(Passkey(row.digest, b64decode(plain["id"]), plain["label"], row.created_on, row.used_on, blocked))
    return tuple(found)


def count(tx: Connection, account: str) -> int:
    """How many passkeys an account has."""
    return tx.scalar(select(func.count()).where(passkeys.c.account == account)) or 0


def find(tx: Connection, keyring: Keyring, credential: bytes) -> Kept:
    """The passkey with this id. Raises Refused."""
    row = tx.execute(select(passkeys).where(passkeys.c.digest == digest_of(keyring, credential))).one_or_none()
    if row is None:
        raise Refused("unknown_key")
    if row.blocked_at is not None:
        raise Refused("blocked_key")
    return Kept(row.digest, row.account, row.public_key)


def used(tx: Connection, digest: bytes, sign_count: int, now: datetime) -> bool:
    """The passkey was shown, with this sign count; False if that tells of a copy, and then it is blocked for good.

    A count that stays at 0 tells nothing: most of today's passkeys live on several devices, and count nothing.
    Raises Refused if it was removed or blocked meanwhile.
    """
    row = tx.execute(select(passkeys).where(passkeys.c.digest == digest).with_for_update()).one_or_none()
    if row is None:
        raise Refused("unknown_key")
    if row.blocked_at is not None:
        raise Refused("blocked_key")
    this = update(passkeys).where(passkeys.c.digest == digest)
    if (sign_count or row.sign_count) and sign_count <= row.sign_count:
        tx.execute(this.values(blocked_at=now))
        tx.execute(delete(sign_ins).where(sign_ins.c.passkey == digest))
        return False
    tx.execute(this.values(sign_count=sign_count, used_on=now.date()))
    return True


def remove(tx: Connection, account: Account, digest: bytes) -> bool:
    """Forget one passkey of an account that `tx` has locked, with the sign-ins it opened; False if it has none such.

    Raises Refused for the last that works: its owner could not come back.
    """
    mine = passkeys.c.account == account.id
    others = select(func.count()).where(mine, passkeys.c.digest != digest, passkeys.c.blocked_at.is_(None))
    this = tx.execute(select(passkeys.c.digest).where(mine, passkeys.c.digest == digest)).one_or_none()
    if this is None:
        return False
    if not tx.scalar(others):
        raise Refused("last_key")
    tx.execute(delete(passkeys).where(passkeys.c.digest == digest))
    return True


def digest_of(keyring: Keyring, credential: bytes) -> bytes:
    """The keyed hash under which a passkey is kept."""
    return keyring.digest("passkey", credential)
