"""A tutorial is front matter and one plain numbered list; anything else is a fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from referential.yamlfile import Faults
from tutorials import load as tutorials

FRONT = """---
id: essai
ordre: 3
titre: Un essai
duree: 10
prerequis: Un stylo.
verif: C'est écrit.
ressources:
  - nom: Un site
    adresse: https://exemple.fr/
---
"""
STEPS = "1. Prenez un stylo.\n2. Écrivez.\n"
BODY = FRONT.count("\n") + 1
"""The first line after the front matter."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tutorials"
    made.mkdir()
    return made


def read(folder: Path, text: str | bytes, name: str = "essai.md") -> tutorials.Tutorial:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (found,) = tutorials.load(folder)
    return found


def fault(folder: Path, text: str | bytes) -> tuple[int, str]:
    with pytest.raises(Faults) as caught:
        read(folder, text)
    (found,) = caught.value.faults
    assert found.file == "tutorials/essai.md"
    return found.line, found.sentence


def test_a_tutorial_is_its_front_matter_and_its_steps(folder: Path) -> None:
    found = read(folder, FRONT + STEPS)
    assert (found.id, found.rank, found.minutes, found.poster) == ("essai", 3, 10, False)
    assert found.steps == ("Prenez un stylo.", "Écrivez.")
    assert found.resources[0].address == "https://exemple.fr/"


@pytest.mark.parametrize(
    "steps",
    [
        "\n\n1. Prenez un stylo.\n\n2. Écrivez.\n",
        "1. Prenez\n   un stylo.\n2. Écrivez.",
        "1. Prenez\nun stylo.\n1. Écrivez.\n",
        "1) Prenez un stylo.\n2) Écrivez.\n",
        "1. Prenez un stylo.\r\n2. Écrivez.\r\n",
        "4. Prenez un stylo.\n5. Écrivez.\n\n\n",
    ],
)
def test_steps_may_be_spaced_wrapped_or_numbered_otherwise(folder: Path, steps: str) -> None:
    assert read(folder, FRONT + steps).steps == ("Prenez un stylo.", "Écrivez.")


def test_a_step_may_hold_two_paragraphs_and_french_punctuation(folder: Path) -> None:
    steps = "1. Cliquez sur « Activer » : c'est prêt ?\n\n   Notez 12 * 3 et mon_fichier_a.\n"
    assert read(folder, FRONT + steps).steps == (
        "Cliquez sur « Activer » : c'est prêt ? Notez 12 * 3 et mon_fichier_a.",
    )


def test_windows_files_with_a_byte_order_mark_are_read(folder: Path) -> None:
    assert len(read(folder, ("\ufeff" + FRONT + STEPS).replace("\n", "\r\n")).steps) == 2


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("", -1, "il manque les étapes"),
        ("\n\n", -1, "il manque les étapes"),
        ("- Prenez un stylo.\n", 0, "remplacez les puces"),
        (f"{STEPS}\nBon courage !\n", 3, "n'est pas dans la liste"),
        (f"Voici.\n\n{STEPS}", 0, "n'est pas dans la liste"),
        (f"# Titre\n\n{STEPS}", 0, "titre"),
        ("1. Prenez :\n   - un stylo\n", 1, "une liste"),
        ("1. Prenez :\n   1. un stylo\n", 1, "une liste dans une étape"),
        ("1. Prenez.\n2. Un **gros** stylo.\n", 1, "retirez gras"),
        ("1. Prenez.\n2. Un [stylo](https://a.fr).\n", 1, "lien"),
        ("1. Prenez `stylo`.\n", 0, "code"),
        ("1. Prenez.\n\n   ```\n   stylo\n   ```\n", 2, "code"),
        (f"{STEPS}\n> Bon courage\n", 3, "citation"),
        (f"{STEPS}\n***\n", 3, "trait"),
        ("1. Prenez <b>un stylo</b>.\n", 0, "texte simple"),
        ("1. Prenez.\n2.\n3. Écrivez.\n", 1, "vide"),
    ],
)
def test_what_is_not_a_plain_step_is_a_fault_and_never_lost(folder: Path, body: str, line: int, words: str) -> None:
    found, sentence = fault(folder, FRONT + body)
    assert words in sentence
    assert found == BODY + line


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("duree: 10", "duree: long", 5, "nombre entier"),
        ("duree: 10", "duree: 0", 5, "au moins 1"),
        ("titre: Un essai\n", "", 2, "il manque « titre »"),
        ("titre: Un essai", "tittre: Un essai\ntitre: Un essai", 4, "clé connue"),
        ("titre: Un essai", "titre: [Un", 5, "YAML mal formé"),
        ("ordre: 3", "ordre: 3\nordre: 4", 4, "deux fois"),
        ("id: essai", "id: autre", 2, "celui du fichier : « essai »"),
        (
            "    adresse: https://exemple.fr/",
            "  - nom: B\n    adresse: https://b.fr/",
            9,
            "il manque « ressources.adresse »",
        ),
        ("ressources:\n  - nom: Un site\n    adresse: https://exemple.fr/\n", "ressources: []\n", 8, "au moins 1"),
        ("---\nid", "id", 1, "il manque l'en-tête"),
        ("---\nid: essai", "---\n- essai", 3, "YAML mal formé"),
    ],
)
def test_a_mistake_in_the_front_matter_is_said_at_its_line(
    folder: Path, old: str, new: str, line: int, words: str
) -> None:
    found, sentence = fault(folder, FRONT.replace(old, new, 1) + STEPS)
    assert words in sentence
    assert found == line


def test_front_matter_that_never_ends_is_a_fault(folder: Path) -> None:
    assert "il manque l'en-tête" in fault(folder, FRONT.removesuffix("---\n") + STEPS)[1]


def test_a_file_that_is_not_utf_8_is_a_fault(folder: Path) -> None:
    assert "UTF-8" in fault(folder, (FRONT + STEPS).encode("latin-1"))[1]


def test_a_file_that_cannot_be_read_is_a_fault(folder: Path) -> None:
    (folder / "essai.md").mkdir()
    with pytest.raises(Faults, match="impossible à lire"):
        tutorials.load(folder)


def test_all_the_faults_of_all_the_files_are_said(folder: Path) -> None:
    (folder / "a.md").write_text("rien", encoding="utf-8")
    (folder / "b.md").write_text("rien", encoding="utf-8")
    with pytest.raises(Faults) as caught:
        tutorials.load(folder)
    assert [found.file for found in caught.value.faults] == ["tutorials/a.md", "tutorials/b.md"]


def test_tutorials_come_by_rank_and_each_step_knows_its_line(folder: Path) -> None:
    (folder / "z.md").write_text(
        FRONT.replace("essai", "z", 1).replace("ordre: 3", "ordre: 1") + STEPS, encoding="utf-8"
    )
    (folder / "essai.md").write_text(FRONT + STEPS, encoding="utf-8")
    assert [found.id for found in tutorials.load(folder)] == ["z", "essai"]
    assert tutorials.sources(folder)["z"].fault(("etapes", 1), "ici").line == BODY + 1


def test_the_26_tutorials_are_read_two_of_them_as_posters() -> None:
    published = tutorials.load()
    assert len(published) == 26
    assert sum(tutorial.poster for tutorial in published) == 2
    assert all(3 <= len(tutorial.steps) <= 12 for tutorial in published)
