"""The outbox gets lines, an end, and a number for each taking; what is settled leaves its indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_INDEXES = (
    ("ix_outbox_next_at_id", ["next_at", "id"], "settled_at IS NULL"),
    ("ix_outbox_line_id", ["line", "id"], "settled_at IS NULL AND line IS NOT NULL"),
    ("ix_outbox_settled_at", ["settled_at"], "settled_at IS NOT NULL"),
    ("ix_outbox_state", ["state"], "state IN ('failed', 'expired', 'unknown', 'dropped')"),
)


def upgrade() -> None:
    op.drop_index(op.f("ix_outbox_state_due_at"), "outbox")
    for column in (
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("claims", sa.Integer(), nullable=True),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
    ):
        op.add_column("outbox", column)
    op.execute(
        "UPDATE outbox SET line = CASE WHEN kind LIKE 'telegram.%' THEN conversation END, "
        "next_at = coalesce(leased_until, due_at), claims = attempts, "
        "settled_at = CASE WHEN state IN ('done', 'failed') THEN due_at END"
    )
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("next_at", existing_type=_MOMENT, nullable=False)
        table.alter_column("claims", existing_type=sa.Integer(), nullable=False)
        table.drop_column("leased_until")
    for name, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(op.f(name), "outbox", columns, sqlite_where=where, postgresql_where=where)
