"""The worker: takes due jobs from the outbox and does them, inside `serve` or alone (`autodiag worker`).

A job's kind names who does it (`Doers`, filled in bot/serve.py): what it does is rows, committed with its mark, or
leaves, and is marked before and after. What cannot leave now is tried again, later and later; what can never leave, or
may have left and must not twice, is given up, loudly. Recurring work sets its own next time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from bot import rooms, stats, testing
from bot.house import House
from federations import funnel
from store import codes, contacts, conversations, daily, faults, inbox, outbox, ways
from store.engine import Unavailable
from store.outbox import Job, Overtaken

LOOK_EVERY = 60.0
"""Seconds between two looks at the outbox when nothing rings."""
AMONG_OTHERS = 10.0
"""The same on PostgreSQL, where another process may have died with a job in hand since the last look."""
LEASE = timedelta(minutes=1)
"""How long a job stays with who took it: after that, whoever is there takes it over."""
DEADLINE = 30.0
"""Seconds given to one try; with `SETTLING`, less than the lease."""
AT_ONCE = 8
"""Jobs under way at once, each of another line."""
FIRST = 0.25
"""Seconds before a second try, at most; each further try waits up to twice as long."""
SLOWEST = 30.0
"""Seconds between two tries at most: when the outside is back, what waits leaves soon."""
TRIES_FOR = timedelta(days=3)
"""How long what cannot leave is tried, from when it was due: longer than the outside is ever down."""
SETTLING = (0.1, 0.5, 1.0, 5.0, 10.0)
"""Seconds between two tries to save what became of a job."""
FAULTS = 5
"""Tries given to a job that fails by our own fault."""
REMEMBER_INCOMING = timedelta(days=3)
"""How long an incoming id is remembered; every door redelivers for at most a day."""
KEEP_DONE = timedelta(days=7)
KEEP_GIVEN_UP = timedelta(days=30)
"""How long the operator finds what was not done in `autodiag outbox list`."""
FINISHING = 5.0
"""Seconds left to jobs under way when the process stops."""
WENT_BACK = timedelta(seconds=30)
"""A clock that goes back further than this is brought back to its time, and what waits with it."""

log = structlog.get_logger("worker")

Save = Callable[[Connection], None]
After = Callable[[], Awaitable[None]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sends:
    """Something leaves: done outside any transaction. `do` gives back what to save with the mark, if anything.

    `do` reads first, then sends: it raises Later or Never, and Unavailable only before anything left. `repeats`: one
    that may have left already leaves again (an edit: yes; a mail: no, it goes to the operator's list).
    """

    do: Callable[[House, Job], Awaitable[Save | None]]
    repeats: bool


@dataclass(frozen=True, slots=True)
class Writes:
    """Its effects are rows: done in the transaction that marks it, so wholly once. It may give what to do after COMMIT.

    It locks its conversation before it writes anything, like a turn. `every`: it comes back by itself, from the start.
    """

    do: Callable[[House, Connection, Job], After | None]
    every: timedelta | None = None


Doer = Sends | Writes
Doers = Mapping[str, Doer]


class Later(Exception):
    """It cannot leave now. `after`: seconds asked for by the other side; `maybe`: it may have left all the same."""

    def __init__(self, reason: str, *, after: float | None = None, maybe: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.maybe = reason, after, maybe


class Never(Exception):
    """It will never leave as it is; the message is a code, with nothing of what was to be said."""


async def work_for_ever(house: House, doers: Doers | None = None, *, look_every: float | None = None) -> None:
    """Do what is due until cancelled, several lines at once; a database that does not answer is waited for."""
    known = {**_OWN, **(doers or {})}
    usual = LOOK_EVERY if house.store.db.is_sqlite else AMONG_OTHERS
    look_every = testing.look_every(look_every or usual)
    house.bell.listen()
    running: dict[asyncio.Task[None], int] = {}

    def over(task: asyncio.Task[None]) -> None:
        running.pop(task, None)
        house.bell.ring()

    try:
        while await _patiently(_start(house, known)) is None:
            pass
        latest = house.now()
        while True:
            latest = await _patiently(_mind_the_clock(house, latest)) or latest
            if len(running) >= AT_ONCE:  # the end of one of them rings
                await house.bell.wait(look_every)
                continue
            job = await _patiently(_take(house, known, running.values()))
            if job is None:
                await house.bell.wait(await _until_next(house, known, running.values(), look_every))
                continue
            task = asyncio.create_task(_patiently(_do(house, known, job)))
            running[task] = job.id
            task.add_done_callback(over)
    finally:
        if running:
            await asyncio.wait(running, timeout=FINISHING)
        for task in list(running):
            task.cancel()


async def work_once(house: House, doers: Doers | None = None) -> bool:
    """Do one due job, if there is one; whether there was."""
    known = {**_OWN, **(doers or {})}
    await house.store.db.submit(partial(_arm, house, known))
    job = await _take(house, known)
    if job is not None:
        await _do(house, known, job)
    return job is not None


async def _start(house: House, doers: Doers) -> bool:
    """Set what recurs, and free what this process was at when it died, if it owns the database."""

    def work(tx: Connection) -> None:
        house.keep_time(tx)
        _arm(house, doers, tx)
        if house.store.db.is_sqlite:
            outbox.release(tx, house.now())

    await house.store.db.submit(work)
    return True


def _arm(house: House, doers: Doers, tx: Connection) -> None:
    for kind, doer in doers.items():
        if isinstance(doer, Writes) and doer.every is not None:
            outbox.arm(tx, kind=kind, key="every", due_at=house.now())


async def _mind_the_clock(house: House, latest: datetime) -> datetime:
    """The time, having brought back what would wait for a moment that is again to come."""
    now = house.now()
    if now < latest - WENT_BACK:
        log.warning("clock_went_back", seconds=round((latest - now).total_seconds()))
        await house.store.db.submit(lambda tx: outbox.bring_back(tx, now))
    return now


async def _take(house: House, doers: Doers, but: Collection[int] = ()) -> Job | None:
    """The oldest due job that somebody here does; those whose time has passed are told on the way."""

    def take(tx: Connection) -> Job | None:
        house.keep_time(tx)
        return outbox.claim(tx, house.now(), LEASE, kinds=tuple(doers), but=tuple(but))

    while (job := await house.store.db.submit(take)) is not None and job.expired:
        log.warning("job_expired", id=job.id, kind=job.kind, attempts=job.attempts)
    return job


async def _do(house: House, doers: Doers, job: Job) -> None:
    doer = doers[job.kind]
    try:
        if isinstance(doer, Writes):
            await _write(house, doer, job)
        else:
            await _send(house, doer, job)
    except Overtaken:
        log.warning("job_overtaken", id=job.id, kind=job.kind, attempts=job.attempts)


async def _write(house: House, doer: Writes, job: Job) -> None:
    def work(tx: Connection) -> After | None:
        then = doer.do(house, tx, job)
        outbox.done(tx, job, house.now())
        if doer.every is not None:
            outbox.schedule(tx, kind=job.kind, key="every", due_at=house.now() + doer.every)
        return then

    try:
        then = await house.store.db.submit(work)
    except Overtaken:
        raise
    except Exception as error:  # noqa: BLE001 — whatever it is, nothing was saved, and the others must go on
        await _insist(house, _mark(house, job, error, repeats=True, recurs=doer.every))
        return
    if then is not None:
        await then()


async def _send(house: House, doer: Sends, job: Job) -> None:
    save: Save | None = None
    if job.maybe_done and not doer.repeats:
        mark = _doubted(house, job, "lease")
    else:
        try:
            faults.point(f"before {job.kind} {job.id}")
            async with asyncio.timeout(DEADLINE):
                save = await doer.do(house, job)
            faults.point(f"after {job.kind} {job.id}")
            mark = partial(outbox.done, job=job, now=house.now())
        except Exception as error:  # noqa: BLE001 — a fault of ours in one job must not stop the others
            mark = _mark(house, job, error, repeats=doer.repeats)

    def settle(tx: Connection) -> None:
        if save is not None:
            save(tx)
        mark(tx)

    await _insist(house, settle)


def _mark(house: House, job: Job, error: Exception, *, repeats: bool, recurs: timedelta | None = None) -> Save:
    """What becomes of a job that did not work, said in the log."""
    now = house.now()
    match error:
        case Never():
            log.error("job_given_up", id=job.id, kind=job.kind, reason=str(error), attempts=job.attempts)
            return partial(outbox.fail, job=job, now=now, reason=str(error))
        case Later():
            reason, maybe, wait = error.reason, error.maybe, error.after
            last = now - job.due_at >= TRIES_FOR
        case Unavailable():
            reason, maybe, wait, last = "database", False, None, False
        case TimeoutError():
            reason, maybe, wait, last = "deadline", True, None, now - job.due_at >= TRIES_FOR
        case _:
            reason, maybe, wait, last = type(error).__name__, True, None, job.attempts >= FAULTS
            log.error("job_failed", id=job.id, kind=job.kind, reason=reason, attempts=job.attempts)
    if maybe and not repeats:
        return _doubted(house, job, reason)
    if last and recurs is None:
        log.error("job_given_up", id=job.id, kind=job.kind, reason=reason, attempts=job.attempts)
        return partial(outbox.fail, job=job, now=now, reason=reason)
    wait = recurs.total_seconds() if last and recurs else backoff(job.attempts) if wait is None else wait
    log.warning("job_waits", id=job.id, kind=job.kind, reason=reason, attempts=job.attempts, seconds=round(wait, 3))
    return partial(outbox.retry, job=job, due_at=now + timedelta(seconds=wait), maybe=maybe, reason=reason)


def _doubted(house: House, job: Job, reason: str) -> Save:
    log.error("job_unknown", id=job.id, kind=job.kind, reason=reason, attempts=job.attempts)
    return partial(outbox.doubt, job=job, now=house.now(), reason=reason)


def backoff(attempts: int) -> float:
    """Seconds before the next try: anything up to a limit that doubles, so that many do not come back together."""
    return jitter(min(SLOWEST, FIRST * 2.0 ** min(attempts - 1, 10)))


def jitter(most: float) -> float:
    """Between nothing and this."""
    return random.uniform(0, most)  # noqa: S311 — not a secret


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


async def _until_next(house: House, doers: Doers, but: Collection[int], look_every: float) -> float:
    """Seconds to wait for what is next, unless the bell rings."""
    kinds, busy = tuple(doers), tuple(but)
    due = await _patiently(house.store.db.query(lambda tx: outbox.next_due(tx, kinds, busy)))
    wait = (due - house.now()).total_seconds() if due else look_every
    return min(look_every, wait) if wait > 0 else 0.05


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


def purge(house: House, tx: Connection, job: Job) -> After:
    """Erase what has reached its day and forget what no longer serves."""
    now, today = house.now(), house.today()
    erased = conversations.purge(tx, now)
    inbox.forget(tx, today - REMEMBER_INCOMING)
    ways.forget(tx, today)
    codes.forget(tx, now)
    contacts.forget(tx, now)
    daily.forget(tx, today)
    funnel.sweep(tx, house.store.keyring, stats.places(house.flow), today)
    for forget in rooms.FORGET:
        forget(tx, now)
    outbox.forget(tx, now - KEEP_DONE, now - KEEP_GIVEN_UP)

    async def scrub() -> None:  # also where an erasure's own was hindered by a long reader
        await asyncio.to_thread(house.store.db.scrub)
        if erased:
            log.info("purged", conversations=erased)

    return scrub


_OWN: Doers = {"purge": Writes(purge, every=timedelta(hours=1))}
