"""`autodiag outbox`: the operator sees numbers, kinds, states and ages; does again, takes out; and never reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.house import House
from bot.metrics import Metrics
from store import conversations, outbox, tables
from store.conversations import Conversation
from store.outbox import Job
from tests.conftest import Clock

LEASE = timedelta(minutes=1)


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["outbox", *words], env={"COLUMNS": "120"})
    return found.exit_code, found.output


@pytest.fixture
def manager(house: House, clock: Clock) -> Conversation:
    return house.store.db.write(
        lambda tx: conversations.create(
            tx,
            house.store.keyring,
            snapshot=b"{}",
            flow=house.flow.fingerprint,
            entry="direct",
            today=house.today(),
            purge_on=house.today() + timedelta(days=90),
        )
    )


def put(house: House, manager: Conversation, *, line: str, **more: Any) -> Job:
    """A job, taken."""

    def work(tx: Any) -> Job:
        given = {"conversation": manager.id, "revision": manager.revision, "kind": "mail", "payload": b"canary"}
        outbox.append(tx, manager.key, **given, due_at=house.now(), line=line, **more)  # type: ignore[arg-type]
        found = outbox.claim(tx, house.now(), LEASE)
        assert found
        return found

    return house.store.db.write(work)


def states(house: House) -> list[str]:
    wanted = tables.outbox.select().order_by(tables.outbox.c.id)
    return [row.state for row in house.store.db.read(lambda tx: tx.execute(wanted).all())]


@pytest.fixture
def four(house: House, manager: Conversation, clock: Clock) -> list[int]:
    """One given up, one in doubt, one late, one under way; long before the command's own clock."""
    jobs = [put(house, manager, line=line) for line in "abcd"]
    now = clock()
    house.store.db.write(lambda tx: outbox.fail(tx, jobs[0], now, "smtp_550"))
    house.store.db.write(lambda tx: outbox.doubt(tx, jobs[1], now, "lease"))
    house.store.db.write(lambda tx: outbox.retry(tx, jobs[2], now, maybe=False, reason="connect"))
    return [job.id for job in jobs]


def test_what_needs_a_hand_is_listed_without_a_word_of_a_firm(
    four: list[int], manager: Conversation, house: House
) -> None:
    code, said = autodiag("list")
    assert code == 0
    for shown in ("abandonné", "peut-être parti", "attend", "en cours", "smtp_550", "lease", "connect"):
        assert shown in said
    assert all(f"{number} " in said for number in four)
    assert manager.id not in said
    assert "canary" not in said


def test_nothing_to_decide_says_so(house: House) -> None:
    assert autodiag("list") == (0, "Rien ne demande de décision.\n")


def test_a_job_is_done_again_by_its_number_as_if_never_tried(four: list[int], house: House, clock: Clock) -> None:
    code, said = autodiag("retry", *(str(number) for number in four), "99")
    assert code == 1
    assert f"À refaire : {four[0]}, {four[1]}, {four[2]}." in said
    assert f"Laissé tel quel (introuvable, en cours, périmé ou retiré) : {four[3]}, 99." in said
    clock.forward(days=36500)
    again = house.store.db.write(lambda tx: outbox.claim(tx, clock(), LEASE, but=[four[3]]))
    assert again
    assert (again.id, again.attempts, again.maybe_done) == (four[0], 1, False)
    assert again.payload


def test_all_that_was_given_up_is_done_again_and_what_is_in_doubt_is_not(four: list[int], house: House) -> None:
    assert autodiag("retry", "--tous") == (0, f"À refaire : {four[0]}.\n")
    assert states(house) == ["waiting", "unknown", "waiting", "taken"]
    assert autodiag("retry")[0] == autodiag("retry", "--tous", "1")[0] == autodiag("drop")[0] == 2


def test_what_is_past_its_time_is_not_done_again(house: House, manager: Conversation, clock: Clock) -> None:
    job = put(house, manager, line="a", expires_at=clock() + LEASE)
    house.store.db.write(lambda tx: outbox.fail(tx, job, clock(), "closed"))
    assert autodiag("retry", str(job.id))[0] == 1
    assert states(house) == ["failed"]


def test_what_is_taken_out_goes_with_what_it_said(four: list[int], house: House) -> None:
    code, said = autodiag("drop", *(str(number) for number in four))
    assert code == 1
    assert f"Retiré : {four[0]}, {four[1]}, {four[2]}." in said
    assert states(house) == ["dropped", "dropped", "dropped", "taken"]
    rows = house.store.db.read(lambda tx: tx.execute(tables.outbox.select().order_by(tables.outbox.c.id)).all())
    assert [row.payload is None for row in rows] == [True, True, True, False]
    assert autodiag("retry", str(four[0]))[0] == 1
    assert autodiag("list", "--tout")[1].count("retiré") == 3


def test_the_figures_tell_what_is_due_late_and_given_up(four: list[int], house: House, clock: Clock) -> None:
    clock.forward(minutes=10)

    def figure(name: str) -> float:
        page = bytes(asyncio.run(Metrics(house, fresh_for=0).page("GET")).body).decode()
        return float(next(line.split()[1] for line in page.splitlines() if line.startswith(f"autodiag_outbox_{name} ")))

    assert (figure("due"), figure("late"), figure("behind_seconds")) == (2, 2, 600)
    assert (figure('jobs{state="failed"}'), figure('jobs{state="unknown"}')) == (1, 1)
    assert (figure('jobs{state="waiting"}'), figure('jobs{state="expired"}')) == (1, 0)


@pytest.mark.databases("sqlite", because="with PostgreSQL it works")
def test_a_worker_alone_is_refused_beside_the_owner_of_a_file(house: House) -> None:
    found = CliRunner().invoke(app, ["worker"])
    assert found.exit_code == 1
    assert "se fait dans « autodiag serve »" in found.output
