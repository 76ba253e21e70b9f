"""Reads the tutorials: YAML front matter, then one ordered list whose items are the steps.

A tutorial's `rank` is its place in the referential's order; it breaks ties between actions of equal priority.
"""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt
from pydantic import Field

from referential.model import Id, Part, Text
from referential.yamlfile import Fault, Faults, Source, parse_yaml

FOLDER = Path(__file__).parent
_FENCE = "---\n"


class Resource(Part):
    """A public page where to read more."""

    name: Text = Field(alias="nom")
    address: Text = Field(alias="adresse")


class Front(Part):
    """The front matter of a tutorial."""

    id: Id
    rank: int = Field(alias="ordre", ge=1)
    title: Text = Field(alias="titre")
    minutes: int = Field(alias="duree", ge=1, le=240)
    needs: Text = Field(alias="prerequis")
    proof: Text = Field(alias="verif")
    poster: bool = Field(default=False, alias="affiche")
    resources: tuple[Resource, ...] = Field(alias="ressources", min_length=1)


class Tutorial(Front):
    """A tutorial: its front matter and its steps, plain text, in order."""

    steps: tuple[Text, ...] = Field(min_length=1)


def load(folder: Path = FOLDER) -> tuple[Tutorial, ...]:
    """Every tutorial by rank; raises Faults with all that is wrong."""
    faults: list[Fault] = []
    found: list[Tutorial] = []
    for path in sorted(folder.glob("*.md")):
        try:
            found.append(_read(path, f"{folder.name}/{path.name}")[0])
        except Faults as wrong:
            faults.extend(wrong.faults)
    if faults:
        raise Faults(faults)
    return tuple(sorted(found, key=lambda tutorial: tutorial.rank))


def sources(folder: Path = FOLDER) -> dict[str, Source]:
    """The front matter's source of each tutorial, by id, for faults found when files are compared."""
    return {path.stem: _read(path, f"{folder.name}/{path.name}")[1] for path in sorted(folder.glob("*.md"))}


def _read(path: Path, name: str) -> tuple[Tutorial, Source]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Faults([Fault(name, 1, "fichier illisible : enregistrez-le en UTF-8.")]) from None
    if not text.startswith(_FENCE) or (end := text.find("\n" + _FENCE)) < 0:
        raise Faults(
            [Fault(name, 1, "il manque l'en-tête : commencez par une ligne « --- », puis les clés, puis « --- ».")]
        )
    source = parse_yaml(text[len(_FENCE) : end + 1], name, first_line=2)
    front = source.model(Front)
    if front.id != path.stem:
        raise Faults([source.fault(("id",), f"l'identifiant doit être celui du fichier : « {path.stem} ».")])
    steps = _steps(text[end + len(_FENCE) + 1 :])
    if not steps:
        line = text[:end].count("\n") + 2
        raise Faults([Fault(name, line, "il manque les étapes : une liste numérotée (1., 2., 3.) après l'en-tête.")])
    return Tutorial.model_validate(front.model_dump() | {"steps": steps}), source


def _steps(body: str) -> list[str]:
    tokens = MarkdownIt().parse(body)
    depth = 0
    steps: list[str] = []
    for token in tokens:
        if token.type == "list_item_open":
            depth += 1
            if depth == 1:
                steps.append("")
        elif token.type == "list_item_close":
            depth -= 1
        elif token.type == "inline" and depth:
            steps[-1] = f"{steps[-1]} {token.content}".strip().replace("\n", " ")
    return steps
