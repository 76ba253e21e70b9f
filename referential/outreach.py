"""The plan of what the bot says first, as outreach.yml writes it: moments, hours, limits."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from referential.model import Id, Part, Text

Since = Literal[
    "silence", "result", "visit_wanted", "tutorial", "visit", "report", "debrief", "support", "appointment", "place"
]
"""An instant that the diary of a conversation knows."""
_SINCE = {
    "resultat": "result",
    "visite-voulue": "visit_wanted",
    "tutoriel": "tutorial",
    "visite": "visit",
    "rapport": "report",
    "restitution": "debrief",
    "rendez-vous": "appointment",
    "place-liberee": "place",
}
SinceField = Annotated[Since, BeforeValidator(lambda raw: _SINCE.get(raw, raw))]


class Moment(Part):
    """One thing to say first.

    `days` count from `since`, or from the sending of `reminder_of`; after `expires` more days it is too late;
    `without`: only while these instants are not known; `unlimited`: beside the weekly limit.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
    kind: Literal["survey", "place", "visit", "tutorial", "unfinished"] = Field(alias="sorte")
    flow: Id | None = None
    section: Id | None = None
    since: SinceField | None = Field(default=None, alias="depuis")
    reminder_of: str | None = Field(default=None, alias="relance_de")
    days: int = Field(alias="apres", ge=-60, le=400)
    expires: int = Field(alias="expire", ge=1, le=60)
    without: tuple[SinceField, ...] = Field(default=(), alias="sans")
    unlimited: bool = Field(default=False, alias="hors_limite")


class Opening(Part):
    """A section of a form to ask."""

    flow: Id
    section: Id


class Plan(Part):
    """The whole.

    `beside_result`: asked under the first result, without leaving it; `opens`, `closes`: hours of the day in Paris
    between which the bot may speak first.
    """

    version: Text
    opens: int = Field(alias="de_heure", ge=0, le=23)
    closes: int = Field(alias="a_heure", ge=1, le=24)
    apart_days: int = Field(alias="ecart_jours", ge=1, le=60)
    beside_result: Opening | None = Field(default=None, alias="sous_le_resultat")
    moments: tuple[Moment, ...]

    @cached_property
    def by_id(self) -> dict[str, Moment]:
        """Moments by id."""
        return {moment.id: moment for moment in self.moments}
