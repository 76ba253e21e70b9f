"""The worker: takes due jobs from the outbox and does them, inside `serve`. For now one job, the hourly purge.

Recurring work enqueues itself by key, so that any number of starts and crashes does it once an hour, not once a start.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from bot.house import House
from store import codes, conversations, inbox, outbox, ways
from store.engine import Unavailable

LOOK_EVERY = 60.0
"""Seconds between two looks at the outbox."""
LEASE = timedelta(minutes=5)
REMEMBER_INCOMING = timedelta(days=3)
"""How long an incoming id is remembered; every door redelivers for at most a day."""
KEEP_DONE = timedelta(days=7)

log = structlog.get_logger("worker")


async def work_for_ever(house: House) -> None:
    """Do what is due until cancelled; a database that does not answer is waited for."""
    while True:
        try:
            while await work_once(house):
                pass
        except Unavailable as error:
            log.warning("worker_waits", reason=str(error))
        await asyncio.sleep(LOOK_EVERY)


async def work_once(house: House) -> bool:
    """Enqueue the hour's purge if nobody has, then do one due job; whether there was one."""
    db, now = house.store.db, house.now()

    def take(tx: Connection) -> outbox.Job | None:
        outbox.enqueue_unique(tx, "purge", now.strftime("%Y-%m-%dT%H"), now)
        return outbox.claim(tx, now, LEASE, kind="purge")

    job = await db.submit(take)
    if job is None:
        return False
    erased = await db.submit(lambda tx: purge(house, tx, job))
    if erased:
        await asyncio.to_thread(db.scrub)
        log.info("purged", conversations=erased)
    return True


def purge(house: House, tx: Connection, job: outbox.Job) -> int:
    """Erase what has reached its day, forget what no longer serves, and mark the job done; conversations erased."""
    now, today = house.now(), house.today()
    erased = conversations.purge(tx, now)
    inbox.forget(tx, today - REMEMBER_INCOMING)
    ways.forget(tx, today)
    codes.forget(tx, now)
    outbox.done(tx, job.id)
    outbox.forget(tx, now - KEEP_DONE)
    return erased
