"""E-mail addresses left for a purpose: sealed with the conversation's key, confirmed before any use, gone with it.

One rule: nobody who stopped is written to again. Every mail carries a token drawn from its address and purpose; to
stop is to keep that token's keyed hash, so it holds without the address, outlives the conversation, and, as the journal
keeps it too, a restored backup. An address merely taken back can be left again.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, select, update

from store.addresses import same
from store.keys import DataKey, Keyring
from store.tables import contacts, insert_once, mail_stops

if TYPE_CHECKING:
    from store.journal import Journal  # which imports this module, to say again what it holds

REMINDERS = "reminders"
"""The purpose of who wants to be told by e-mail. A room has its own, such as a booked visit's messages."""

TO_CONFIRM = timedelta(hours=48)
_MARK, _PROOF = 18, 6
_TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class Contact:
    """An address of a conversation, as it stands. `confirmed_on`: None as long as its owner has not said yes."""

    id: str
    conversation: str
    purpose: str
    confirmed_on: date | None
    left_at: datetime
    sealed: bytes = field(repr=False)

    def address(self, key: DataKey) -> str:
        """The address in clear. Raises store.keys.Tampered."""
        return key.unseal(self.sealed, table="contacts", row=self.id, column="address").decode()


def leave(
    tx: Connection,
    keyring: Keyring,
    journal: Journal,
    key: DataKey,
    conversation: str,
    purpose: str,
    address: str,
    now: datetime,
) -> str | None:
    """Keep an address to be confirmed, in place of the earlier one; the token that confirms it, or None.

    None: the owner of this address asked not to be written to again. It is kept all the same, with nothing that could
    confirm it, so that nobody who leaves an address learns this of its owner; the caller says the same in both cases.
    """
    take_back(tx, keyring, journal, conversation, purpose)
    name = secrets.token_hex(16)
    token = None if stopped(tx, keyring, purpose, address) else secrets.token_urlsafe(_TOKEN_BYTES)
    row = {
        "id": name,
        "conversation": conversation,
        "purpose": purpose,
        "address": key.seal(address.encode(), table="contacts", row=name, column="address"),
        "stop": _stop(keyring, stop_token(keyring, purpose, address)),
        "proof": keyring.digest("confirm", token) if token else None,
        "left_at": now,
        "confirmed_on": None,
    }
    tx.execute(insert(contacts).values(row))
    return token


def confirm(tx: Connection, keyring: Keyring, token: str, now: datetime) -> Contact | None:
    """The owner of an address says yes, within 48 hours; None: unknown or too late. Twice is as once."""
    mine = contacts.c.proof == keyring.digest("confirm", token)
    row = tx.execute(select(contacts).where(mine, contacts.c.left_at > now - TO_CONFIRM)).one_or_none()
    if row is None:
        return None
    if row.confirmed_on is None:
        tx.execute(update(contacts).where(mine).values(confirmed_on=now.date()))
    return of(tx, row.conversation, row.purpose, now)


def of(tx: Connection, conversation: str, purpose: str, now: datetime) -> Contact | None:
    """The address of this conversation for this purpose, unless it was left to be confirmed and the time is over."""
    mine = (contacts.c.conversation == conversation) & (contacts.c.purpose == purpose)
    row = tx.execute(select(contacts).where(mine)).one_or_none()
    if row is None or (row.confirmed_on is None and row.left_at <= now - TO_CONFIRM):
        return None
    return Contact(row.id, row.conversation, row.purpose, row.confirmed_on, row.left_at, row.address)


def take_back(tx: Connection, keyring: Keyring, journal: Journal, conversation: str, purpose: str) -> bool:
    """Forget the address of this conversation for this purpose, a restored backup included; False if there was none."""
    mine = (contacts.c.conversation == conversation) & (contacts.c.purpose == purpose)
    row = tx.execute(select(contacts.c.id, contacts.c.confirmed_on).where(mine)).one_or_none()
    if row is None:
        return False
    if row.confirmed_on is not None:
        journal.add(_taken_back(keyring, row.id))
    tx.execute(delete(contacts).where(mine))
    return True


def stop_token(keyring: Keyring, purpose: str, address: str) -> str:
    """What every mail to this address for this purpose carries, always the same; nobody can make it without our key."""
    mark = keyring.digest(f"stop/{purpose}", same(address))[:_MARK]
    return base64.urlsafe_b64encode(mark + _proof(keyring, mark)).decode()


def stop(tx: Connection, keyring: Keyring, journal: Journal, token: str) -> bool:
    """Never write again to the address that carried this token; False if it is none of ours. Twice is as once."""
    if not _ours(keyring, token):
        return False
    digest = _stop(keyring, token)
    if not tx.scalar(select(mail_stops.c.digest).where(mail_stops.c.digest == digest)):
        journal.add(_STOPPED + digest.hex().encode())
        _stop_now(tx, digest)
    return True


def stopped(tx: Connection, keyring: Keyring, purpose: str, address: str) -> bool:
    """Whether the owner of this address asked not to be written to again for this purpose."""
    digest = _stop(keyring, stop_token(keyring, purpose, address))
    return tx.scalar(select(mail_stops.c.digest).where(mail_stops.c.digest == digest)) is not None


def say_again(tx: Connection, keyring: Keyring, lines: frozenset[bytes]) -> int:
    """Tell a restored database who stopped and which addresses were taken back; how many addresses it had to forget."""
    gone = sum(_stop_now(tx, digest) for line in lines if (digest := _read(line)))
    names = tx.scalars(select(contacts.c.id)).all() if any(line.startswith(_TAKEN_BACK) for line in lines) else ()
    for name in names:
        if _taken_back(keyring, name) in lines:
            gone += tx.execute(delete(contacts).where(contacts.c.id == name)).rowcount
    return gone


def forget(tx: Connection, now: datetime) -> int:
    """Delete the addresses that nobody confirmed in time, and the tokens that no longer confirm; how many addresses."""
    late = contacts.c.left_at <= now - TO_CONFIRM
    tx.execute(update(contacts).where(late, contacts.c.proof.is_not(None)).values(proof=None))
    return tx.execute(delete(contacts).where(late, contacts.c.confirmed_on.is_(None))).rowcount


_STOPPED, _TAKEN_BACK = b"stopped-", b"taken-back-"
"""How the journal's lines of addresses begin."""


def _read(line: bytes) -> bytes | None:
    """The hash in a line that says who stopped; None for other lines, and for one that a full disk cut."""
    digits = line.removeprefix(_STOPPED).decode("ascii", "replace")
    return bytes.fromhex(digits) if line.startswith(_STOPPED) and re.fullmatch("[0-9a-f]{64}", digits) else None


def _taken_back(keyring: Keyring, name: str) -> bytes:
    return _TAKEN_BACK + keyring.digest("taken-back", name).hex().encode()


def _stop_now(tx: Connection, digest: bytes) -> int:
    insert_once(tx, mail_stops, digest=digest)
    return tx.execute(delete(contacts).where(contacts.c.stop == digest)).rowcount


def _stop(keyring: Keyring, token: str) -> bytes:
    return keyring.digest("stopped", token)


def _proof(keyring: Keyring, mark: bytes) -> bytes:
    return keyring.digest("stop/proof", mark)[:_PROOF]


def _ours(keyring: Keyring, token: str) -> bool:
    try:
        raw = base64.b64decode(token, b"-_", validate=True)
    except ValueError:
        return False
    return len(raw) == _MARK + _PROOF and hmac.compare_digest(raw[_MARK:], _proof(keyring, raw[:_MARK]))
