"""A conversation: one row with its own key, a sealed snapshot, and an append-only sealed log of facts.

One rule: a turn reads and writes one row, however long the conversation; the facts are for audit and replay.
Called by the turn, inside its transaction. The snapshot and the facts are bytes here, whatever they mean.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypedDict, Unpack

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from store import tables
from store.journal import Journal
from store.keys import DataKey, Keyring
from store.tables import conversations

SNAPSHOT_PAD = 2048
FACT_PAD = 256

# What every turn runs, made once: making a statement costs as much as running it.
_WANTED = select(conversations).where(conversations.c.id == bindparam("name"))
_LOCKED = _WANTED.with_for_update()
_NEXT = update(conversations).where(
    conversations.c.id == bindparam("name"), conversations.c.revision == bindparam("loaded")
)
_REVISION = select(conversations.c.revision).where(conversations.c.id == bindparam("name"))
_FACTS = insert(tables.facts)


class Moved(Exception):
    """The conversation changed since it was loaded: load it again; nothing was written."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One manager with the bot, as of one revision. `flow` is a fingerprint; `snapshot` is in clear here."""

    id: str
    revision: int
    key: DataKey = field(repr=False)
    snapshot: bytes = field(repr=False)
    flow: str
    branch: str | None
    size: str | None
    entry: str
    campaign: str | None
    trial: bool
    status: str
    step: str | None
    purge_on: date
    last_on: date


class Columns(TypedDict, total=False):
    """The columns in clear that a turn may change; one left out stays as it is."""

    flow: str
    branch: str | None
    size: str | None
    campaign: str | None
    status: str
    step: str | None
    purge_on: date
    last_on: date


def create(
    tx: Connection,
    keyring: Keyring,
    *,
    snapshot: bytes,
    flow: str,
    entry: str,
    today: date,
    purge_on: date,
    facts: Sequence[bytes] = (),
    branch: str | None = None,
    size: str | None = None,
    campaign: str | None = None,
    trial: bool = False,
    trial_until: datetime | None = None,
    status: str = "open",
    step: str | None = None,
) -> Conversation:
    """Open a conversation at revision 1. A trial goes at `trial_until` (24 hours on), or at `purge_on` if earlier."""
    name = secrets.token_hex(16)
    key, wrapped = keyring.new_data_key(name)
    made = Conversation(
        id=name,
        revision=1,
        key=key,
        snapshot=snapshot,
        flow=flow,
        branch=branch,
        size=size,
        entry=entry,
        campaign=campaign,
        trial=trial,
        status=status,
        step=step,
        purge_on=purge_on,
        last_on=today,
    )
    row = {
        "id": made.id,
        "wrapped_key": wrapped,
        "revision": made.revision,
        "snapshot": _sealed(made),
        "flow": flow,
        "branch": branch,
        "size": size,
        "entry": entry,
        "campaign": campaign,
        "trial": trial,
        "trial_until": trial_until,
        "status": status,
        "step": step,
        "purge_on": purge_on,
        "last_on": today,
    }
    tx.execute(insert(conversations).values(row))
    _append(tx, made, facts)
    return made


def load(tx: Connection, keyring: Keyring, name: str, *, lock: bool) -> Conversation | None:
    """The conversation of this id as it stands, or None. `lock` keeps other turns out until this transaction ends."""
    row = tx.execute(_LOCKED if lock else _WANTED, {"name": name}).one_or_none()
    if row is None:
        return None
    key = keyring.unwrap(row.id, row.wrapped_key)
    return Conversation(
        id=row.id,
        revision=row.revision,
        key=key,
        snapshot=key.unseal(row.snapshot, table="conversations", row=_at(row.id, row.revision), column="snapshot"),
        flow=row.flow,
        branch=row.branch,
        size=row.size,
        entry=row.entry,
        campaign=row.campaign,
        trial=row.trial,
        status=row.status,
        step=row.step,
        purge_on=row.purge_on,
        last_on=row.last_on,
    )


def hold(tx: Connection, keyring: Keyring, name: str) -> tuple[DataKey, int] | None:
    """The key and the revision of a conversation, locked, for who seals beside it and leaves it as it is; or None."""
    wanted = select(conversations.c.wrapped_key, conversations.c.revision).where(conversations.c.id == name)
    row = tx.execute(wanted.with_for_update()).one_or_none()
    return None if row is None else (keyring.unwrap(name, row.wrapped_key), row.revision)


def key_of(tx: Connection, keyring: Keyring, name: str) -> tuple[DataKey, int] | None:
    """`hold` without the lock, for who only reads what is sealed beside a conversation."""
    wanted = select(conversations.c.wrapped_key, conversations.c.revision).where(conversations.c.id == name)
    row = tx.execute(wanted).one_or_none()
    return None if row is None else (keyring.unwrap(name, row.wrapped_key), row.revision)


def save(
    tx: Connection,
    conversation: Conversation,
    *,
    snapshot: bytes,
    facts: Sequence[bytes] = (),
    **columns: Unpack[Columns],
) -> Conversation:
    """Write the next revision and its facts; give back the conversation as saved. Raises Moved on a stale one."""
    saved = replace(conversation, revision=conversation.revision + 1, snapshot=snapshot, **columns)
    row = {"revision": saved.revision, "snapshot": _sealed(saved), **columns}
    done = tx.execute(_NEXT, {"name": conversation.id, "loaded": conversation.revision, **row})
    if done.rowcount != 1:
        raise Moved(f"conversation changed since revision {conversation.revision}")
    _append(tx, saved, facts)
    return saved


def facts_of(tx: Connection, conversation: Conversation) -> list[bytes]:
    """Every fact, oldest first."""
    log = tables.facts
    rows = tx.execute(select(log).where(log.c.conversation == conversation.id).order_by(log.c.revision, log.c.n))
    return [
        conversation.key.unseal(
            row.payload, table="facts", row=_at(conversation.id, row.revision, row.n), column="payload"
        )
        for row in rows
    ]


def forget_facts(tx: Connection, conversation: Conversation) -> None:
    """Delete every fact of a conversation that starts over; `db.scrub()` after COMMIT."""
    tx.execute(delete(tables.facts).where(tables.facts.c.conversation == conversation.id))


def revision(tx: Connection, name: str) -> int | None:
    """How far this conversation has gone; None if it is not there. Opens nothing."""
    return tx.scalar(_REVISION, {"name": name})


def kept_until(tx: Connection, name: str) -> date | None:
    """The day when this conversation is purged if it stays silent; None if it is not there."""
    return tx.scalar(select(conversations.c.purge_on).where(conversations.c.id == name))


def erase(tx: Connection, keyring: Keyring, journal: Journal, name: str) -> bool:
    """Erase a conversation with its key, facts, ways, codes and messages; False if it was not there.

    The journal is on disk first, so that a restored backup cannot bring it back. Call `db.scrub()` after COMMIT.
    """
    journal.write(keyring, name)
    return tx.execute(delete(conversations).where(conversations.c.id == name)).rowcount == 1


def purge(tx: Connection, now: datetime) -> int:
    """Erase every conversation whose day has come and every trial whose hour has; how many. `db.scrub()` after.

    The journal is not needed: a restored backup brings these back with their dates, and the next purge erases them.
    """
    over = or_(conversations.c.purge_on <= now.date(), conversations.c.trial_until <= now)
    return tx.execute(delete(conversations).where(over)).rowcount


def _at(*parts: str | int) -> str:
    return "/".join(str(part) for part in parts)


def _sealed(conversation: Conversation) -> bytes:
    return conversation.key.seal(
        conversation.snapshot,
        table="conversations",
        row=_at(conversation.id, conversation.revision),
        column="snapshot",
        pad_to=SNAPSHOT_PAD,
    )


def _append(tx: Connection, conversation: Conversation, facts: Sequence[bytes]) -> None:
    if not facts:
        return
    tx.execute(_FACTS, [_fact(conversation, n, fact) for n, fact in enumerate(facts)])


def _fact(conversation: Conversation, n: int, fact: bytes) -> dict[str, object]:
    row = _at(conversation.id, conversation.revision, n)
    payload = conversation.key.seal(fact, table="facts", row=row, column="payload", pad_to=FACT_PAD)
    return {"conversation": conversation.id, "revision": conversation.revision, "n": n, "payload": payload}
