"""A visit's file: the answers as handed over, what was last read of them, the diagnosis on site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visit_files",
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=True),
        sa.Column("handed", sa.LargeBinary(), nullable=True),
        sa.Column("read", sa.LargeBinary(), nullable=True),
        sa.Column("diagnosis", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_visit_files_booking_bookings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_visit_files_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("booking", name=op.f("pk_visit_files")),
    )
    op.create_index(op.f("ix_visit_files_conversation"), "visit_files", ["conversation"], unique=False)
