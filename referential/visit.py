"""What prepares the expert's visit: contradictions between answers, documents to ask for, how the time is shared.

For the consultant's summary alone: nothing here is asked or scored, so it stands outside the flow's fingerprint. Rules
look at any answer that counts; on something unknown none holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from referential.model import Id, Part, RuleField, Text
from referential.rules import ALWAYS


class Contradiction(Part):
    """Answers that do not go together: what does not fit, and what to ask on the day."""

    id: Id
    rule: RuleField = Field(alias="regle")
    finding: Text = Field(alias="constat")
    ask: Text = Field(alias="demander")


class Contradictions(Part):
    """contradictions.yml."""

    contradictions: tuple[Contradiction, ...]


class Document(Part):
    """A paper to have at hand; `room`: the theme or branch module that it is for. Left out when its rule says so."""

    room: Id = Field(alias="pour")
    text: Text = Field(alias="texte")
    rule: RuleField = Field(default=ALWAYS, alias="regle")


class Wanted(Part):
    """Minutes that a theme is worth, by where it stands."""

    alert: int = Field(alias="alerte", ge=0)
    weak: int = Field(alias="faible", ge=0)
    to_check: int = Field(alias="a_verifier", ge=0)
    middling: int = Field(alias="moyen", ge=0)
    unasked: int = Field(alias="pas_note", ge=0)
    good: int = Field(alias="satisfaisant", ge=0)


class Item(Part):
    """A moment of the visit that belongs to no theme."""

    title: Text = Field(alias="titre")
    minutes: int = Field(ge=1)


class AgendaRule(Part):
    """How a visit is shared out: opening and closing, `least` to each theme, then more, up to what each is worth."""

    minutes: int = Field(alias="duree", ge=30, le=480)
    opening: Item = Field(alias="ouverture")
    closing: Item = Field(alias="cloture")
    spare: Text = Field(alias="marge")
    least: int = Field(alias="au_moins", ge=1)
    wanted: Wanted = Field(alias="par_theme")


class VisitFile(Part):
    """visit.yml."""

    agenda: AgendaRule
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Preparation:
    """Both files together: what a summary is made with."""

    contradictions: tuple[Contradiction, ...]
    documents: tuple[Document, ...]
    agenda: AgendaRule
