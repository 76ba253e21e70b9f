"""`autodiag campaign` and the waves of `autodiag stats`: what the operator types, and what they read."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.house import House
from federations import campaigns

pytestmark = pytest.mark.databases("sqlite", because="the commands are the same on both")
CREATE = ("campaign", "create", "--branche", "optique", "--canal", "site", "--numero", "Lettre 12")


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(words))
    return found.exit_code, found.output


def test_a_campaign_is_created_listed_and_closed(house: House) -> None:
    code, said = autodiag(*CREATE, "--code", "LETTRE-12", "--ouvre", "2026-11-23", "--ferme", "2099-12-31")
    assert code == 0
    assert "LETTRE-12  optique, site : Lettre 12 (du 23/11/2026 au 31/12/2099)" in said
    assert "lien : http://localhost:8000/c/LETTRE-12" in said
    kit = re.search(r"kit  : http://localhost:8000/kit/LETTRE-12/(\S+)", said)
    assert kit
    assert campaigns.opens_kit(house.store.keyring, "LETTRE-12", kit[1])
    assert autodiag("campaign", "list")[1] == said
    assert autodiag("campaign", "list", "--branche", "chaussure") == (0, "Aucune campagne.\n")
    code, said = autodiag("campaign", "close", "LETTRE-12")
    assert code == 0
    assert "31/12/2099" not in said


def test_what_cannot_be_done_says_why_and_keeps_nothing(house: House) -> None:
    wrong = (
        ((*CREATE, "--branche", "sabotage"), "métier"),
        ((*CREATE, "--canal", "radio"), "canal"),
        ((*CREATE, "--numero", ""), "numéro"),
        ((*CREATE, "--ouvre", "2026-11-23", "--ferme", "2026-11-22"), "dernier jour"),
        ((*CREATE, "--code", "a b"), "code"),
        (("campaign", "close", "ABSENTE"), "Aucune campagne"),
    )
    for words, why in wrong:
        code, said = autodiag(*words)
        assert (code, why in said) == (2, True), said
    assert house.store.db.read(lambda tx: campaigns.of_branch(tx, None)) == []


def test_a_code_is_taken_once(house: House) -> None:
    assert autodiag(*CREATE, "--code", "PRIS")[0] == 0
    assert autodiag(*CREATE, "--code", "PRIS")[0] == 2


def test_the_operator_reads_what_is_missing_before_a_wave(house: House) -> None:
    code, said = autodiag("stats")
    assert code == 0
    assert "il manque 16 à 20 entreprises" in said
    assert "Branche alimentaire" in said
