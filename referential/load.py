"""Reads the content folders once into a `Referential`; faults name file and line.

Types are checked here; what ties one file to another is checked in `bot/check.py`, which may see tutorials too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from referential.forms import Form
from referential.model import Branch, Fact, Part, Scale, Text, Theme
from referential.outreach import Plan
from referential.visit import Contradictions, Preparation, VisitFile
from referential.yamlfile import Fault, Faults, Source, read_source

M = TypeVar("M", bound=Part)

FOLDER = Path(__file__).parent


class Term(Part):
    """One entry of the glossary; `synonyms` lead to the same definition."""

    term: Text = Field(alias="terme")
    definition: Text
    synonyms: tuple[Text, ...] = Field(default=(), alias="synonymes")


class ProfileFile(Part):
    """profile.yml."""

    profile: tuple[Fact, ...] = Field(alias="profil", min_length=1)


class GlossaryFile(Part):
    """glossary.yml."""

    terms: tuple[Term, ...] = Field(alias="glossaire")


class ScaleFile(Part):
    """scale.yml: the version of the whole questionnaire and its scale."""

    version: Text
    scale: Scale = Field(alias="bareme")


@dataclass(frozen=True)
class Referential:
    """The content as read: parts in order, and the source of each file for faults found later."""

    version: str
    profile: tuple[Fact, ...]
    themes: tuple[Theme, ...]
    branches: tuple[Branch, ...]
    glossary: tuple[Term, ...]
    scale: Scale
    forms: tuple[Form, ...]
    plan: Plan
    preparation: Preparation
    sources: dict[str, Source]

    @cached_property
    def terms(self) -> dict[str, Term]:
        """Glossary entries by every lower-cased word that leads to them."""
        return {word.casefold(): entry for entry in self.glossary for word in (entry.term, *entry.synonyms)}


def load(folder: Path = FOLDER) -> Referential:
    """Read every file of the referential; raises Faults with all that is wrong, not only the first."""
    faults: list[Fault] = []
    sources: dict[str, Source] = {}

    def read(path: Path, model: type[M]) -> M | None:
        key = path.relative_to(folder).as_posix()
        try:
            sources[key] = read_source(path, name=f"{folder.name}/{key}")
            return sources[key].model(model)
        except Faults as found:
            faults.extend(found.faults)
            return None

    profile = read(folder / "profile.yml", ProfileFile)
    glossary = read(folder / "glossary.yml", GlossaryFile)
    scale = read(folder / "scale.yml", ScaleFile)
    themes = [read(path, Theme) for path in sorted((folder / "themes").glob("*.yml"))]
    branches = [read(path, Branch) for path in sorted((folder / "branches").glob("*.yml"))]
    forms = [read(path, Form) for path in sorted((folder / "flows").glob("*.yml"))]
    plan = read(folder / "outreach.yml", Plan)
    contradictions = read(folder / "contradictions.yml", Contradictions)
    visit = read(folder / "visit.yml", VisitFile)
    if not themes:
        faults.append(Fault(f"{folder.name}/themes", 1, "aucun thème : il faut un fichier .yml par thème."))
    if faults or not (profile and glossary and scale and plan and contradictions and visit):
        raise Faults(faults)
    trades = {choice.id: place for place, choice in enumerate(profile.profile[0].choices)}
    return Referential(
        version=scale.version,
        profile=profile.profile,
        themes=tuple(theme for theme in themes if theme),
        branches=tuple(sorted((b for b in branches if b), key=lambda branch: trades.get(branch.id, len(trades)))),
        glossary=glossary.terms,
        scale=scale.scale,
        forms=tuple(form for form in forms if form),
        plan=plan,
        preparation=Preparation(contradictions.contradictions, visit.documents, visit.agenda),
        sources=sources,
    )
