"""What Alembic runs: the open transaction that `store.migrations.run` gives it, and nothing else."""

from __future__ import annotations

from alembic import context

from store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations through store.migrations.upgrade, which guards them")
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
