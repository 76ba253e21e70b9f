"""Ways into a conversation: a device's token, a return link, a hand-over code. `store` decides what each opens."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.house import House
from store import codes, conversations, ways


async def who(house: House, token: str) -> str | None:
    """The conversation that this token opens, or None. Counts as a use, written at most once a day."""
    store, today = house.store, house.today()
    way = await store.db.query(lambda tx: ways.look_up(tx, store.keyring, token, today))
    if way and way.last_on < today:
        way = await store.db.submit(lambda tx: ways.find(tx, store.keyring, token, today))
    return way.conversation if way else None


async def who_limited(house: House, token: str) -> str | None:
    """The conversation of which this token, come by e-mail, opens the next question; None for any other. Reads only."""
    store, today = house.store, house.today()
    way = await store.db.query(lambda tx: ways.look_up(tx, store.keyring, token, today, "mail", limited=True))
    return way.conversation if way else None


async def open_way(house: House, conversation: str, kind: ways.Kind) -> str:
    """A new token into this conversation; it is told once."""
    return await house.store.db.submit(lambda tx: open_way_in(house, tx, conversation, kind))


async def close_way(house: House, token: str) -> None:
    """Close the way that this token opens."""
    await house.store.db.submit(lambda tx: ways.revoke(tx, house.store.keyring, token))


async def close_ways(house: House, conversation: str, kind: ways.Kind) -> None:
    """Close every way of one kind into a conversation: all its return links, for one."""
    await house.store.db.submit(lambda tx: ways.revoke_all(tx, conversation, kind))


async def hand_over(house: House, conversation: str) -> str:
    """A code of 8 characters that opens this conversation elsewhere, once, for 15 minutes."""
    return await house.store.db.submit(lambda tx: codes.issue_code(tx, house.store.keyring, conversation, house.now()))


async def redeem(house: House, typed: str) -> str | codes.Refusal:
    """The token of a new device, from a hand-over code; or why the code opens nothing. A wrong try counts."""

    def work(tx: Connection) -> str | codes.Refusal:
        keyring = house.store.keyring
        found = codes.redeem(tx, keyring, typed, house.now())
        return found if isinstance(found, codes.Refusal) else open_way_in(house, tx, found, "device")

    return await house.store.db.submit(work)


def open_way_in(house: House, tx: Connection, conversation: str, kind: ways.Kind) -> str:
    """A way that stays open as long as the answers are kept."""
    until = conversations.kept_until(tx, conversation)
    return ways.issue(tx, house.store.keyring, conversation, kind, house.today(), until=until)
