"""The policy of skips, and the smallest real house that tests live in.

What a machine lacks is skipped with its reason, and fails when CI is set. A test that opens pages is marked
`needs_chromium` and takes the path of the browser from the fixture `chromium`. One that takes turns asks for `house`.

Whatever asks for `database` (or `house`, `settings`, `store`…) runs on SQLite and on PostgreSQL, but for pages in a
browser, on SQLite only. `@pytest.mark.databases("sqlite", because="…")` says otherwise, and why.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

from bot.content import Content, load_content
from bot.hearing import Ear, ear_for
from bot.house import House, open_house
from bot.settings import Settings, load_settings
from tests import postgresql

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


DATABASES = ("sqlite", "postgresql")


os.environ.setdefault("AUTODIAG_MODEL_DIR", str(Path(tempfile.gettempdir()) / "autodiag-tests-model"))

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="Rewrite what the golden conversations show.")


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if "witness" in getattr(report, "keywords", ()):  # somebody else's programme: its absence is printed, no more
        return
    if report.skipped and _in_ci() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped when CI is set. {reason}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_chromium") and not _browser():
        pytest.skip("Chromium is not installed: apt install chromium, or make test as root")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" not in metafunc.fixturenames:
        return
    chosen = metafunc.definition.get_closest_marker("databases")
    if chosen and not chosen.kwargs.get("because"):
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: say why, databases({chosen.args[0]!r}, because=…)")
    in_browser = metafunc.definition.get_closest_marker("needs_chromium")
    on = chosen.args if chosen else DATABASES[:1] if in_browser else DATABASES
    metafunc.parametrize("database", on, indirect=True)


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


FLAGS = [
    f"--{flag}"
    for flag in (
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "test-third-party-cookie-phaseout",
    )
]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """The one browser of a pytest-xdist worker. From its start on, no event loop can be run in the main thread."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages in a browser come last: see `browser`."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


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


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """A private server, one for each pytest-xdist worker, started when the first test needs it."""
    try:
        with postgresql.running() as server:
            yield server
    except postgresql.NotHere as missing:
        pytest.skip(str(missing))


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, of the kind that this test runs on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'autodiag.db'}"
    else:
        server: postgresql.Server = request.getfixturevalue("postgresql_server")
        with server.database() as url:
            yield url


@pytest.fixture
def settings(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The example programme, with its data and its key in two folders of the test."""
    monkeypatch.setenv("AUTODIAG_DATABASE_URL", database)
    monkeypatch.setenv("AUTODIAG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AUTODIAG_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    found = load_settings()
    apart = found.storage.model_copy(update={"erasure_journal": tmp_path / "keys" / "effacements.journal"})
    return found.model_copy(update={"storage": apart})


@pytest.fixture(scope="session")
def content() -> Content:
    """The real content, read once."""
    return load_content()


@pytest.fixture(scope="session")
def ear(content: Content) -> Ear:
    """The real model, trained when its content or code has changed since the last run."""
    found = ear_for(Path(os.environ["AUTODIAG_MODEL_DIR"]), content.flow.questionnaire)
    assert found.learn(), "the model could not be trained"
    return found


@pytest.fixture
def house(settings: Settings, clock: Clock, content: Content, ear: Ear) -> Iterator[House]:
    """A house on a real database, with the real content and a clock that stands still."""
    opened = open_house(settings, now=clock, content=content, ear=ear)
    yield opened
    opened.store.close()
