"""Who sends the letters of the outbox: reads what is true when they leave, then hands them over.

One rule: a letter whose reason is gone is done without leaving: address taken back or not confirmed, conversation
erased or, for a reminder, gone on. One that may have left already is not sent again: a reminder lost is better than
two, and the operator sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from bot.house import House
from bot.mail.compose import compose
from bot.mail.letters import KIND, LETTER, Letter
from bot.worker import Doers, Never, Save, Sends
from store import contacts, conversations, outbox
from store.contacts import REMINDERS
from store.outbox import Job
from visits import bookings

log = structlog.get_logger("mail")


@dataclass(frozen=True)
class _Wanted:
    """A letter that is still to leave, and where."""

    letter: Letter
    to: str = field(repr=False)


async def send(house: House, job: Job) -> Save | None:
    """Do one letter."""
    if not house.settings.mail.on:
        raise Never("mail_off")
    wanted = await house.store.db.query(lambda tx: _wanted(house, tx, job))
    if wanted is None:
        log.info("mail_needless")
        return None
    from bot.mail.post import deliver  # the library is read by who has a letter to send

    await deliver(house.settings, compose(house, wanted.letter, wanted.to), job.attempts)
    log.info("mail_sent", template=wanted.letter.template)
    return None


def _wanted(house: House, tx: Connection, job: Job) -> _Wanted | None:
    store = house.store
    if job.conversation is None:
        letter = LETTER.validate_json(outbox.opened(store.keyring.own, job))
        stopped = contacts.stopped(tx, store.keyring, letter.purpose, letter.address)
        needless = stopped or (letter.visit and not bookings.stands(tx, letter.visit))
        return None if needless else _Wanted(letter, letter.address)
    if store.journal.holds(store.keyring, job.conversation):
        return None
    held = conversations.key_of(tx, store.keyring, job.conversation)
    if held is None:
        return None
    key, revision = held
    letter = LETTER.validate_json(outbox.opened(key, job))
    if letter.purpose == REMINDERS and not letter.contact and revision != job.revision:
        return None  # somebody came back meanwhile, or asked for quiet
    contact = contacts.of(tx, job.conversation, letter.purpose, house.now())
    if contact is None or contact.id != (letter.contact or contact.id):
        return None
    if bool(contact.confirmed_on) == bool(letter.contact):
        return None  # to be confirmed and already is, or the other way round
    return _Wanted(letter, contact.address(key))


DOERS: Doers = {KIND: Sends(send, repeats=False)}
