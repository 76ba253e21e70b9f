"""Rules: small closed predicates over answers that say whether a question applies.

One rule holds here: an unknown answer never excludes a question (content/bareme.md). A rule therefore has three values:
True, False, or None when it rests on something not known; only False excludes. Pure; anyone may call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN = "nsp"
NOT_CONCERNED = "na"

Answers = Mapping[str, str]
"""Answers by question or fact id: a choice id, `nsp` (je ne sais pas) or `na` (non concerné)."""

ValueOf = Callable[[str, str], int | None]
"""Gives the number behind a choice, (question or fact id, choice id) -> number, for `greater`."""


class Rule(BaseModel):
    """A predicate in one of seven shapes, as referential files write them.

    `toujours`, `{fait|reponse: ID, vaut: C}`, `{fait|reponse: ID, pas: C}`, `{fait|reponse: ID, plus_de: N}`,
    `{tout: [...]}`, `{un: [...]}`, `{sauf: rule}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    op: Literal["always", "equals", "not_equals", "greater", "all", "any", "not"]
    of: str = ""
    profile: bool = False
    choice: str = ""
    number: int = 0
    rules: tuple[Rule, ...] = Field(default=())

    def holds(self, answers: Answers, value_of: ValueOf) -> bool | None:
        """True, False, or None when the answers do not settle it."""
        match self.op:
            case "always":
                return True
            case "all" | "any":
                held = [rule.holds(answers, value_of) for rule in self.rules]
                decisive = self.op == "any"
                if decisive in held:
                    return decisive
                return None if None in held else not decisive
            case "not":
                inner = self.rules[0].holds(answers, value_of)
                return None if inner is None else not inner
        given = answers.get(self.of)
        if given is None or given == UNKNOWN:
            return None
        match self.op:
            case "equals":
                return given == self.choice
            case "not_equals":
                return given != self.choice
            case _:
                value = value_of(self.of, given)
                return None if value is None else value > self.number

    def mentions(self) -> Iterator[Rule]:
        """Every comparison inside this rule, itself included."""
        if self.of:
            yield self
        for rule in self.rules:
            yield from rule.mentions()


ALWAYS = Rule(op="always")


def parse_rule(raw: object) -> object:
    """Turn the YAML shape of a rule into `Rule`'s fields; raises ValueError with a French sentence when it is none."""
    if isinstance(raw, Rule) or (isinstance(raw, Mapping) and "op" in raw):
        return raw
    if raw == "toujours":
        return {"op": "always"}
    if not isinstance(raw, Mapping):
        raise ValueError("une règle s'écrit « toujours » ou entre accolades : {fait: …, vaut: …}")
    keys = set(raw)
    for word, op in (("tout", "all"), ("un", "any")):
        if keys == {word} and isinstance(raw[word], list) and raw[word]:
            return {"op": op, "rules": [parse_rule(inner) for inner in raw[word]]}
    if keys == {"sauf"}:
        return {"op": "not", "rules": [parse_rule(raw["sauf"])]}
    subject = "fait" if "fait" in keys else "reponse"
    for word, op, field in (
        ("vaut", "equals", "choice"),
        ("pas", "not_equals", "choice"),
        ("plus_de", "greater", "number"),
    ):
        if keys == {subject, word}:
            _plain(raw[subject], raw[word], number=field == "number")
            return {"op": op, "of": raw[subject], "profile": subject == "fait", field: raw[word]}
    raise ValueError(
        "règle inconnue : écrivez toujours, {fait: F, vaut: C}, {fait: F, pas: C}, {fait: F, plus_de: N}, "
        "{reponse: Q, vaut: C}, {tout: [règles]}, {un: [règles]} ou {sauf: règle}"
    )


def _plain(subject: object, value: object, *, number: bool) -> None:
    if not isinstance(subject, str) or not subject:
        raise ValueError("après fait ou reponse, écrivez un identifiant")
    if number and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError("plus_de demande un nombre entier")
    if not number and (not isinstance(value, str) or not value):
        raise ValueError('après vaut ou pas, écrivez un choix en texte, entre guillemets si c\'est un nombre : "1"')
