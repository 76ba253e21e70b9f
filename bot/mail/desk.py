"""Leaving an address, confirming it, taking it back, stopping; and the phrase that goes with it. Called by the pages.

One rule: nobody learns here whether an address is known, or stopped: the answer is the same. What can be counted
(mails asked for an address, from a connection, by a conversation) is limited by day, so that nobody is flooded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from bot.entrance import open_way_in
from bot.house import House
from bot.mail.letters import to_confirm
from bot.throttle import neighbourhood
from store import contacts, conversations, daily, phrases, ways
from store.addresses import box, read_address
from store.contacts import REMINDERS

A_BOX, A_CONNECTION, A_CONVERSATION = 3, 30, 5
"""Confirmations asked in a day: for one letter box, from one connection, by one conversation."""


class TooMany(Exception):
    """Too many addresses left today by this conversation, or from this connection."""


@dataclass(frozen=True)
class Left:
    """An address was left: where the confirmation goes, if it may, and the phrase, shown this once."""

    address: str = field(repr=False)
    phrase: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Kept:
    """The address of a conversation. `confirmed_on`: None as long as its owner has not said yes."""

    address: str = field(repr=False)
    confirmed_on: date | None


async def leave(house: House, conversation: str, typed: str, host: str) -> Left | None:
    """Leave an address for reminders; None if the conversation is gone. Raises BadAddress or TooMany.

    At most three confirmations a day go to one box, and none to somebody who stopped: nothing here tells.
    """
    address = read_address(typed)
    phrase = phrases.draw()
    hardened = await asyncio.to_thread(phrases.harden, house.store.keyring, conversation, phrase)

    def work(tx: Connection) -> bool:
        store, now, today = house.store, house.now(), house.today()
        held = conversations.hold(tx, store.keyring, conversation)
        if held is None:
            return False
        for what, who, most in (
            ("conversation", conversation, A_CONVERSATION),
            ("connection", neighbourhood(host), A_CONNECTION),
        ):
            if not daily.count(tx, store.keyring, what, who, today, most=most):
                raise TooMany
        token = contacts.leave(tx, store.keyring, store.journal, held[0], conversation, REMINDERS, address, now)
        if token and daily.count(tx, store.keyring, "box", box(address), today, most=A_BOX):
            to_confirm(house, tx, conversation, REMINDERS, token)
        phrases.keep(tx, conversation, hardened)
        return True

    if not await house.store.db.submit(work):
        return None
    house.bell.ring()
    return Left(address, phrase)


async def new_phrase(house: House, conversation: str) -> tuple[str, ...]:
    """Another phrase, shown this once; the earlier one stops working."""
    phrase = phrases.draw()
    hardened = await asyncio.to_thread(phrases.harden, house.store.keyring, conversation, phrase)
    await house.store.db.submit(lambda tx: phrases.keep(tx, conversation, hardened))
    return phrase


async def kept(house: House, conversation: str) -> Kept | None:
    """The address of this conversation, for its manager; None if there is none."""

    def work(tx: Connection) -> Kept | None:
        found = contacts.of(tx, conversation, REMINDERS, house.now())
        held = conversations.key_of(tx, house.store.keyring, conversation) if found else None
        return Kept(found.address(held[0]), found.confirmed_on) if found and held else None

    return await house.store.db.query(work)


async def confirm(house: House, token: str) -> bool:
    """The owner of an address says yes."""
    found = await house.store.db.submit(lambda tx: contacts.confirm(tx, house.store.keyring, token, house.now()))
    return found is not None


async def take_back(house: House, conversation: str) -> None:
    """Forget the address left; it can be left again."""
    store = house.store
    await store.db.submit(lambda tx: contacts.take_back(tx, store.keyring, store.journal, conversation, REMINDERS))


async def stop(house: House, token: str) -> bool:
    """Never write again to who received this token; False if it is none of ours."""
    store = house.store
    return await store.db.submit(lambda tx: contacts.stop(tx, store.keyring, store.journal, token))


async def unlock(house: House, conversation: str, typed: str) -> str | phrases.Refusal:
    """The token of a device that knows everything, for four right words; or why not. Raises phrases.Unread."""
    words = phrases.read_phrase(typed)
    hardened = await asyncio.to_thread(phrases.harden, house.store.keyring, conversation, words)

    def work(tx: Connection) -> str | phrases.Refusal:
        refusal = phrases.check(tx, conversation, hardened)
        return refusal or open_way_in(house, tx, conversation, "device")

    return await house.store.db.submit(work)


async def follow(house: House, token: str) -> str | None:
    """The conversation that a mailed link leads to, or None; counts as a use."""
    keyring, today = house.store.keyring, house.today()
    found = await house.store.db.submit(lambda tx: ways.find(tx, keyring, token, today, "mail", limited=True))
    return found.conversation if found else None
