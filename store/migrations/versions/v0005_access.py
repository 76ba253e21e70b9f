"""Accounts, invitations, passkeys, sign-ins, and an access log that only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# A line of the log goes with its conversation (an erasure cascades to it), and in no other way.
_SQLITE = (
    """CREATE TRIGGER openings_never_change BEFORE UPDATE ON openings
       BEGIN SELECT RAISE(ABORT, 'the access log only grows'); END""",
    """CREATE TRIGGER openings_never_go BEFORE DELETE ON openings
       WHEN EXISTS (SELECT 1 FROM conversations WHERE id = OLD.conversation)
       BEGIN SELECT RAISE(ABORT, 'the access log only grows'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION openings_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           IF TG_OP = 'DELETE' THEN
               IF NOT EXISTS (SELECT 1 FROM conversations WHERE id = OLD.conversation) THEN RETURN OLD; END IF;
           END IF;
           RAISE EXCEPTION 'the access log only grows' USING ERRCODE = 'restrict_violation';
       END $$""",
    """CREATE TRIGGER openings_never_change BEFORE UPDATE OR DELETE ON openings
       FOR EACH ROW EXECUTE FUNCTION openings_only_grow()""",
    """CREATE TRIGGER openings_never_emptied BEFORE TRUNCATE ON openings
       FOR EACH STATEMENT EXECUTE FUNCTION openings_only_grow()""",
)


def upgrade() -> None:
    _people()
    _ways_in()
    _log()


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "invitations",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_invitations_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_account"), "invitations", ["account"], unique=False)


def _ways_in() -> None:
    op.create_table(
        "passkeys",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_passkeys_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_passkeys")),
    )
    op.create_index(op.f("ix_passkeys_account"), "passkeys", ["account"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("passkey", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_sign_ins_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["passkey"], ["passkeys.digest"], name=op.f("fk_sign_ins_passkey_passkeys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_account"), "sign_ins", ["account"], unique=False)
    op.create_index(op.f("ix_sign_ins_opened_at"), "sign_ins", ["opened_at"], unique=False)
    op.create_table(
        "spent_challenges",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_challenges")),
    )
    op.create_index(op.f("ix_spent_challenges_expires_at"), "spent_challenges", ["expires_at"], unique=False)


def _log() -> None:
    op.create_table(
        "openings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"],
            ["conversations.id"],
            name=op.f("fk_openings_conversation_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_openings_account_accounts"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openings")),
    )
    op.create_index(op.f("ix_openings_conversation"), "openings", ["conversation"], unique=False)
    op.create_index(op.f("ix_openings_account"), "openings", ["account"], unique=False)
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)
