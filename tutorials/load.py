"""Reads the tutorials: YAML front matter, then one ordered list whose items are the steps, in plain text.

Nothing is dropped: what is not a step (a paragraph, a title, a list in a list, bold, a link) is a fault with its line.
A tutorial's `rank` is its place in the referential's order; it breaks ties between actions of equal priority.
"""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import Field

from referential.model import Id, Part, Text
from referential.yamlfile import Fault, Faults, Loc, Source, parse_yaml

FOLDER = Path(__file__).parent
_FENCE = "---\n"
_FRAME = {"ordered_list_open", "ordered_list_close", "list_item_open", "list_item_close", "paragraph_open"}
_FRAME |= {"paragraph_close", "inline"}


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
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Faults([Fault(name, 1, "fichier illisible : enregistrez-le en UTF-8.")]) from None
    except OSError as error:
        sentence = f"fichier impossible à lire ({error.strerror}) : vérifiez ses droits."
        raise Faults([Fault(name, 1, sentence)]) from None
    if not text.startswith(_FENCE) or (end := text.find("\n" + _FENCE)) < 0:
        raise Faults(
            [Fault(name, 1, "il manque l'en-tête : commencez par une ligne « --- », puis les clés, puis « --- ».")]
        )
    source = parse_yaml(text[len(_FENCE) : end + 1], name, first_line=2)
    front = source.model(Front)
    if front.id != path.stem:
        raise Faults([source.fault(("id",), f"l'identifiant doit être celui du fichier : « {path.stem} ».")])
    first_line = text[: end + len(_FENCE) + 1].count("\n") + 1
    steps = _steps(text[end + len(_FENCE) + 1 :], name, first_line)
    if not steps:
        sentence = "il manque les étapes : une liste numérotée (1., 2., 3.) après l'en-tête."
        raise Faults([Fault(name, first_line - 1, sentence)])
    lines: dict[Loc, int] = {("etapes", place): line for place, (line, _) in enumerate(steps)}
    whole = Tutorial.model_validate(front.model_dump() | {"steps": [words for _, words in steps]})
    return whole, Source(name, source.values, {**source.lines, **lines})


def _steps(body: str, name: str, first_line: int) -> list[tuple[int, str]]:
    """The line and the words of each step; raises Faults on anything else than one plain numbered list."""
    steps: list[tuple[int, str]] = []
    faults: list[Fault] = []
    line, depth = first_line, 0
    for token in MarkdownIt().parse(body):
        line = first_line + token.map[0] if token.map else line
        depth += token.nesting if token.type.startswith("list_item") else 0
        if sentence := _odd(token, depth):
            if not faults or faults[-1].line != line:
                faults.append(Fault(name, line, sentence))
        elif token.type == "list_item_open":
            steps.append((line, ""))
        elif token.type == "inline":
            started, words = steps[-1]
            steps[-1] = (started, f"{words} {token.content}".strip().replace("\n", " "))
    empty = "cette étape est vide : écrivez-la ou retirez son numéro."
    faults = faults or [Fault(name, line, empty) for line, words in steps if not words]
    if faults:
        raise Faults(faults)
    return steps


def _odd(token: Token, depth: int) -> str:
    """Why this piece of Markdown can't be part of the steps, or nothing."""
    if token.type == "inline" and depth == 0:
        return "ce texte n'est pas dans la liste numérotée : faites-en une étape, ou retirez-le."
    if depth > 1 and token.type == "list_item_open":
        return "une liste dans une étape ne se lit pas dans le chat : faites-en des étapes."
    if token.type.startswith("bullet_list"):
        return "les étapes sont une liste numérotée : remplacez les puces par 1., 2., 3." if token.nesting == 1 else ""
    if token.type not in _FRAME:
        return "les étapes sont du texte simple : retirez titre, code, citation ou trait." if token.nesting >= 0 else ""
    if any(child.type not in ("text", "softbreak", "hardbreak") for child in token.children or ()):
        return "les étapes sont du texte simple : retirez gras, italique, lien ou code."
    return ""
