"""The worker: what has left is marked, what is rows is done once, what cannot leave is tried, then given up, loudly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, select

from bot import worker
from bot.house import House
from bot.worker import Later, Never, Save, Sends, Writes
from store import inbox, outbox, tables
from store.engine import Unavailable
from store.outbox import Job
from tests.conftest import Clock

LONG_AGO = timedelta(days=9)


@pytest.fixture(autouse=True)
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest wait each time."""
    monkeypatch.setattr(worker, "jitter", lambda most: most)


@pytest.fixture
def job(house: House) -> None:
    house.store.db.write(lambda tx: outbox.schedule(tx, kind="probe", key="one", due_at=house.now()))


def of_probe(house: House, *names: str) -> list[tuple[Any, ...]]:
    wanted = select(*(tables.outbox.c[name] for name in names)).where(tables.outbox.c.kind == "probe")
    return [tuple(row) for row in house.store.db.read(lambda tx: tx.execute(wanted).all())]


def states(house: House) -> list[str]:
    return [state for (state,) in of_probe(house, "state")]


def work(house: House, probe: Any, *, repeats: bool = True) -> None:
    """All that is due, once; `probe` sends."""
    while asyncio.run(worker.work_once(house, {"probe": Sends(probe, repeats=repeats)})):
        pass


@pytest.mark.usefixtures("job")
def test_what_has_left_is_marked_once_the_database_answers_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    submit, calls = house.store.db.submit, iter(range(100))
    silent: set[int] = set()

    async def hiccups(task: Any) -> Any:
        if next(calls) in silent:
            raise Unavailable("occupée")
        return await submit(task)

    async def probe(_: House, job: Job) -> None:
        left.append(job.id)
        here = next(calls)
        silent.update((here + 1, here + 2))

    monkeypatch.setattr(house.store.db, "submit", hiccups)
    work(house, probe)
    assert len(left) == 1
    assert states(house) == [outbox.DONE]


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("repeats", [True, False])
def test_a_job_that_could_not_read_what_it_needs_is_tried_again_soon(house: House, repeats: bool) -> None:
    async def blind(_: House, job: Job) -> None:
        raise Unavailable("occupée")

    work(house, blind, repeats=repeats)
    assert of_probe(house, "state", "reason") == [(outbox.WAITING, "database")]
    due = house.store.db.read(lambda tx: outbox.next_due(tx, ("probe",)))
    assert due is not None
    assert 0 < (due - house.now()).total_seconds() <= 1


@pytest.mark.usefixtures("job")
def test_each_try_waits_longer_up_to_a_limit_then_it_is_given_up(house: House, clock: Clock) -> None:
    began, tried = clock(), list[datetime]()

    async def closed(_: House, job: Job) -> None:
        tried.append(clock())
        raise Later("closed")

    with structlog.testing.capture_logs() as said:
        while states(house) != [outbox.FAILED]:
            work(house, closed)
            due = house.store.db.read(lambda tx: outbox.next_due(tx, ("probe",)))
            clock.at = due if due and len(tried) < 12 else began + worker.TRIES_FOR
    waits = [(after - before).total_seconds() for before, after in pairwise(tried[:-1])]
    assert waits[:8] == [0.25, 0.5, 1, 2, 4, 8, 16, 30]
    assert max(waits) == worker.SLOWEST
    assert tried[-1] == began + worker.TRIES_FOR
    assert said[-1]["event"] == "job_given_up"
    assert said[-1]["reason"] == "closed"


def test_the_wait_is_drawn_between_nothing_and_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    drawn = {worker.backoff(20) for _ in range(50)}
    assert len(drawn) > 40
    assert 0 <= min(drawn) < worker.SLOWEST / 3
    assert worker.SLOWEST * 2 / 3 < max(drawn) <= worker.SLOWEST


@pytest.mark.usefixtures("job")
def test_what_can_never_leave_is_given_up_at_once(house: House) -> None:
    async def refused(_: House, job: Job) -> None:
        raise Never("bad_request")

    work(house, refused)
    assert of_probe(house, "state", "attempts", "reason") == [(outbox.FAILED, 1, "bad_request")]


def dies(house: House, clock: Clock) -> None:
    """A worker takes the job, and is never heard of again."""
    taken = house.store.db.write(lambda tx: outbox.claim(tx, clock(), worker.LEASE, kinds=["probe"]))
    assert taken
    clock.at += worker.LEASE


def times_out(house: House, clock: Clock) -> None:
    async def maybe(_: House, job: Job) -> None:
        raise Later("cut", maybe=True)

    work(house, maybe, repeats=False)


def breaks(house: House, clock: Clock) -> None:
    async def ours(_: House, job: Job) -> None:
        raise ZeroDivisionError

    work(house, ours, repeats=False)


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("doubt", [dies, times_out, breaks])
def test_what_may_have_left_and_must_not_twice_goes_to_the_operator(
    house: House, clock: Clock, doubt: Callable[[House, Clock], None]
) -> None:
    left: list[int] = []

    async def probe(_: House, job: Job) -> None:
        left.append(job.id)

    with structlog.testing.capture_logs() as said:
        doubt(house, clock)
        if doubt is not dies:  # known at once, and by its name
            reason = "cut" if doubt is times_out else "ZeroDivisionError"
            assert of_probe(house, "state", "attempts", "reason") == [(outbox.UNKNOWN, 1, reason)]
        clock.forward(seconds=60)
        work(house, probe, repeats=False)
    assert left == []
    assert states(house) == [outbox.UNKNOWN]
    assert [line["kind"] for line in said if line["event"] == "job_unknown"] == ["probe"]


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("doubt", [dies, times_out])
def test_what_may_leave_twice_leaves_again(
    house: House, clock: Clock, doubt: Callable[[House, Clock], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    async def probe(_: House, job: Job) -> None:
        told.append(job.maybe_done)

    if doubt is times_out:

        async def maybe(_: House, job: Job) -> None:
            raise Later("cut", maybe=True)

        work(house, maybe)
    else:
        doubt(house, clock)
    clock.forward(seconds=60)
    work(house, probe)
    assert told == [True]
    assert states(house) == [outbox.DONE]


@pytest.mark.usefixtures("job")
def test_a_try_that_does_not_end_is_cut_before_its_lease_does(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "DEADLINE", 0.02)

    async def hangs(_: House, job: Job) -> None:
        await asyncio.sleep(30)

    work(house, hangs)
    assert of_probe(house, "state", "reason") == [(outbox.MAYBE, "deadline")]
    assert timedelta(seconds=30 + sum(worker.SETTLING)) < worker.LEASE


def test_a_job_whose_time_has_passed_does_not_leave_and_the_next_does(house: House, clock: Clock) -> None:
    left: list[str | None] = []

    async def probe(_: House, job: Job) -> None:
        left.append(job.dedup)

    house.store.db.write(lambda tx: outbox.schedule(tx, kind="probe", key="old", due_at=clock()))
    house.store.db.write(lambda tx: tx.execute(tables.outbox.update().values(expires_at=clock())))
    house.store.db.write(lambda tx: outbox.schedule(tx, kind="probe", key="new", due_at=clock()))
    with structlog.testing.capture_logs() as said:
        work(house, probe)
    assert left == ["probe/new"]
    assert sorted(states(house)) == [outbox.DONE, outbox.EXPIRED]
    assert [line["kind"] for line in said if line["event"] == "job_expired"] == ["probe"]


def written(house: House, tx: Connection, name: str) -> None:
    assert inbox.claim(tx, house.store.keyring, "probe", name, house.today()), "written twice"


def traces(house: House) -> int:
    found = select(tables.inbox.c.door).where(tables.inbox.c.door == "probe")
    return len(house.store.db.read(lambda tx: tx.execute(found).all()))


@pytest.mark.usefixtures("job")
def test_what_is_written_is_committed_with_its_mark_or_not_at_all(house: House, clock: Clock) -> None:
    failing = iter([ZeroDivisionError(), Unavailable("perdue"), None])
    after: list[str] = []

    def write(_: House, tx: Connection, job: Job) -> worker.After | None:
        written(house, tx, str(job.attempts))
        if error := next(failing):
            raise error

        async def then() -> None:
            after.append(states(house)[0])

        return then

    for tries, expected in ((1, 0), (2, 0), (3, 1)):
        while asyncio.run(worker.work_once(house, {"probe": Writes(write)})):
            pass
        assert traces(house) == expected
        assert of_probe(house, "attempts") == [(tries,)]
        clock.forward(seconds=60)
    assert after == [outbox.DONE]


@pytest.mark.usefixtures("job")
def test_a_worker_that_was_overtaken_writes_nothing(house: House, clock: Clock) -> None:
    stale = house.store.db.write(lambda tx: outbox.claim(tx, clock(), worker.LEASE, kinds=["probe"]))
    assert stale
    clock.at += worker.LEASE
    doer = Writes(lambda house, tx, job: written(house, tx, "once"))
    while asyncio.run(worker.work_once(house, {"probe": doer})):
        pass
    with structlog.testing.capture_logs() as said:
        asyncio.run(worker._do(house, {"probe": Writes(lambda house, tx, job: written(house, tx, "twice"))}, stale))
    assert traces(house) == 1
    assert said[-1]["event"] == "job_overtaken"


def test_what_recurs_comes_back_whatever_became_of_it_and_catches_up_once(house: House, clock: Clock) -> None:
    ran: list[datetime] = []

    def hourly(_: House, tx: Connection, job: Job) -> None:
        ran.append(clock())
        if len(ran) < 3 * worker.FAULTS:
            raise ZeroDivisionError

    doers = {"probe": Writes(hourly, every=timedelta(hours=1))}
    while states(house) != [outbox.WAITING] or len(ran) < 3 * worker.FAULTS:
        while asyncio.run(worker.work_once(house, doers)):
            assert outbox.FAILED not in states(house), "nobody would arm it again before the next start"
        clock.forward(minutes=30)
    clock.forward(days=LONG_AGO.days)
    before = len(ran)
    while asyncio.run(worker.work_once(house, doers)):
        pass
    assert len(ran) == before + 1
    assert of_probe(house, "due_at") == [(clock() + timedelta(hours=1),)]


async def becomes(house: House, state: str, attempts: int) -> None:
    for _ in range(500):
        if of_probe(house, "state", "attempts") == [(state, attempts)]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(of_probe(house, "state", "attempts"))


@pytest.mark.usefixtures("job")
def test_a_clock_put_back_by_a_day_does_not_make_a_second_try_wait_for_a_day(house: House, clock: Clock) -> None:
    tried: list[int] = []

    async def probe(_: House, job: Job) -> None:
        tried.append(job.attempts)
        if job.attempts == 1:
            raise Later("cut", after=1)

    async def story() -> None:
        doers = {"probe": Sends(probe, repeats=True)}
        working = asyncio.create_task(worker.work_for_ever(house, doers, look_every=0.02))
        await becomes(house, outbox.WAITING, 1)
        clock.forward(days=-1)
        await becomes(house, outbox.DONE, 2)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    asyncio.run(story())
    assert tried == [1, 2]


def test_nothing_of_a_job_is_logged_but_its_number_its_kind_and_a_code(house: House) -> None:
    house.store.db.write(lambda tx: outbox.schedule(tx, kind="probe", key="canary-key", due_at=house.now()))

    async def probe(_: House, job: Job) -> Save | None:
        raise RuntimeError("canary-said")

    with structlog.testing.capture_logs() as said:
        work(house, probe)
    assert said
    assert "canary" not in json.dumps(said, default=str)
