"""The tables, as one metadata on which rooms that remember something declare their own.

One rule: what says something about a firm is sealed. In clear stand opaque ids, keyed hashes, dates, and the few
columns that are counted. Moments are UTC and aware; a day is a plain date.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on both databases. Raises ValueError on a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must carry its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def of_conversation(*, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    """A column naming the conversation a row belongs to; the row goes when the conversation is erased."""
    target = ForeignKey("conversations.id", ondelete="CASCADE")
    return Column("conversation", Text, target, nullable=nullable, primary_key=primary_key)


def only_where(condition: str, *indexes: tuple[str, ...]) -> tuple[Index, ...]:
    """Indexes of the rows that meet a condition, which must stand word for word in what is asked, for SQLite."""
    where = text(condition)
    return tuple(Index(None, *columns, sqlite_where=where, postgresql_where=where) for columns in indexes)


GIVEN_UP = "state IN ('failed', 'expired', 'unknown', 'dropped')"
"""Jobs of the outbox that ended otherwise than done."""

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("flow", Text, nullable=False),
    Column("branch", Text),
    Column("size", Text),
    Column("entry", Text, nullable=False),
    Column("campaign", Text),
    Column("trial", Boolean, nullable=False),
    Column("trial_until", Moment),
    Column("status", Text, nullable=False),
    Column("step", Text),
    Column("purge_on", Date, nullable=False, index=True),
    Column("last_on", Date, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    of_conversation(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("door", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("received_on", Date, nullable=False, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    of_conversation(nullable=True),
    Column("revision", Integer),
    Column("n", Integer),
    Column("dedup", Text, unique=True),
    Column("kind", Text, nullable=False),
    Column("line", Text),
    Column("payload", LargeBinary),
    Column("due_at", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),  # when it may be taken: due, tried again, or its lease ended
    Column("expires_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("claims", Integer, nullable=False),  # how many times it was taken: never counted anew
    Column("state", Text, nullable=False),
    Column("settled_at", Moment),
    Column("reason", Text),  # a code, of the last try that did not work
    UniqueConstraint("conversation", "revision", "n"),
    *only_where("settled_at IS NULL", ("next_at", "id")),  # what is settled is never looked through
    *only_where("settled_at IS NULL AND line IS NOT NULL", ("line", "id")),
    *only_where("settled_at IS NOT NULL", ("settled_at",)),
    *only_where(GIVEN_UP, ("state",)),
    sqlite_autoincrement=True,  # an id is never given twice
)

flows = Table(
    "flows",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("content", Text, nullable=False),
)

ways = Table(
    "ways",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    of_conversation(),
    Column("kind", Text, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("expires_on", Date, nullable=False, index=True),
    Index(None, "conversation", "kind"),
)

chats = Table(
    "chats",
    metadata,
    Column("way", LargeBinary, ForeignKey("ways.digest", ondelete="CASCADE"), primary_key=True),
    of_conversation(),
    Column("blocked", Boolean, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index(None, "conversation"),
)

codes = Table(
    "codes",
    metadata,
    Column("locator", Text, primary_key=True),
    of_conversation(),
    Column("digest", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "conversation"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Text, primary_key=True),
    of_conversation(),
    Column("purpose", Text, nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("stop", LargeBinary, nullable=False, index=True),
    Column("proof", LargeBinary, unique=True),
    Column("left_at", Moment, nullable=False, index=True),
    Column("confirmed_on", Date),
    UniqueConstraint("conversation", "purpose"),
)

mail_stops = Table(
    "mail_stops",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
)

phrases = Table(
    "phrases",
    metadata,
    of_conversation(primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
)

daily = Table(
    "daily",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("n", Integer, nullable=False),
)

tallies = Table(
    "tallies",
    metadata,
    Column("door", Text, primary_key=True),
    Column("milestone", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)


def insert_once(tx: Connection, table: Table, **values: object) -> bool:
    """Insert a row unless a primary key or unique column says it is there already; True if it was inserted."""
    return tx.execute(_inserting(table, tx.dialect.name), values).first() is not None


@cache
def _inserting(table: Table, dialect: str) -> ReturningInsert[Any]:
    """Made once: making a statement costs as much as running it."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)
