"""Chats of a messaging service (Telegram): each is a way into a conversation, and a place where it is shown.

One rule: a chat's number stands in clear nowhere. The way is a keyed hash of it; what is needed to write there (the
number, the message that carries the buttons) is sealed with the conversation's key, and goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, insert, select, update

from store import ways
from store.keys import DataKey, Keyring
from store.tables import chats


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a conversation is shown. `way`: keyed hash; `blocked`: its owner wants no more messages."""

    way: bytes
    conversation: str
    blocked: bool
    sealed: bytes = field(repr=False)

    def state(self, key: DataKey) -> bytes:
        """What `bind` or `keep` sealed. Raises store.keys.Tampered."""
        return key.unseal(self.sealed, table="chats", row=_row(self.conversation, self.way), column="state")


def token(keyring: Keyring, service: str, number: int) -> str:
    """The token of the way that a chat is."""
    return keyring.digest(f"chat/{service}", str(number)).hex()


def bind(
    tx: Connection, keyring: Keyring, key: DataKey, conversation: str, token: str, state: bytes, today: date
) -> bytes:
    """Make this chat a way into this conversation, and into no other; the way."""
    ways.revoke(tx, keyring, token)
    ways.issue(tx, keyring, conversation, "telegram", today, token=token)
    way = ways.digest(keyring, token)
    row = {"way": way, "conversation": conversation, "blocked": False, "state": _sealed(key, conversation, way, state)}
    tx.execute(insert(chats).values(row))
    return way


def find(tx: Connection, keyring: Keyring, token: str, today: date) -> tuple[Chat, ways.Way] | None:
    """The chat with this token and what its way opens, or None. Reads only."""
    way = ways.look_up(tx, keyring, token, today)
    chat = at(tx, ways.digest(keyring, token)) if way else None
    return (chat, way) if chat and way else None


def at(tx: Connection, way: bytes) -> Chat | None:
    """The chat of this way, or None."""
    row = tx.execute(select(chats).where(chats.c.way == way)).one_or_none()
    return None if row is None else Chat(row.way, row.conversation, row.blocked, row.state)


def of(tx: Connection, conversation: str) -> list[Chat]:
    """The chats of a conversation that take messages."""
    mine = select(chats).where(chats.c.conversation == conversation, chats.c.blocked.is_(False))
    return [Chat(row.way, row.conversation, row.blocked, row.state) for row in tx.execute(mine.order_by(chats.c.way))]


def keep(tx: Connection, key: DataKey, chat: Chat, state: bytes) -> None:
    """Remember what the chat shows now."""
    sealed = _sealed(key, chat.conversation, chat.way, state)
    mine = (chats.c.way == chat.way) & (chats.c.conversation == chat.conversation)
    tx.execute(update(chats).where(mine).values(state=sealed))


def block(tx: Connection, way: bytes, *, blocked: bool) -> None:
    """Stop (or resume) writing to a chat; its conversation stays."""
    tx.execute(update(chats).where(chats.c.way == way).values(blocked=blocked))


def _row(conversation: str, way: bytes) -> str:
    return f"{conversation}/{way.hex()}"


def _sealed(key: DataKey, conversation: str, way: bytes, state: bytes) -> bytes:
    return key.seal(state, table="chats", row=_row(conversation, way), column="state")
