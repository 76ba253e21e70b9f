"""The expert's visit: consultants, their time, bookings, the waiting list, calls to make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "branch_places",
        sa.Column("branch", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("branch", name=op.f("pk_branch_places")),
    )
    op.create_table(
        "consultants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("calendar", sa.LargeBinary(), nullable=True),
        sa.Column("calendar_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calendar_fault", sa.Text(), nullable=True),
        sa.Column("feed", sa.LargeBinary(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultants")),
        sa.UniqueConstraint("feed", name=op.f("uq_consultants_feed")),
    )
    op.create_table(
        "bookings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=True),
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_site", sa.Boolean(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("sharing", sa.Text(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("visit_on", sa.Date(), nullable=True),
        sa.Column("report_on", sa.Date(), nullable=True),
        sa.Column("debrief_on", sa.Date(), nullable=True),
        sa.Column("support_from", sa.Date(), nullable=True),
        sa.Column("support_to", sa.Date(), nullable=True),
        sa.Column("support_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_bookings_consultant_consultants"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_bookings_conversation_conversations"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
    )
    op.create_index(op.f("ix_bookings_consultant_starts_at"), "bookings", ["consultant", "starts_at"], unique=False)
    op.create_index(op.f("ix_bookings_conversation"), "bookings", ["conversation"], unique=False)
    op.create_index(op.f("ix_bookings_status_branch"), "bookings", ["status", "branch"], unique=False)
    op.create_table(
        "busy_times",
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_busy_times_consultant_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("consultant", "starts_at", name=op.f("pk_busy_times")),
    )
    op.create_table(
        "exceptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_exceptions_consultant_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exceptions")),
    )
    op.create_index(op.f("ix_exceptions_consultant"), "exceptions", ["consultant"], unique=False)
    op.create_table(
        "waiting",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_waiting_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation", name=op.f("pk_waiting")),
    )
    op.create_index(op.f("ix_waiting_branch_since"), "waiting", ["branch", "since"], unique=False)
    op.create_table(
        "working_hours",
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opens", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_working_hours_consultant_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("consultant", "weekday", "opens", name=op.f("pk_working_hours")),
    )
    op.create_table(
        "calls",
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_calls_booking_bookings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_calls_consultant_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking", "what", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_consultant_due_at"), "calls", ["consultant", "due_at"], unique=False)
    op.create_table(
        "visit_slices",
        sa.Column("consultant", sa.Text(), nullable=False),
        sa.Column("slice", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_visit_slices_booking_bookings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["consultant"], ["consultants.id"], name=op.f("fk_visit_slices_consultant_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("consultant", "slice", name=op.f("pk_visit_slices")),
    )
    op.create_index(op.f("ix_visit_slices_booking"), "visit_slices", ["booking"], unique=False)
