"""Letters to leave by e-mail, put in the outbox in the transaction of what they are about.

For whoever has something to say: `letter` writes to the address that a conversation has confirmed for a purpose,
`letter_to` to one that belongs to no conversation (a consultant's, a federation's). Both say whether a letter will
leave; both need the house's mail to be on.

    letter(house, tx, conversation, "unfinished", {"minutes": 3}, expires_at=tomorrow, dedup="unfinished-1")
    letter_to(house, tx, address, "summary", {"link": link}, purpose="consultants", dedup=f"summary/{visit}")

A template is dialogue/words/mail_NAME.j2: its first line is the subject, `values` are what it names. It is also given
`stop` (no more mails) and, for a conversation, `link` (a mailed way: the question that waits); it ends with
mail_foot.j2. The text is made when it leaves. One rule: `values` hold nothing confidential; a mail is a postcard.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection

from bot.house import House
from store import contacts, conversations, outbox, ways
from store.addresses import same
from store.contacts import REMINDERS
from store.keys import DataKey

KIND = "mail.send"
KEPT_FOR = timedelta(days=3)
"""How long a letter is worth sending after it was due, where its writer says nothing."""
Value = str | int


@dataclass(frozen=True)
class Letter:
    """What the outbox keeps, sealed. `id`: the same at each try, for the Message-ID.

    `link`: the token of a mailed way; `contact`: the address to confirm, and no other; `address`: for a letter of no
    conversation; `calendar`: an iCalendar object that goes with it; `visit`: of a visit, "id/sequence": needless once
    that visit has changed.
    """

    id: str
    template: str
    purpose: str
    values: Mapping[str, Value] = field(default_factory=dict)
    link: str = ""
    contact: str = ""
    address: str = ""
    calendar: str = ""
    visit: str = ""


LETTER: TypeAdapter[Letter] = TypeAdapter(Letter)


def letter(
    house: House,
    tx: Connection,
    conversation: str,
    template: str,
    values: Mapping[str, Value] | None = None,
    *,
    purpose: str = REMINDERS,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    dedup: str = "",
) -> bool:
    """Write to the address confirmed for this purpose, with a mailed way of its own; whether a letter will leave.

    `dedup`: said once for this conversation, whatever happens. False too without such an address, or when it was said.
    """
    if not house.settings.mail.on:
        return False
    contact = contacts.of(tx, conversation, purpose, house.now())
    held = conversations.hold(tx, house.store.keyring, conversation) if contact and contact.confirmed_on else None
    if held is None:
        return False
    token = ways.issue(tx, house.store.keyring, conversation, "mail", house.today())
    written = Letter(_id(), template, purpose, values or {}, link=token)
    name = f"{conversation}/{dedup}" if dedup else ""
    if put(house, tx, written, conversation, held, due_at=due_at, expires_at=expires_at, dedup=name):
        return True
    ways.revoke(tx, house.store.keyring, token)
    return False


def letter_to(
    house: House,
    tx: Connection,
    address: str,
    template: str,
    values: Mapping[str, Value],
    *,
    purpose: str,
    dedup: str,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    calendar: str = "",
    visit: str = "",
) -> bool:
    """Write to somebody who has no conversation; whether a letter will leave.

    `address`: as store.addresses.read_address gives it; sealed with the store's own key. `purpose`: what to stop is to
    stop, such as "consultants". `dedup`: said once, whatever happens; False when it was, or to somebody who stopped.
    """
    keyring = house.store.keyring
    if not house.settings.mail.on or contacts.stopped(tx, keyring, purpose, address):
        return False
    now = house.now()
    due = due_at or now
    written = Letter(_id(), template, purpose, values, address=address, calendar=calendar, visit=visit)
    return outbox.post(
        tx,
        keyring.own,
        kind=KIND,
        once=f"{purpose}/{dedup}",
        due_at=due,
        expires_at=expires_at or due + KEPT_FOR,
        line=f"mail/{keyring.digest('mail/line', same(address)).hex()[:16]}",
        payload=LETTER.dump_json(written),
    )


def to_confirm(house: House, tx: Connection, conversation: str, purpose: str, token: str) -> bool:
    """Ask the owner of the address just left to confirm it; whether the letter will leave."""
    if not house.settings.mail.on:
        return False
    contact = contacts.of(tx, conversation, purpose, house.now())
    held = conversations.hold(tx, house.store.keyring, conversation)
    if contact is None or held is None:
        return False
    written = Letter(_id(), "confirm", purpose, link=token, contact=contact.id)
    over = contact.left_at + contacts.TO_CONFIRM
    return put(house, tx, written, conversation, held, expires_at=over)


def put(
    house: House,
    tx: Connection,
    written: Letter,
    conversation: str,
    held: tuple[DataKey, int],
    *,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    dedup: str = "",
) -> bool:
    """Seal a letter of a conversation, behind those that wait for the same box."""
    key, revision = held
    due = due_at or house.now()
    return outbox.append(
        tx,
        key,
        conversation=conversation,
        revision=revision,
        kind=KIND,
        due_at=due,
        expires_at=expires_at or due + KEPT_FOR,
        line=f"mail/{conversation}",
        once=dedup or None,
        payload=LETTER.dump_json(written),
    )


def _id() -> str:
    return secrets.token_hex(16)
