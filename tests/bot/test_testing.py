"""The test setting: refused where it could do harm, said where it is on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
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
