"""Fault points: armed, every write of a transaction is one, and the process dies at the pass that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from store import faults, inbox

DAY = date(2026, 11, 22)


class Died(BaseException):
    """In place of SIGKILL."""


def _die() -> None:
    raise Died


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "plan"
    faults.arm(faults.Plan(file, _die))
    yield file
    faults.arm(None)


def _claim(store: Any, incoming: str = "7") -> bool:
    return bool(store.db.write(lambda tx: inbox.claim(tx, store.keyring, "web", incoming, DAY)))


def test_unarmed_a_database_has_no_listener_and_a_point_is_nothing(place: Any) -> None:
    store = place.open()
    assert not store.db.writer.dispatch.before_cursor_execute
    assert not store.db.writer.dispatch.commit
    faults.point("anywhere")
    store.close()


def test_every_write_is_a_point_before_and_after_and_so_is_commit(place: Any, plan: Path) -> None:
    store = place.open()
    passed = plan.with_suffix(".passed")
    passed.write_text("")
    assert _claim(store)
    store.db.read(lambda tx: tx.exec_driver_sql("SELECT 1").scalar())
    assert passed.read_text().splitlines() == [
        "before insert inbox",
        "after insert inbox",
        "before commit",
        "after commit",
    ]
    store.close()


def test_it_dies_at_the_pass_that_was_asked_for_counted_from_then_on(place: Any, plan: Path) -> None:
    store = place.open()
    assert _claim(store, "1")
    plan.write_text("before insert in?ox 2")
    assert _claim(store, "2")
    with pytest.raises(Died):
        _claim(store, "3")
    plan.write_text("after commit 1")
    with pytest.raises(Died):
        _claim(store, "4")
    plan.unlink()
    assert [_claim(store, name) for name in "1234"] == [False, False, True, False]
    store.close()


def test_a_plan_taken_away_while_a_point_passes_is_no_plan(
    place: Any, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()
    monkeypatch.setattr(Path, "exists", lambda _: True)  # it was there a moment ago
    assert _claim(store)
    store.close()
