"""A damaged file is named with its line and what to do, in French."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from referential.yamlfile import Fault, Faults, parse_yaml, read_yaml


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(max_length=6, min_length=1, pattern="^[a-z]+$")
    note: Decimal | None = None
    on: bool = True


class File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    many: int = Field(default=1, ge=1, le=9)
    kind: Literal["soi", "banque", "assureur"] = "soi"
    words: tuple[str, ...] = ()
    items: list[Item] = []
    folder: Path = Path()


def faults(text: str, first_line: int = 1) -> list[tuple[int, str]]:
    with pytest.raises(Faults) as caught:
        parse_yaml(text, "un.yml", first_line=first_line).model(File)
    assert all(fault.file == "un.yml" for fault in caught.value.faults)
    return [(fault.line, fault.sentence) for fault in caught.value.faults]


def one_fault(text: str) -> tuple[int, str]:
    (found,) = faults(text)
    return found


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("many: 2\n", 1, "il manque « title » : ajoutez-le."),
        ("", 1, "il manque « title » : ajoutez-le."),
        ("title: a\nitems:\n- id: abc\n- note: 1\n", 4, "il manque « items.id » : ajoutez-le."),
        ("title: a\ntilte: b\n", 2, "« tilte » n'est pas une clé connue : corrigez son orthographe ou retirez-la."),
        ("title: a\nitems:\n  - id: abc\n    nom: b\n", 4, "« items.nom » n'est pas une clé connue"),
        ("title: a\n\n# mot\ntitle: b\n", 4, "« title » est écrit deux fois : gardez-en un seul."),
        ("title: a\nitems:\n- id: abc\n  id: abd\n", 4, "« id » est écrit deux fois"),
        ("title: 3\n", 1, "« title » doit être un texte : mettez-le entre guillemets."),
        ("title: a\nmany: beaucoup\n", 2, "« many » doit être un nombre entier."),
        ("title: a\nmany: 0\n", 2, "« many » est hors limites : il faut au moins 1."),
        ("title: a\nmany: 10\n", 2, "« many » est hors limites : il faut au plus 9."),
        ("title: a\nkind: voisin\n", 2, "« kind » accepte seulement 'soi', 'banque' ou 'assureur'."),
        (
            "title: a\nwords: un\n",
            2,
            "« words » doit être une liste : une ligne « - … » par élément, ou [entre, crochets].",
        ),
        ("title: a\nitems: un\n", 2, "« items » doit être une liste"),
        ("title: a\nitems: [un]\n", 2, "« items » doit tenir en lignes « clé: valeur »."),
        ("title: a\nfolder: [un]\n", 2, "« folder » doit être un chemin, en texte entre guillemets."),
        ("- title\n", 1, "« fichier » doit tenir en lignes « clé: valeur »."),
        ("title\n", 1, "« fichier » doit tenir en lignes « clé: valeur »."),
        ("title: a\nitems:\n- id: abcdefgh\n", 3, "« items.id » est trop long : 6 caractères au plus."),
        ("title: a\nitems:\n- id: ''\n", 3, "« items.id » est vide : écrivez un texte."),
        ("title: a\nitems:\n- id: ABC\n", 3, "« items.id » a une forme refusée"),
        ("title: a\nitems:\n- id: abc\n  note: demi\n", 4, "« items.note » doit être un nombre."),
        ("title: a\nitems:\n- id: abc\n  on: peut-être\n", 4, "« items.on » doit être true (oui) ou false (non)."),
    ],
)
def test_each_mistake_is_said_at_its_line(text: str, line: int, words: str) -> None:
    found, sentence = one_fault(text)
    assert words in sentence
    assert found == line


def test_every_mistake_of_a_file_is_said_at_once() -> None:
    assert [line for line, _ in faults("many: x\nkind: y\nautre: z\n")] == [1, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: [a\nmany: 2\n", 2),
        ("title: a\n  many: 2\n", 2),
        ("title: 'a\n", 2),
        ("title: a : b\n", 1),
        ("title: a\n\tmany: 2\n", 2),
        ("title: *absent\n", 1),
        ("title: a\n--- \ntitle: b\n", 2),
        ("title: !!python/name:os.system\n", 1),
    ],
)
def test_malformed_yaml_is_said_at_its_line(text: str, line: int) -> None:
    found, sentence = one_fault(text)
    assert sentence.startswith("YAML mal formé")
    assert found == line


def test_an_impossible_date_is_a_fault() -> None:
    assert one_fault("title: 2026-02-31\n")[1].startswith("YAML mal formé")


def test_an_invisible_character_is_said_at_its_line() -> None:
    assert one_fault("title: a\nmany: 2\x07\n") == (2, "caractère invisible ou interdit : retapez cette ligne.")


def test_a_file_that_cites_itself_or_nests_too_deep_is_a_fault() -> None:
    for text in ("title: &a [*a]\n", "title: " + "[" * 2000):
        assert "imbriqués" in one_fault(text)[1]


def test_lines_count_from_where_the_text_starts() -> None:
    assert faults("title: a\ntilte: b\n", first_line=10)[0][0] == 11
    assert faults("title: [a\n", first_line=10)[0][0] == 11


def test_a_good_file_is_read_byte_order_mark_included(tmp_path: Path) -> None:
    path = tmp_path / "un.yml"
    path.write_bytes("\ufefftitle: café\r\nwords: [un, deux]\r\n".encode())
    assert read_yaml(path, File) == File(title="café", words=("un", "deux"))


def test_a_file_that_is_not_utf_8_says_to_save_it_so(tmp_path: Path) -> None:
    path = tmp_path / "un.yml"
    path.write_bytes("title: café".encode("latin-1"))
    with pytest.raises(Faults) as caught:
        read_yaml(path, File, name="content/un.yml")
    assert caught.value.faults == (Fault("content/un.yml", 1, "fichier illisible : enregistrez-le en UTF-8."),)


def test_a_missing_file_is_a_fault_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        read_yaml(tmp_path / "absent.yml", File)
    assert str(caught.value).startswith(f"{tmp_path / 'absent.yml'}, ligne 1 : fichier impossible à lire")
