"""The tables of this room, on the store's metadata.

One rule: a person's name, address and devices are sealed with the account's own key. In clear: opaque ids, role,
branch, dates, keyed hashes, public keys. The access log only grows: triggers of the migration refuse anything else.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text

from store.tables import Moment, metadata, of_conversation


def of_account(*, ondelete: str = "CASCADE") -> Column[str]:
    """A column naming the account a row belongs to."""
    return Column("account", Text, ForeignKey("accounts.id", ondelete=ondelete), nullable=False)


accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("branch", Text),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("profile", LargeBinary, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("revoked_on", Date),
)

invitations = Table(
    "invitations",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    of_account(),
    Column("purpose", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index(None, "account"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    of_account(),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("used_on", Date),
    Column("blocked_at", Moment),
    Index(None, "account"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    of_account(),
    Column("passkey", LargeBinary, ForeignKey("passkeys.digest", ondelete="CASCADE"), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Index(None, "account"),
    Index(None, "opened_at"),
)

spent_challenges = Table(
    "spent_challenges",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)

openings = Table(
    "openings",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    of_conversation(),
    of_account(ondelete="RESTRICT"),
    Column("what", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "conversation"),
    Index(None, "account"),
)
