"""What a machine lacks: skipped at a developer's, a failure in CI."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
STORY = """
import pytest

@pytest.mark.needs_chromium
def test_page():
    raise AssertionError("must not run without a browser")

def test_expected():
    pytest.xfail("known")

def test_plain():
    pass
"""


def outcomes(pytester: pytest.Pytester, story: str) -> dict[str, int]:
    pytester.makeini("[pytest]\nmarkers = needs_chromium")
    pytester.makeconftest(CONFTEST.replace('"chromium", "chromium-browser", "google-chrome"', '"no-such-browser",'))
    pytester.makepyfile(story)
    return pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:randomly").parseoutcomes()


def test_a_missing_browser_is_skipped_at_a_developers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert outcomes(pytester, STORY) == {"skipped": 1, "xfailed": 1, "passed": 1}


def test_a_missing_browser_is_a_failure_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert outcomes(pytester, STORY) == {"errors": 1, "xfailed": 1, "passed": 1}


def test_a_whole_file_skipped_is_a_failure_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert outcomes(pytester, "import pytest\npytest.importorskip('no_such_tool')") == {"errors": 1}
