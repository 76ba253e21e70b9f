"""The smallest questionnaires in which each rule of the rule book shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from bot.content import load_content
from referential.model import Questionnaire

SCALE = {
    "moyen_a_partir_de": 40,
    "satisfaisant_a_partir_de": 70,
    "proche_a_moins_de": 2,
    "premier_remede": 1,
    "autre_remede": 0.5,
    "efforts": [
        {"jusqu_a": 10, "diviseur": 1},
        {"jusqu_a": 15, "diviseur": 1.25},
        {"jusqu_a": 20, "diviseur": 1.5},
        {"jusqu_a": 30, "diviseur": 2},
        {"jusqu_a": None, "diviseur": 3},
    ],
    "minutes_verifier": 5,
    "actions_montrees": 3,
    "actions_au_plus": 6,
}
SPOKEN = {"texte": "Et ceci ?", "pourquoi": "Parce que.", "aide": "Regardez."}
REMARKS = {"bien": "Bien.", "moyen": "Presque.", "fragile": "Courant.", "a_verifier": "À voir."}


def question(
    name: str, weight: int = 1, tutorials: Sequence[str] = ("t10",), recipient: str = "soi", **more: Any
) -> dict[str, Any]:
    """A question whose choices are named by their note: n0, n25, n50, n75, n100, and any other in `notes`."""
    notes = more.pop("notes", ())
    choices = [
        {"id": f"n{note}".replace(".", "_"), "libelle": str(note), "note": str(Decimal(str(note)) / 100)}
        for note in sorted({0, 25, 50, 75, 100, *notes})
    ]
    return {
        "id": name,
        **SPOKEN,
        "choix": choices,
        "na_permis": True,
        "na_libelle": "Rien de tel",
        "risque": weight,
        "tutos": list(tutorials),
        "destinataire": recipient,
        "effort": 10,
        **more,
    }


def theme(name: str, *questions: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "titre": name, "enjeu": "Important.", "remarques": REMARKS, "questions": list(questions)}


def branch(name: str, *questions: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "titre": name, "questions": list(questions)}


def fact(name: str, *choices: str, asked: str = "debut", values: Sequence[int] = ()) -> dict[str, Any]:
    told: list[dict[str, Any]] = [{"id": choice, "libelle": choice} for choice in choices]
    for choice, value in zip(told, values, strict=False):
        choice["valeur"] = value
    return {"id": name, **SPOKEN, "choix": told, "na_permis": False, "demander": asked}


def book(
    *themes: dict[str, Any], branches: Sequence[dict[str, Any]] = (), tutorials: Mapping[str, int] | None = None
) -> Questionnaire:
    lengths = {"t10": 10} if tutorials is None else tutorials
    return Questionnaire.model_validate(
        {
            "version": "test",
            "profile": [
                fact("branche", "autre", "boulanger", "fleuriste"),
                fact("effectif", "seul", "equipe", values=(1, 2)),
            ],
            "themes": list(themes),
            "branches": list(branches),
            "scale": SCALE,
            "tutorials": [{"id": name, "minutes": minutes} for name, minutes in lengths.items()],
        }
    )


@pytest.fixture(scope="session")
def real() -> Questionnaire:
    """The questionnaire as published."""
    return load_content().flow.questionnaire
