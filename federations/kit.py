"""The newsletter kit of a campaign: the texts to paste, ready as they are. The French stands in `letters/`.

One rule: nothing here follows anybody. No image to fetch, no pixel, no redirection; one link, the campaign's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from papers.campaign import Flyer

Text = Literal["lettre.html", "lettre.txt", "objet.txt", "relance.txt", "reseaux.txt"]
TEXTS: Final[tuple[Text, ...]] = get_args(Text)
_SIGN: Final = re.compile(r" (?=[?!:;»](?!\w))|(?<=«) |(?<=\d) (?=\d\d\b|minutes?\b)")
"""Spaces that do not break in French; those between the pairs of a telephone number too."""


def text(name: Text, flyer: Flyer) -> str:
    """One text of the kit for this campaign."""
    values = asdict(flyer)
    said = _templates().get_template(f"{name}.j2").render(values)
    return _SIGN.sub("\N{NO-BREAK SPACE}", said).strip() + "\n"


def texts(flyer: Flyer) -> Mapping[Text, str]:
    """Every text of the kit."""
    return {name: text(name, flyer) for name in TEXTS}


def preview(flyer: Flyer) -> str:
    """The block of the newsletter as a page, to look at before use."""
    return (
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(text('objet.txt', flyer).strip())}</title></head>"
        f'<body style="margin:0;background-color:#f6f0e3;"><main>\n{text("lettre.html", flyer)}</main></body></html>\n'
    )


def embed(origin: str, code: str) -> str:
    """What a federation pastes in a page of its site (docs/embedding.md)."""
    return (
        f'<script src="{origin}/integrer.js" data-campagne="{code}" async></script>\n'
        f'<noscript><a href="{origin}/c/{code}">Faire l\'autodiagnostic de mon commerce</a></noscript>\n'
    )


@cache
def _templates() -> Environment:
    folder = Path(__file__).parent / "letters"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
