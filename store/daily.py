"""How often something was done today, by keyed hash: counted in the database, so that every process counts together.

One rule: a hash holds its day, so that no row tells of another day. Called inside the transaction of what is counted.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, delete, update

from store.keys import Keyring
from store.tables import daily, insert_once


def count(tx: Connection, keyring: Keyring, what: str, who: str, today: date, *, most: int) -> bool:
    """Count one more; False, and nothing counted, when there were `most` today."""
    digest = keyring.digest(f"daily/{what}", f"{today.isoformat()}/{who}")
    insert_once(tx, daily, digest=digest, day=today, n=0)
    more = update(daily).where(daily.c.digest == digest, daily.c.n < most).values(n=daily.c.n + 1)
    return tx.execute(more).rowcount == 1


def forget(tx: Connection, today: date) -> int:
    """Delete the counts of other days; how many."""
    return tx.execute(delete(daily).where(daily.c.day < today)).rowcount
