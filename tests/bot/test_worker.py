"""The worker: what has left is marked even when the database hiccups, so that it does not leave twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot import worker
from bot.house import House
from store import outbox
from store.engine import Unavailable
from store.outbox import Job


@pytest.fixture
def job(house: House) -> None:
    house.store.db.write(lambda tx: outbox.enqueue_unique(tx, "probe", "one", house.now()))


def states(house: House) -> list[str]:
    found = house.store.db.read(
        lambda tx: tx.exec_driver_sql("select state from outbox where kind = 'probe'").scalars().all()
    )
    return list(found)


@pytest.mark.usefixtures("job")
def test_what_has_left_is_marked_once_the_database_answers_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    submit, calls = house.store.db.submit, iter(range(100))

    async def hiccups(work: Any) -> Any:
        if next(calls) in (1, 2):
            raise Unavailable("occupée")
        return await submit(work)

    async def probe(_: House, job: Job) -> None:
        done.append(job.id)

    monkeypatch.setattr(house.store.db, "submit", hiccups)
    doers = {"probe": probe}
    while asyncio.run(worker.work_once(house, doers)):
        pass
    assert len(done) == 1
    assert states(house) == [outbox.DONE]


@pytest.mark.usefixtures("job")
def test_a_job_that_could_not_read_what_it_needs_is_tried_again_soon(house: House) -> None:
    async def blind(_: House, job: Job) -> None:
        raise Unavailable("occupée")

    while asyncio.run(worker.work_once(house, {"probe": blind})):
        if states(house) == [outbox.MAYBE]:
            break
    due = house.store.db.read(lambda tx: outbox.next_due(tx, ("probe",)))
    assert due is not None
    assert 0 < (due - house.now()).total_seconds() <= 1
