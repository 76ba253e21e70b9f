"""Puts the referential and the tutorials' lengths together into the one `Questionnaire` that flows and scores read."""

from __future__ import annotations

from collections.abc import Sequence

from referential.load import Referential
from referential.model import Questionnaire, TutorialLength
from tutorials.load import Tutorial


def assemble(referential: Referential, tutorials: Sequence[Tutorial]) -> Questionnaire:
    """The whole questionnaire; tutorials in their rank's order."""
    return Questionnaire(
        version=referential.version,
        profile=referential.profile,
        themes=referential.themes,
        branches=referential.branches,
        scale=referential.scale,
        tutorials=tuple(TutorialLength(id=tutorial.id, minutes=tutorial.minutes) for tutorial in tutorials),
    )
