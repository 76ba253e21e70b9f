"""Versions of questionnaires under way, kept so that a session finishes on the one it started with."""

from __future__ import annotations

from sqlalchemy import Connection, select

from store import tables


def pin(tx: Connection, fingerprint: str, flow: str, version: str, content: str) -> None:
    """Keep this version for good; a fingerprint already kept is left as it is."""
    tables.insert_once(tx, tables.flows, fingerprint=fingerprint, flow=flow, version=version, content=content)


def pinned(tx: Connection, fingerprint: str) -> tuple[str, str] | None:
    """The flow's id and the content kept under this fingerprint, or None."""
    kept = select(tables.flows.c.flow, tables.flows.c.content).where(tables.flows.c.fingerprint == fingerprint)
    row = tx.execute(kept).one_or_none()
    return None if row is None else (row.flow, row.content)
