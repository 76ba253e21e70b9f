"""The test setting: refused where it could do harm, said where it is on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from bot import testing
from bot.cli import app
from bot.settings import Settings, SettingsError
from store import faults

pytestmark = pytest.mark.databases("sqlite", because="nothing is opened")


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    faults.arm(None)
    structlog.reset_defaults()  # `serve` writes to an output that ends with the test


def test_without_variables_nothing_is_armed(settings: Settings) -> None:
    assert not testing.begin(settings)


@pytest.mark.parametrize("value", ["", "0", "yes"])
def test_a_variable_of_tests_alone_keeps_the_server_from_starting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("AUTODIAG_TEST_FAULTS", str(tmp_path / "plan"))
    monkeypatch.setenv("AUTODIAG_TEST", value)
    found = CliRunner().invoke(app, ["serve"])
    assert found.exit_code == 1
    assert "AUTODIAG_TEST_FAULTS ne sert qu'aux essais" in found.output
    assert not settings.storage.data_dir.exists()


def test_a_public_site_refuses_the_test_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTODIAG_TEST", "1")
    monkeypatch.setenv("AUTODIAG_TEST_FAULTS", str(tmp_path / "plan"))
    public = settings.server.model_copy(update={"public_url": "https://autodiag.example.fr"})
    with pytest.raises(SettingsError, match="https"):
        testing.begin(settings.model_copy(update={"server": public}))
    assert testing.begin(settings)


@pytest.mark.parametrize(("setting", "moved"), [("1", True), ("0", False)])
def test_the_clock_is_moved_by_a_file_under_the_test_setting_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, moved: bool
) -> None:
    file = tmp_path / "seconds"
    monkeypatch.setenv("AUTODIAG_TEST", setting)
    monkeypatch.setenv("AUTODIAG_TEST_CLOCK", str(file))
    clock = testing.clock()
    for days in (0, 30, -1):
        if days:
            file.write_text(str(days * 86400))
        away = clock() - datetime.now(UTC)
        assert abs(away - timedelta(days=days if moved else 0)) < timedelta(seconds=5)
    if not moved:
        with pytest.raises(SettingsError, match="AUTODIAG_TEST_CLOCK ne sert qu'aux essais"):
            testing.begin(settings)
