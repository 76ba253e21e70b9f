"""A YAML file read into a pydantic model, every fault named with its file and line in French.

The one rule: nothing is guessed or dropped; a key given twice or unknown is a fault. For content and config.yml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_Quick = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick loader where PyYAML was built with it: reading the content would be a third of a start."""

Loc = tuple[int | str, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Fault:
    """One thing to mend: where (file as given, line from 1) and what to do, as a French sentence."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, ligne {self.line} : {self.sentence}"


class Faults(Exception):
    """Everything found wrong in one or several files."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Source:
    """The plain values of a file and the line where each of them starts, by path of keys and positions."""

    file: str
    values: Any
    lines: Mapping[Loc, int]

    def fault(self, where: Loc, sentence: str) -> Fault:
        """A fault at this path, or at the nearest thing above it that the file holds."""
        while where and where not in self.lines:
            where = where[:-1]
        return Fault(self.file, self.lines.get(where, 1), sentence)

    def model(self, model: type[M], *, values: Any = None, at: Loc = ()) -> M:
        """The values (or a part of them, found `at`) as a model; raises Faults."""
        try:
            return model.model_validate(self.values if values is None else values)
        except ValidationError as error:
            raise Faults([self.fault(at + found["loc"], explain(found)) for found in error.errors()]) from None


def read_yaml(path: Path, model: type[M], *, name: str | None = None) -> M:
    """Read a whole YAML file as `model`; raises Faults, a missing or unreadable file included."""
    return read_source(path, name=name).model(model)


def read_source(path: Path, *, name: str | None = None) -> Source:
    """Read a YAML file from disk with its lines; raises Faults."""
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Faults([Fault(file, 1, "fichier illisible : enregistrez-le en UTF-8.")]) from None
    except OSError as error:
        raise Faults(
            [Fault(file, 1, f"fichier impossible à lire ({error.strerror}) : vérifiez son nom et ses droits.")]
        ) from None
    return parse_yaml(text, file)


def parse_yaml(text: str, file: str, *, first_line: int = 1) -> Source:
    """Parse YAML text that starts at `first_line` of `file`; raises Faults."""
    try:
        return _parse(text, file, first_line, _Quick)
    except Faults:  # the slow loader says better what is wrong, and where
        return _parse(text, file, first_line, yaml.SafeLoader)


def _parse(text: str, file: str, first_line: int, loading: type[yaml.SafeLoader]) -> Source:
    lines: dict[Loc, int] = {}
    faults: list[Fault] = []

    def walk(node: yaml.Node, where: Loc) -> Any:
        lines[where] = node.start_mark.line + first_line
        if isinstance(node, yaml.SequenceNode):
            return [walk(item, (*where, place)) for place, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                line = key_node.start_mark.line + first_line
                if key in found:
                    faults.append(Fault(file, line, f"« {key} » est écrit deux fois : gardez-en un seul."))
                found[key] = walk(value_node, (*where, key))
                lines[(*where, key)] = line
            return found
        return loader.construct_object(node, deep=True)

    try:
        loader = loading(text)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + first_line
        sentence = "caractère invisible ou interdit : retapez cette ligne."
        raise Faults([Fault(file, line, sentence)]) from None
    try:
        root = loader.get_single_node()
        values = walk(root, ()) if root is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        raise Faults(
            [
                Fault(
                    file,
                    line,
                    f"YAML mal formé ({error.problem}) : vérifiez l'alignement, les guillemets et les « : ».",
                )
            ]
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Faults([Fault(file, first_line, f"YAML mal formé ({error}).")]) from None
    except RecursionError:
        sentence = "trop de niveaux imbriqués, ou un « & » qui se cite lui-même."
        raise Faults([Fault(file, first_line, sentence)]) from None
    finally:
        loader.dispose()
    if faults:
        raise Faults(faults)
    return Source(file, values, lines)


def explain(found: ErrorDetails) -> str:  # noqa: C901 — one arm a kind of error
    """One pydantic error as a French sentence that says what to do."""
    key = ".".join(str(part) for part in found["loc"] if isinstance(part, str)) or "fichier"
    context = found.get("ctx", {})
    match found["type"]:
        case "missing":
            return f"il manque « {key} » : ajoutez-le."
        case "extra_forbidden":
            return f"« {key} » n'est pas une clé connue : corrigez son orthographe ou retirez-la."
        case "literal_error" | "enum":
            return f"« {key} » accepte seulement {context.get('expected', '').replace(' or ', ' ou ')}."
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"« {key} » doit tenir en lignes « clé: valeur »."
        case "list_type" | "tuple_type":
            return f"« {key} » doit être une liste : une ligne « - … » par élément, ou [entre, crochets]."
        case "path_type":
            return f"« {key} » doit être un chemin, en texte entre guillemets."
        case "string_type":
            return f"« {key} » doit être un texte : mettez-le entre guillemets."
        case "string_too_short":
            return f"« {key} » est vide : écrivez un texte."
        case "string_too_long":
            return f"« {key} » est trop long : {context.get('max_length')} caractères au plus."
        case "string_pattern_mismatch":
            return f"« {key} » a une forme refusée (attendu : {context.get('pattern')})."
        case "too_short":
            return f"« {key} » : il en faut au moins {context.get('min_length')}."
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            limits = {"ge": "au moins", "gt": "plus de", "le": "au plus", "lt": "moins de"}
            said = ", ".join(f"{words} {context[name]}" for name, words in limits.items() if name in context)
            return f"« {key} » est hors limites : il faut {said}."
        case "int_type" | "int_parsing" | "int_from_float":
            return f"« {key} » doit être un nombre entier."
        case "decimal_parsing" | "decimal_type" | "float_type" | "float_parsing":
            return f"« {key} » doit être un nombre."
        case "bool_type" | "bool_parsing":
            return f"« {key} » doit être true (oui) ou false (non)."
        case "value_error":
            return f"« {key} » : {context.get('error', found['msg'])}."
        case _:
            return f"« {key} » est refusé ({found['msg']})."
