"""The content, read once at start: referential, tutorials, and the Autodiag's flow made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dialogue.flow import Flow, autodiag, small
from referential import load as referential_load
from referential.load import Referential
from referential.yamlfile import Fault, Faults, Source
from scoring.questionnaire import assemble
from tutorials import load as tutorials_load
from tutorials.load import Tutorial


@dataclass(frozen=True)
class Content:
    """What a deployment asks and teaches: the Autodiag, the small flows by id; the tutorials' sources, by id, are for
    faults found later.
    """

    referential: Referential
    tutorials: tuple[Tutorial, ...]
    flow: Flow
    forms: dict[str, Flow]
    tutorial_sources: dict[str, Source]


def load_content(
    referential_folder: Path = referential_load.FOLDER, tutorials_folder: Path = tutorials_load.FOLDER
) -> Content:
    """Read and type every file; raises Faults with all that is wrong in both folders."""
    faults: list[Fault] = []
    referential, tutorials = None, None
    try:
        referential = referential_load.load(referential_folder)
    except Faults as found:
        faults += found.faults
    try:
        tutorials = tutorials_load.load(tutorials_folder)
    except Faults as found:
        faults += found.faults
    if referential is None or tutorials is None:
        raise Faults(faults)
    sources = tutorials_load.sources(tutorials_folder)
    forms = {form.id: small(form) for form in referential.forms}
    return Content(referential, tutorials, autodiag(assemble(referential, tutorials)), forms, sources)
