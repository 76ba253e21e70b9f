"""The worker: takes due jobs from the outbox and does them, inside `serve`.

A job's kind names who does it (`Doers`, filled where the process starts). Recurring work enqueues itself by key, so
that any number of starts and crashes does it once an hour. What cannot leave now is tried again, later and later; what
can never leave is given up, loudly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from bot.house import House
from store import codes, conversations, faults, inbox, outbox, ways
from store.engine import Unavailable
from store.outbox import Job

LOOK_EVERY = 60.0
"""Seconds between two looks at the outbox when nothing rings."""
LEASE = timedelta(minutes=1)
AT_ONCE = 8
"""Jobs under way at once, each of another conversation."""
FIRST = 0.25
"""Seconds before a second try; each further try waits twice as long."""
SLOWEST = 30.0
"""Seconds between two tries at most: when the outside is back, what waits leaves soon."""
SETTLING = (0.1, 0.5, 1.0, 5.0, 10.0, 20.0)
"""Seconds between two tries to save what became of a job, less than the lease in all."""
FAULTS = 5
"""Tries given to a job that fails by our own fault."""
REMEMBER_INCOMING = timedelta(days=3)
"""How long an incoming id is remembered; every door redelivers for at most a day."""
KEEP_DONE = timedelta(days=7)
FINISHING = 5.0
"""Seconds left to jobs under way when the process stops."""

log = structlog.get_logger("worker")

Save = Callable[[Connection], None]
Doer = Callable[[House, Job], Awaitable[Save | None]]
"""Does a job outside any transaction; gives back what to save with its mark. Raises Later or Never."""
Doers = Mapping[str, Doer]
T = TypeVar("T")


class Later(Exception):
    """It cannot leave now. `after`: seconds asked for by the other side; `maybe`: it may have left all the same."""

    def __init__(self, reason: str, *, after: float | None = None, maybe: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.maybe = reason, after, maybe


class Never(Exception):
    """It will never leave as it is; the message is a code, with nothing of what was to be said."""


async def work_for_ever(house: House, doers: Doers | None = None) -> None:
    """Do what is due until cancelled, several conversations at once; a database that does not answer is waited for."""
    known = {**_OWN, **(doers or {})}
    house.bell.listen()
    running: set[asyncio.Task[None]] = set()

    def over(task: asyncio.Task[None]) -> None:
        running.discard(task)
        house.bell.ring()

    try:
        if house.store.db.is_sqlite:
            await _patiently(house.store.db.submit(outbox.release))
        while True:
            if len(running) >= AT_ONCE:  # the end of one of them rings
                await house.bell.wait(LOOK_EVERY)
                continue
            job = await _patiently(_take(house, known))
            if job is None:
                await house.bell.wait(await _until_next(house, known))
                continue
            task = asyncio.create_task(_patiently(_do(house, known, job)))
            running.add(task)
            task.add_done_callback(over)
    finally:
        if running:
            await asyncio.wait(running, timeout=FINISHING)
        for task in running:
            task.cancel()


async def work_once(house: House, doers: Doers | None = None) -> bool:
    """Do one due job, if there is one; whether there was."""
    known = {**_OWN, **(doers or {})}
    job = await _take(house, known)
    if job is not None:
        await _do(house, known, job)
    return job is not None


async def _take(house: House, doers: Doers) -> Job | None:
    """Enqueue the hour's purge if nobody has, then take the oldest due job that somebody here does."""
    now = house.now()

    def take(tx: Connection) -> Job | None:
        outbox.enqueue_unique(tx, "purge", now.strftime("%Y-%m-%dT%H"), now)
        return outbox.claim(tx, now, LEASE, kinds=tuple(doers))

    return await house.store.db.submit(take)


async def _do(house: House, doers: Doers, job: Job) -> None:
    save: Save | None = None
    mark: Save = partial(outbox.done, job=job.id)
    faults.point(f"before {job.kind}")
    try:
        save = await doers[job.kind](house, job)
    except Later as later:
        wait = later.after if later.after is not None else min(SLOWEST, FIRST * 2.0 ** min(job.attempts - 1, 10))
        log.warning("job_waits", kind=job.kind, reason=later.reason, attempts=job.attempts, seconds=wait)
        mark = partial(outbox.retry, job=job.id, due_at=house.now() + timedelta(seconds=wait), maybe=later.maybe)
    except Never as never:
        log.error("job_given_up", kind=job.kind, reason=str(never), attempts=job.attempts)
        mark = partial(outbox.fail, job=job.id)
    except Unavailable as error:
        log.warning("job_waits", kind=job.kind, reason=str(error), attempts=job.attempts, seconds=FIRST)
        mark = partial(outbox.retry, job=job.id, due_at=house.now() + timedelta(seconds=FIRST), maybe=True)
    except Exception as error:  # noqa: BLE001 — a fault of ours in one job must not stop the others
        again = job.attempts < FAULTS
        log.error("job_failed", kind=job.kind, reason=type(error).__name__, attempts=job.attempts, again=again)
        due = house.now() + timedelta(seconds=FIRST * 2.0**job.attempts)
        mark = partial(outbox.retry, job=job.id, due_at=due, maybe=True) if again else partial(outbox.fail, job=job.id)

    def settle(tx: Connection) -> None:
        if save is not None:
            save(tx)
        mark(tx)

    faults.point(f"after {job.kind}")
    await _insist(house, settle)


async def _insist(house: House, save: Save) -> None:
    """Save what became of a job, again until its lease ends: what has left must be marked, or it leaves twice."""
    for wait in SETTLING:
        try:
            await house.store.db.submit(save)
        except Unavailable:
            await asyncio.sleep(wait)
        else:
            return
    await house.store.db.submit(save)


async def _until_next(house: House, doers: Doers) -> float:
    """Seconds to wait for what is next, unless the bell rings."""
    due = await _patiently(house.store.db.query(lambda tx: outbox.next_due(tx, tuple(doers))))
    wait = (due - house.now()).total_seconds() if due else LOOK_EVERY
    return min(LOOK_EVERY, wait) if wait > 0 else 1.0


async def _patiently(work: Awaitable[T]) -> T | None:
    """The answer, or None after a while when the database does not answer: what is leased comes back by itself."""
    try:
        return await work
    except Unavailable as error:
        log.warning("worker_waits", reason=str(error))
    except Exception as error:  # noqa: BLE001 — one job's fault, or one query's, must not stop the worker
        log.error("worker_failed", reason=type(error).__name__)
    await asyncio.sleep(1)
    return None


async def _purge(house: House, job: Job) -> None:
    erased = await house.store.db.submit(lambda tx: purge(house, tx, job))
    if erased:
        await asyncio.to_thread(house.store.db.scrub)
        log.info("purged", conversations=erased)


def purge(house: House, tx: Connection, job: Job) -> int:
    """Erase what has reached its day, forget what no longer serves, and mark the job done; conversations erased."""
    now, today = house.now(), house.today()
    erased = conversations.purge(tx, now)
    inbox.forget(tx, today - REMEMBER_INCOMING)
    ways.forget(tx, today)
    codes.forget(tx, now)
    outbox.done(tx, job.id)
    outbox.forget(tx, now - KEEP_DONE)
    return erased


_OWN: Doers = {"purge": _purge}
