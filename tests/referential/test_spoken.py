"""The ways of saying things: read whole, each fault with its file, its line and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.content import load_content
from referential import spoken
from referential.yamlfile import Faults

QUESTIONS = load_content().flow.questionnaire.by_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the real sayings, to spoil."""
    return Path(shutil.copytree(spoken.FOLDER, tmp_path / "referential" / "sayings"))


def faults(folder: Path) -> list[str]:
    with pytest.raises(Faults) as found:
        spoken.load(QUESTIONS, folder)
    return [str(fault) for fault in found.value.faults]


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first `old` of a file; the line where it stood."""
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_real_sayings_are_whole_and_in_several_voices() -> None:
    found = spoken.load(QUESTIONS)
    assert len({each.voice for each in found.utterances if each.node}) >= 4
    assert {each.meant for each in found.utterances if not each.node} >= {"back", "edit", "emergency", "someone_else"}


def test_an_unknown_question_is_named(folder: Path) -> None:
    line = spoil(folder, "pilotage.yml", "pil-qui:", "pil-ki:")
    said = faults(folder)
    assert any(
        each.startswith(f"referential/sayings/pilotage.yml, ligne {line} :") and "pil-ki" in each for each in said
    )


def test_an_unknown_choice_is_named_with_those_that_exist(folder: Path) -> None:
    spoil(folder, "pilotage.yml", "  debrouille:", "  debrouil:")
    said = faults(folder)
    assert any("« debrouil » n'est pas un choix de « pil-qui »" in each and "debrouille" in each for each in said)


def test_a_choice_said_in_too_few_ways_is_counted(folder: Path) -> None:
    path = folder / "pilotage.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    start = lines.index("  personne:")
    end = lines.index("  debrouille:")
    path.write_text("\n".join([*lines[: start + 3], *lines[end:]]), encoding="utf-8")
    assert any("« personne » : 1 façons de le dire, il en faut au moins 8" in each for each in faults(folder))


def test_a_new_question_without_sayings_is_a_fault(folder: Path) -> None:
    (folder / "incident.yml").unlink()
    assert any("« inc-reflexe »" in each and "fichier de son thème" in each for each in faults(folder))


def test_the_same_words_under_two_choices_are_a_fault(folder: Path) -> None:
    text = (folder / "pilotage.yml").read_text(encoding="utf-8")
    twice = text.replace("  debrouille:\n", '  debrouille:\n    autre:\n      - "Nobody MDR !"\n', 1)
    (folder / "pilotage.yml").write_text(twice, encoding="utf-8")
    assert any("est déjà une façon de dire « personne »" in each for each in faults(folder))


def test_an_abbreviation_leads_to_one_reading(folder: Path) -> None:
    (folder / "spelling.yml").write_text("oui: [ui]\nnon: [ui]\n", encoding="utf-8")
    assert any("« ui » mène déjà à « oui »" in each for each in faults(folder))


def test_intents_keep_the_form_that_rasa_reads(folder: Path) -> None:
    (folder / "intents.yml").write_text('version: "2.0"\nnlu: []\n', encoding="utf-8")
    assert any('« version: "3.1" »' in each for each in faults(folder))
    (folder / "intents.yml").write_text('version: "3.1"\nnlu:\n- intent: back\n', encoding="utf-8")
    assert any("« examples: | »" in each for each in faults(folder))


def test_the_fingerprint_follows_every_file(folder: Path) -> None:
    before = spoken.fingerprint(folder)
    spoil(folder, "concepts.yml", "avast", "avaste")
    assert spoken.fingerprint(folder) != before
