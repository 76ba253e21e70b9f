"""The tables of the branches. In clear, as counts only; what says something of a firm is sealed with its own key.

One rule: nothing here says in which wave a conversation was counted. What waits is deleted when its wave closes.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, Table, Text

from store.tables import metadata, of_conversation

campaigns = Table(
    "campaigns",
    metadata,
    Column("code", Text, primary_key=True),
    Column("branch", Text, nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("issue", Text, nullable=False),
    Column("opens_on", Date, nullable=False),
    Column("closes_on", Date),
    Column("closed_on", Date),
)

campaign_steps = Table(
    "campaign_steps",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

reached = Table(
    "reached",
    metadata,
    of_conversation(primary_key=True),
    Column("step", Text, primary_key=True),  # a keyed mark: it does not say which step
    sqlite_with_rowid=False,
)

weekly = Table(
    "weekly",
    metadata,
    Column("branch", Text, primary_key=True),
    Column("monday", Date, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("n", Integer, nullable=False),
)

stops = Table(
    "stops",
    metadata,
    Column("branch", Text, primary_key=True),
    Column("section", Text, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
)

partitions = Table(
    "partitions",
    metadata,
    Column("branch", Text, primary_key=True),
    Column("partition", Text, nullable=False),
)

contributions = Table(
    "contributions",
    metadata,
    of_conversation(primary_key=True),
    Column("partition", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "partition"),
    sqlite_with_rowid=False,
)

waves = Table(
    "waves",
    metadata,
    Column("partition", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("monday", Date, nullable=False),
    Column("units", Integer, nullable=False),
    Column("bands", Text, nullable=False),
)
