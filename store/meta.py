"""A few values about the database itself, by name: the key's check value, the journal's mark."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from store.tables import insert_once, meta


def get(tx: Connection, key: str) -> str | None:
    """The value under this name, or None."""
    return tx.scalar(select(meta.c.value).where(meta.c.key == key))


def put(tx: Connection, key: str, value: str) -> None:
    """Set the value under this name."""
    if not insert_once(tx, meta, key=key, value=value):
        tx.execute(update(meta).where(meta.c.key == key).values(value=value))
