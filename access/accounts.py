"""Accounts: who was invited, with which role, and whether they still may enter.

One rule: the name, the firm and the address are sealed with the account's own key. An account that was revoked keeps
its name, because managers must be able to read who opened their summary.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Literal, cast

from sqlalchemy import Connection, Row, delete, insert, select, update

from access.tables import accounts, invitations, passkeys
from store.keys import DataKey, Keyring

Role = Literal["consultant", "federation", "operator"]
ROLES: tuple[Role, ...] = ("consultant", "federation", "operator")
_SEALED_TO = 512


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, as the invitation told."""

    name: str
    email: str = ""
    firm: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account. `branch`: of a federation only."""

    id: str
    role: Role
    branch: str | None
    person: Person = field(repr=False)
    created_on: date
    revoked_on: date | None
    key: DataKey = field(repr=False)


def create(
    tx: Connection, keyring: Keyring, role: Role, person: Person, today: date, *, branch: str | None = None
) -> Account:
    """A new account, that nobody can enter yet. A federation's has a branch, and no other has."""
    if (role == "federation") != bool(branch):
        raise ValueError("a federation's account has a branch, and no other has one")
    name = secrets.token_hex(12)
    key, wrapped = keyring.new_data_key(name, "accounts")
    row = {
        "id": name,
        "role": role,
        "branch": branch,
        "wrapped_key": wrapped,
        "profile": _seal(key, name, person),
        "created_on": today,
        "revoked_on": None,
    }
    tx.execute(insert(accounts).values(row))
    return Account(name, role, branch, person, today, None, key)


def find(tx: Connection, keyring: Keyring, name: str, *, lock: bool = False) -> Account | None:
    """The account with this id, revoked or not. `lock`: nobody else changes its keys until the end of `tx`."""
    wanted = select(accounts).where(accounts.c.id == name)
    row = tx.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return _account(keyring, row) if row else None


def all_of(tx: Connection, keyring: Keyring, role: Role) -> Iterator[Account]:
    """Every account of a role, the oldest first."""
    wanted = select(accounts).where(accounts.c.role == role).order_by(accounts.c.created_on, accounts.c.id)
    return (_account(keyring, row) for row in tx.execute(wanted).all())


def revoke(tx: Connection, name: str, today: date) -> bool:
    """Close an account at once: passkeys, sign-ins and invitations go; False if it was closed or never there."""
    open_one = (accounts.c.id == name) & accounts.c.revoked_on.is_(None)
    if not tx.execute(update(accounts).where(open_one).values(revoked_on=today)).rowcount:
        return False
    shut_out(tx, name)
    return True


def shut_out(tx: Connection, name: str) -> None:
    """Whatever lets this person in stops working: passkeys, with the sign-ins they opened, and invitations."""
    tx.execute(delete(passkeys).where(passkeys.c.account == name))
    tx.execute(delete(invitations).where(invitations.c.account == name))


def _account(keyring: Keyring, row: Row[tuple[object, ...]]) -> Account:
    key = keyring.unwrap(row.id, row.wrapped_key, "accounts")
    plain = key.unseal(row.profile, table="accounts", row=row.id, column="profile")
    person = Person(**json.loads(plain))
    return Account(row.id, cast("Role", row.role), row.branch, person, row.created_on, row.revoked_on, key)


def _seal(key: DataKey, name: str, person: Person) -> bytes:
    plain = json.dumps(asdict(person), ensure_ascii=False).encode()
    return key.seal(plain, table="accounts", row=name, column="profile", pad_to=_SEALED_TO)
