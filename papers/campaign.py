"""What a federation spreads, drawn: a one-page poster (PDF, or a picture of it), a square picture, a QR code.

Only what is public anyway: the link, who speaks, what it costs.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

import segno

from papers import press

SQUARE: Final = 1080
"""Pixels on a side of the picture for social networks."""
_SQUARE_POINTS: Final = 540
_PREVIEW_PPI: Final = 60
_KEPT: Final = 64
"""Drawings remembered: a kit is opened several times on the day it is sent."""


@dataclass(frozen=True)
class Flyer:
    """What a poster says. `federation`: as it follows "Avec", or empty; `address`: the link, whole."""

    federation: str
    address: str
    programme: str
    run_by: str
    phone: str
    price: str
    paid_by: str
    minutes: int

    @property
    def shown(self) -> str:
        """The link as one reads it aloud."""
        return self.address.split("://", 1)[-1]


@lru_cache(_KEPT)
def poster_pdf(flyer: Flyer, day: date) -> bytes:
    """The A4 poster, tagged PDF/UA-1."""
    return press.pdf("poster.typ", _data(flyer), day)


@lru_cache(_KEPT)
def poster_png(flyer: Flyer) -> bytes:
    """The poster, small, to see before printing."""
    return press.png("poster.typ", _data(flyer), _PREVIEW_PPI)


@lru_cache(_KEPT)
def square_png(flyer: Flyer) -> bytes:
    """The picture for social networks, `SQUARE` pixels on a side."""
    return press.png("square.typ", _data(flyer), 72 * SQUARE / _SQUARE_POINTS)


def qr_svg(address: str) -> bytes:
    """The link as a QR code to print at any size."""
    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=8, border=4, light="#fff", title="QR code du lien")
    return drawn.getvalue()


def qr_inline(address: str) -> str:
    """The link as a QR code inside a page, black on white in both colour schemes."""
    made = segno.make(address, error="m")
    return made.svg_inline(scale=4, omitsize=True, light="#fff", border=3, svgclass="qr", title="QR code du lien")


def qr_png(address: str) -> bytes:
    """The link as a QR code for a screen or a slide, about a thousand pixels on a side."""
    made, drawn = segno.make(address, error="m"), io.BytesIO()
    made.save(drawn, kind="png", scale=1000 // made.symbol_size(border=4)[0], border=4)
    return drawn.getvalue()


def _data(flyer: Flyer) -> dict[str, Any]:
    rows = ["".join("1" if dark else "0" for dark in row) for row in segno.make(flyer.address, error="m").matrix]
    return {**asdict(flyer), "shown": flyer.shown, "qr": rows}
