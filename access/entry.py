"""Coming in: by an invitation and a first passkey, by a passkey already known; and adding a second one.

One rule: what costs time (believing a signature) is done outside the transaction, which then checks again whatever
could have changed meanwhile. An invitation, its passkey and the sign-in are kept together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from access import accounts, challenges, invitations, passkeys, sign_ins
from access.ceremony import Made
from access.passkeys import Kept
from access.refused import Refused
from access.sign_ins import SignIn
from store.keys import Keyring


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody let in: the token for this device."""

    token: str
    account: str


def joined(
    tx: Connection, keyring: Keyring, token: str, made: Made, label: str, challenge: bytes, now: datetime
) -> Entered:
    """The invitation of this token is used up by this passkey, which lets the person in. Raises Refused."""
    invitation = invitations.look_up(tx, keyring, token, now, lock=True)
    account = accounts.find(tx, keyring, invitation.account.id, lock=True)
    if account is None or account.revoked_on:
        raise Refused("invitation_unknown")
    challenges.spend(tx, keyring, challenge)
    invitations.use_up(tx, invitation, now)
    digest = passkeys.add(tx, keyring, account, made, label, now.date())
    return Entered(sign_ins.open_one(tx, keyring, account.id, digest, now), account.id)


def entered(
    tx: Connection, keyring: Keyring, shown: Kept, sign_count: int, challenge: bytes, now: datetime
) -> Entered | None:
    """A passkey that was shown and believed lets its owner in; None when it is a copy. Commit in both cases.

    Raises Refused.
    """
    account = accounts.find(tx, keyring, shown.account, lock=True)
    if account is None or account.revoked_on:
        raise Refused("unknown_key")
    challenges.spend(tx, keyring, challenge)
    if not passkeys.used(tx, shown.digest, sign_count, now):
        return None
    return Entered(sign_ins.open_one(tx, keyring, account.id, shown.digest, now), account.id)


def added(
    tx: Connection, keyring: Keyring, who: SignIn, made: Made, label: str, challenge: bytes, now: datetime
) -> None:
    """One more passkey for somebody signed in. Raises Refused."""
    account = accounts.find(tx, keyring, who.account.id, lock=True)
    if account is None or account.revoked_on:
        raise Refused("ended")
    challenges.spend(tx, keyring, challenge)
    passkeys.add(tx, keyring, account, made, label, now.date())


def forget(tx: Connection, now: datetime) -> None:
    """Delete what ended by itself: sign-ins, invitations, challenges."""
    sign_ins.forget(tx, now)
    invitations.forget(tx, now)
    challenges.forget(tx, now)
