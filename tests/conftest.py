"""The policy of skips, and the smallest real house that tests live in.

What a machine lacks is skipped with its reason, and fails when CI is set. A test that opens pages is marked
`needs_chromium` and takes the path of the browser from the fixture `chromium`. One that takes turns asks for `house`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.house import House, open_house
from bot.settings import Settings, load_settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and _in_ci() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped when CI is set. {reason}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_chromium") and not _browser():
        pytest.skip("Chromium is not installed: apt install chromium, or make test as root")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is, for Playwright's `executable_path`."""
    return _browser() or pytest.skip("Chromium is not installed")


@dataclass
class Clock:
    """A clock that tests move by hand."""

    at: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The example programme, with its data and its key in two folders of the test."""
    monkeypatch.setenv("AUTODIAG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AUTODIAG_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    found = load_settings()
    apart = found.storage.model_copy(update={"erasure_journal": tmp_path / "keys" / "effacements.journal"})
    return found.model_copy(update={"storage": apart})


@pytest.fixture
def house(settings: Settings, clock: Clock) -> Iterator[House]:
    """A house on a real database, with the real content and a clock that stands still."""
    opened = open_house(settings, now=clock)
    yield replace(opened, now=clock)
    opened.store.close()
