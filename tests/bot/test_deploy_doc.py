"""docs/deploy.md names commands, variables, settings and figures that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from bot import settings
from bot.cli import app
from bot.metrics import Metrics

DOC = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_command_it_names_exists() -> None:
    top = get_command(app).commands  # type: ignore[attr-defined]
    named = set(re.findall(r"autodiag ((?:db|outbox) [a-z]+|serve|worker)\b", DOC))
    assert len(named) >= 7
    for words in named:
        first, _, second = words.partition(" ")
        assert first in top
        assert not second or second in top[first].commands, words


def test_every_variable_it_names_exists() -> None:
    known = {f"{settings.PREFIX}{name.upper()}" for name in settings.Environment.model_fields}
    assert set(re.findall(r"\bAUTODIAG_[A-Z_]*[A-Z]\b", DOC)) <= known


def test_every_setting_it_names_stands_in_the_example() -> None:
    config = (settings.ROOT / "config.yml").read_text(encoding="utf-8")
    for key in ("adresse_publique", "proxys_de_confiance", "journal_effacements", "sauvegardes_jours", "demonstration"):
        assert key in DOC
        assert re.search(rf"^ *(# )?{key}:", config, re.MULTILINE), key


@pytest.mark.databases("sqlite", because="figures have the same names on both")
def test_every_figure_it_names_is_shown(house: object) -> None:
    import asyncio

    page = bytes(asyncio.run(Metrics(house, fresh_for=0).page("GET")).body).decode()  # type: ignore[arg-type]
    for figure in set(re.findall(r'`(autodiag_\w+)(?:\{state="\w+"\})?`', DOC)):
        assert figure in page, figure
    for state in set(re.findall(r'state="(\w+)"', DOC)):
        assert f'autodiag_outbox_jobs{{state="{state}"}}' in page
