"""`autodiag understand`, the figures it prints, and the model that serves: light, cached, made again at need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import understand
from bot.cli import app
from bot.content import Content
from bot.hearing import Ear, ear_for
from bot.settings import ROOT

FIELDS = ["kind", "choice", "command", "candidates", "confidence", "recorded"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["understand", *arguments])


def test_one_reply_prints_exactly_the_fields_promised(ear: Ear) -> None:
    told = run("--question", "pil-qui", "Personne en particulier")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert list(found) == FIELDS
    assert (found["kind"], found["choice"], found["command"], found["recorded"]) == ("answer", "personne", None, True)
    command = json.loads(run("--question", "pil-qui", "supprimez mes données").stdout)
    assert (command["kind"], command["choice"], command["command"], command["recorded"]) == (
        "command",
        None,
        "erase",
        False,
    )


def test_a_file_of_replies_gives_a_line_each_and_can_be_evaluated(ear: Ear, tmp_path: Path) -> None:
    lines = [
        {"question": "pil-qui", "reply": "b", "kind": "answer", "choice": "debrouille", "command": None},
        {"question": "pil-qui", "reply": "pause", "kind": "command", "choice": None, "command": "pause"},
        {"question": "pil-qui", "reply": "ça dépend", "kind": "clarify", "choice": None, "command": None},
        {"question": "mdp-unique", "reply": "b", "kind": "answer", "choice": "meme", "command": None},
    ]
    file = tmp_path / "lines.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8")
    told = [json.loads(line) for line in run("--file", str(file)).stdout.splitlines()]
    assert [list(each) for each in told] == [FIELDS] * 4
    figures = json.loads(run("--evaluate", str(file)).stdout)
    assert (figures["accuracy"]["count"], figures["accuracy"]["n"]) == (3, 4)
    assert figures["wrongly_recorded"]["count"] == 1
    assert (figures["coverage"]["rate"], figures["commands"]["rate"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [("pas du json", "ligne 1"), ('{"question": "nulle-part", "reply": "x"}', "n'est pas une question"),
     ('{"question": "pil-qui"}', "« reply »"), ("[1]", "un objet")],
)  # fmt: skip
def test_a_bad_line_is_named_and_nothing_is_printed(ear: Ear, tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(line, encoding="utf-8")
    told = run("--file", str(file))
    assert told.exit_code == 2
    assert said in told.stderr
    assert told.stdout == ""


def test_wrong_use_is_said() -> None:
    assert run().exit_code == 2
    assert run("--question", "pil-qui").exit_code == 2
    assert run("--file", "/nulle/part").exit_code == 2


@pytest.mark.parametrize(
    ("had", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 100, 0.0, 0.037), (85, 100, 0.7672, 0.907), (10, 10, 0.7225, 1.0)],
)
def test_wilson(had: int, of: int, low: float, high: float) -> None:
    assert understand.wilson(had, of) == pytest.approx((low, high), abs=0.0005)


def test_the_process_that_serves_reads_without_the_tools_of_training(ear: Ear) -> None:
    code = (
        "import sys, json; from pathlib import Path; from bot.content import load_content;"
        "from bot.hearing import ear_for;"
        f"ear = ear_for(Path({str(ear.file.parent)!r}), load_content().flow.questionnaire);"
        "from bot.understand import told;"
        "print(json.dumps([ear.trained, [m for m in ('sklearn', 'scipy') if m in sys.modules]]))"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == [True, []]


def test_a_damaged_model_is_put_aside_and_rules_serve(content: Content, ear: Ear, tmp_path: Path) -> None:
    mine = ear_for(tmp_path, content.flow.questionnaire)
    assert not mine.trained
    mine.file.write_bytes(ear.file.read_bytes()[:1000])
    assert not mine.look()
    assert not mine.file.exists()
    mine.file.write_bytes(ear.file.read_bytes())
    assert mine.look()


def test_a_training_that_fails_is_survived(content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ear_for(tmp_path / "x", content.flow.questionnaire)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert mine.learn() is False
    assert not mine.trained
