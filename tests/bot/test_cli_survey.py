"""`autodiag milestone` and `autodiag survey`: what the operator types, and what they read."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bot import milestones
from bot.cli import app
from bot.house import House
from bot.turn import look
from tests.bot.test_survey import finished, opinion
from tests.bot.test_turn import run

pytestmark = pytest.mark.databases("sqlite", because="the commands are the same on both")


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(words))
    return found.exit_code, found.output


def test_a_milestone_is_noted_then_taken_back(house: House) -> None:
    here = finished(house, "optique")
    number = milestones.file_number(here.conversation)
    assert autodiag("milestone", number, "visit", "--le", "2026-12-01") == (0, "Étape notée au 01/12/2026.\n")
    assert run(look(house, here.conversation)).held.diary.since["visit"].isoformat() == "2026-12-01T11:00:00+00:00"
    assert autodiag("milestone", number, "visit", "--annuler") == (0, "Étape retirée.\n")
    assert "visit" not in run(look(house, here.conversation)).held.diary.since


def test_a_wrong_number_says_what_to_do(house: House) -> None:
    code, said = autodiag("milestone", "12", "visit")
    assert code == 2
    assert "relisez le numéro" in said
    assert autodiag("milestone", "12", "lunch")[0] == 2


def test_the_survey_is_printed_with_what_is_missing(house: House) -> None:
    opinion(house, "optique", "oui")
    code, said = autodiag("survey")
    assert code == 0
    assert "Réponses en attente : 1" in said
    assert "Rien à montrer pour l'instant." in said
