"""The branches: campaigns, counts by week, what waits for a wave, waves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_campaigns")),
    )
    op.create_index(op.f("ix_campaigns_branch"), "campaigns", ["branch"], unique=False)
    op.create_table(
        "campaign_steps",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "step", name=op.f("pk_campaign_steps")),
    )
    op.create_table(
        "weekly",
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "monday", "step", name=op.f("pk_weekly")),
    )
    op.create_table(
        "stops",
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch", "section", name=op.f("pk_stops")),
    )
    op.create_table(
        "partitions",
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("partition", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("branch", name=op.f("pk_partitions")),
    )
    op.create_table(
        "waves",
        sa.Column("partition", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("bands", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partition", "number", name=op.f("pk_waves")),
    )
    op.create_table(
        "reached",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_reached_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation", "step", name=op.f("pk_reached")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contributions",
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("partition", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_contributions_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation", name=op.f("pk_contributions")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_contributions_partition"), "contributions", ["partition"], unique=False)
