"""Chats of a messaging service, as ways into a conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("way", sa.LargeBinary(), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["way"], ["ways.digest"], name=op.f("fk_chats_way_ways"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name=op.f("fk_chats_conversation_conversations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("way", name=op.f("pk_chats")),
    )
    op.create_index(op.f("ix_chats_conversation"), "chats", ["conversation"], unique=False)
