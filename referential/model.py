"""The types of the questionnaire: what one YAML file may hold, and the whole that they make.

Keys are French in the files, because their editors are; attributes are English. Everything is frozen. `Questionnaire`
is what a flow is made of and what the score reads: its content, notes, weights and thresholds give its fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from referential.rules import ALWAYS, NOT_CONCERNED, UNKNOWN, Answers, Rule, parse_rule

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", max_length=24)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Note = Annotated[
    Decimal, Field(ge=0, le=1), BeforeValidator(lambda raw: str(raw) if isinstance(raw, float | int) else raw)
]
RuleField = Annotated[Rule, BeforeValidator(parse_rule)]
Recipient = Literal["prestataire", "assureur", "banque", "comptable", "soi"]
"""Who can find an answer that the manager does not know (content/bareme.md, `destinataire`)."""


_ASKED = {"debut": "start", "au-besoin": "needed", "jamais": "never"}


class Part(BaseModel):
    """A piece of content: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Choice(Part):
    """One option of a question. `note` from 0 (weak) to 1 (good) where the question is scored."""

    id: Id
    label: Text = Field(alias="libelle")
    note: Note | None = None
    value: int | None = Field(default=None, alias="valeur")
    outside_visit: bool = Field(default=False, alias="hors_visite")


class References(Part):
    """Numbers in the three guides: ANSSI's 42 measures (2017), ANSSI's 13 questions, CPME's 12 rules."""

    hyg: tuple[int, ...] = ()
    tpe: tuple[int, ...] = ()
    cpme: tuple[int, ...] = ()


class Question(Part):
    """One question: of the profile (nothing scored), of a theme, or of a branch module."""

    id: Id
    text: Text = Field(alias="texte")
    why: Text = Field(alias="pourquoi")
    help: Text = Field(alias="aide")
    choices: tuple[Choice, ...] = Field(alias="choix", min_length=2)
    rule: RuleField = Field(default=ALWAYS, alias="regle")
    na_allowed: bool = Field(alias="na_permis")
    na_label: Text | None = Field(default=None, alias="na_libelle")
    editor_na: Text | None = Field(default=None, alias="na")
    editor_unknown: Text | None = Field(default=None, alias="nsp")

    @cached_property
    def by_choice(self) -> dict[str, Choice]:
        """Choices by id."""
        return {choice.id: choice for choice in self.choices}

    @property
    def unknown_allowed(self) -> bool:
        """Whether "je ne sais pas" is on offer: always, in the Autodiag."""
        return True

    def accepts(self, choice: str) -> bool:
        """Whether an answer may be this choice id, `nsp` or `na`."""
        if choice in (UNKNOWN, NOT_CONCERNED):
            return self.unknown_allowed if choice == UNKNOWN else self.na_allowed
        return choice in self.by_choice


class Fact(Question):
    """A profile question. `asked`: at the start, when first needed by a rule, or never (only if somebody gave it)."""

    asked: Annotated[Literal["start", "needed", "never"], BeforeValidator(lambda raw: _ASKED.get(raw, raw))] = Field(
        alias="demander"
    )
    editor_use: Text | None = Field(default=None, alias="sert_a")


class ScoredQuestion(Question):
    """A question with notes. `weight` 1 to 3; `inherited_note` counts when a known answer excludes the question."""

    weight: int = Field(alias="risque", ge=1, le=3)
    essential: bool = Field(default=False, alias="essentielle")
    inherited_note: Note | None = Field(default=None, alias="note_heritee")
    tutorials: tuple[Id, ...] = Field(alias="tutos", min_length=1)
    recipient: Recipient = Field(alias="destinataire")
    minutes: int = Field(alias="effort", ge=1, le=120)
    gain: Text | None = None
    references: References = Field(default=References(), alias="refs")
    pillar: Text | None = Field(default=None, alias="pilier")
    threat: Text | None = Field(default=None, alias="menace")
    editor_condition: Text | None = Field(default=None, alias="condition")


class Remarks(Part):
    """What the bot says at the end of a theme, after a good, a middling, a weak answer, or a "je ne sais pas"."""

    good: Text = Field(alias="bien")
    middling: Text = Field(alias="moyen")
    weak: Text = Field(alias="fragile")
    unknown: Text = Field(alias="a_verifier")


class Theme(Part):
    """One of the 15 themes of the note."""

    id: Id
    title: Text = Field(alias="titre")
    stake: Text = Field(alias="enjeu")
    remarks: Remarks = Field(alias="remarques")
    references: References = Field(default=References(), alias="refs")
    editor_references: Text | None = Field(default=None, alias="note_refs")
    questions: tuple[ScoredQuestion, ...] = Field(min_length=1)


class Branch(Part):
    """A branch module: questions of one trade, with a note of their own."""

    id: Id
    title: Text = Field(alias="titre")
    story: Text | None = Field(default=None, alias="recit")
    pillars: Text | None = Field(default=None, alias="piliers")
    questions: tuple[ScoredQuestion, ...] = Field(min_length=1)


class Effort(Part):
    """Divider of a tutorial's priority, by its length: `divider` applies up to `minutes` (None: beyond all others)."""

    minutes: int | None = Field(alias="jusqu_a")
    divider: Decimal = Field(alias="diviseur", gt=0)


class Scale(Part):
    """Thresholds and coefficients of content/bareme.md, as data."""

    middling_from: int = Field(alias="moyen_a_partir_de")
    satisfying_from: int = Field(alias="satisfaisant_a_partir_de")
    near: int = Field(alias="proche_a_moins_de")
    first_remedy: Decimal = Field(alias="premier_remede")
    other_remedy: Decimal = Field(alias="autre_remede")
    efforts: tuple[Effort, ...] = Field(alias="efforts", min_length=1)
    verify_minutes: int = Field(alias="minutes_verifier")
    shown: int = Field(alias="actions_montrees")
    at_most: int = Field(alias="actions_au_plus")


class TutorialLength(Part):
    """What the score needs of a tutorial: its id and its minutes, in the referential's order."""

    id: Id
    minutes: int


class Questionnaire(Part):
    """The whole: profile, themes, branches, scale, tutorials' lengths."""

    version: Text
    profile: tuple[Fact, ...]
    themes: tuple[Theme, ...]
    branches: tuple[Branch, ...]
    scale: Scale
    tutorials: tuple[TutorialLength, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole content, as 64 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Every question and profile fact by id."""
        return {question.id: question for question in self.questions()}

    @property
    def rooms(self) -> tuple[Theme | Branch, ...]:
        """Themes, then branch modules."""
        return (*self.themes, *self.branches)

    @cached_property
    def home(self) -> dict[str, str]:
        """The theme or branch id that each scored question belongs to; profile facts are not in it."""
        return {question.id: room.id for room in self.rooms for question in room.questions}

    def questions(self) -> Iterator[Question]:
        """Profile, themes, branches: in the order in which a rule may look back."""
        yield from self.profile
        for room in self.rooms:
            yield from room.questions

    def value_of(self, question: str, choice: str) -> int | None:
        """The number behind a choice, for `plus_de`; None where there is none."""
        found = self.by_id.get(question)
        return found.by_choice[choice].value if found and choice in found.by_choice else None

    def holds(self, question: Question, answers: Answers) -> bool | None:
        """Whether the question's rule holds; None when the answers do not settle it (then it applies)."""
        return question.rule.holds(answers, self.value_of)
