"""The tables of this room, on the store's metadata.

One rule: who a consultant is, and what a firm told to be visited, is sealed; a firm's words with its conversation's
key, so that they go with it. In clear: opaque ids, hours and dates, branch, status. A slice belongs to one visit: the
primary key of `visit_slices` is the last word on a time.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text

from store.tables import Moment, metadata, of_conversation


def of_consultant(*, primary_key: bool = False) -> Column[str]:
    """A column naming the consultant a row belongs to."""
    target = ForeignKey("consultants.id", ondelete="CASCADE")
    return Column("consultant", Text, target, nullable=False, primary_key=primary_key)


consultants = Table(
    "consultants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("photo", LargeBinary),
    Column("calendar", LargeBinary),
    Column("calendar_read_at", Moment),
    Column("calendar_fault", Text),
    Column("feed", LargeBinary, unique=True),
    Column("left_on", Date),
)

working_hours = Table(
    "working_hours",
    metadata,
    of_consultant(primary_key=True),
    Column("weekday", Integer, primary_key=True, autoincrement=False),
    Column("opens", Integer, primary_key=True, autoincrement=False),
    Column("closes", Integer, nullable=False),
)

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    of_consultant(),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("opens", Boolean, nullable=False),
    Index(None, "consultant"),
)

busy_times = Table(
    "busy_times",
    metadata,
    of_consultant(primary_key=True),
    Column("starts_at", Moment, primary_key=True),
    Column("ends_at", Moment, nullable=False),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="SET NULL")),
    Column("consultant", Text, ForeignKey("consultants.id", ondelete="RESTRICT"), nullable=False),
    Column("status", Text, nullable=False),
    Column("held_until", Moment),
    Column("held_since", Moment),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("on_site", Boolean, nullable=False),
    Column("branch", Text),
    Column("sharing", Text, nullable=False),
    Column("booked_at", Moment),
    Column("sequence", Integer, nullable=False),
    Column("moves", Integer, nullable=False),
    Column("cancelled_by", Text),
    Column("wrapped_key", LargeBinary),
    Column("details", LargeBinary),
    Column("visit_on", Date),
    Column("report_on", Date),
    Column("debrief_on", Date),
    Column("support_from", Date),
    Column("support_to", Date),
    Column("support_days", Integer),
    Index(None, "consultant", "starts_at"),
    Index(None, "conversation"),
    Index(None, "status", "branch"),
)

visit_slices = Table(
    "visit_slices",
    metadata,
    of_consultant(primary_key=True),
    Column("slice", BigInteger, primary_key=True, autoincrement=False),
    Column("booking", Text, ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False, index=True),
)

waiting = Table(
    "waiting",
    metadata,
    of_conversation(primary_key=True),
    Column("branch", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("called_at", Moment),
    Index(None, "branch", "since"),
)

branch_places = Table("branch_places", metadata, Column("branch", Text, primary_key=True))
"""The book of times and places: its one row is locked by whoever takes or gives one back (`bookings.lock`)."""

calls = Table(
    "calls",
    metadata,
    Column("booking", Text, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("what", Text, primary_key=True),
    of_consultant(),
    Column("due_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index(None, "consultant", "due_at"),
)

visit_files = Table(
    "visit_files",
    metadata,
    Column("booking", Text, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), index=True),
    Column("handed", LargeBinary),
    Column("read", LargeBinary),
    Column("diagnosis", LargeBinary),
)
