"""Small flows beside the Autodiag: the satisfaction survey, what the bot asks first, and whatever a room adds.

One YAML file a flow in flows/. Keys are French in the files, because their editors are; attributes are English. Nothing
here is scored. A form's rules look at its own answers, and at facts that the engine gives it and never asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from referential.model import Choice, Fact, Id, Part, Question, Text
from referential.rules import Answers

Kind = Literal["choice", "text", "phone", "email", "siret", "postcode", "number", "live"]
_KINDS = {
    "choix": "choice",
    "texte": "text",
    "telephone": "phone",
    "e-mail": "email",
    "siret": "siret",
    "code-postal": "postcode",
    "nombre": "number",
    "direct": "live",
}


class FormChoice(Choice):
    """A choice of a form. `then`: the command that it gives the Autodiag once the form ends."""

    then: Literal["book", "done", "quiet"] | None = Field(default=None, alias="ensuite")


class FormQuestion(Question):
    """One question of a form: to press, to type, or (`live`) among choices that a room provides at the time.

    `longest`: characters of a typed answer. An optional one may be skipped (`na`), in the words of `na_label`. `shows`:
    what is read with it (dialogue/words/NAME.j2), made of the answers given.
    """

    help: str = Field(default="", alias="aide")
    choices: tuple[FormChoice, ...] = Field(default=(), alias="choix")
    na_allowed: bool = Field(default=False, alias="facultatif")
    kind: Annotated[Kind, BeforeValidator(lambda raw: _KINDS.get(raw, raw))] = Field(default="choice", alias="sorte")
    longest: int = Field(default=200, alias="longueur", ge=1, le=1000)
    shows: Text | None = Field(default=None, alias="montre")

    @property
    def unknown_allowed(self) -> bool:
        """A form asks what people know: "je ne sais pas" is a choice where it makes sense."""
        return False

    @property
    def typed(self) -> bool:
        """Whether the answer is words of the manager's own."""
        return self.kind not in ("choice", "live")


class FormSection(Part):
    """Questions asked together, by id, in order: one sending of the survey, for one."""

    id: Id
    title: Text = Field(alias="titre")
    questions: tuple[Id, ...] = Field(min_length=1)


class Form(Part):
    """A whole flow. `thanks`: said at its end; `reaches_out`: the bot speaks first, so it may be told
    to stop; `once`: one session for good, where a question answered is never asked again.
    """

    id: Id
    version: Text
    reaches_out: bool = Field(default=True, alias="sollicite")
    once: bool = Field(default=False, alias="une_fois")
    thanks: Text = Field(alias="merci")
    profile: tuple[Fact, ...] = Field(default=(), alias="faits")
    asked: tuple[FormQuestion, ...] = Field(alias="questions", min_length=1)
    sections: tuple[FormSection, ...] = Field(min_length=1)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the whole content, as 64 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """Every question and fact by id."""
        return {question.id: question for question in self.questions()}

    def questions(self) -> Iterator[Question]:
        """Facts, then questions: in the order in which a rule may look back."""
        yield from self.profile
        yield from self.asked

    def holds(self, question: Question, answers: Answers) -> bool | None:
        """Whether the question's rule holds; None when the answers do not settle it (then it applies)."""
        return question.rule.holds(answers, lambda *_: None)
