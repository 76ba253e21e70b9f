"""What a federation spreads: one page whatever the names, readable by a screen reader, a code that says the link."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pdfua
import pymupdf
import pytest
import segno
from PIL import Image

from papers.campaign import SQUARE, Flyer, poster_pdf, poster_png, qr_png, qr_svg, square_png

DAY = date(2026, 11, 23)
FLYER = Flyer(
    federation="la Fédération de l'optique d'exemple",
    address="https://autodiag.federation.example/c/K7M2QXR",
    programme="Autodiag Cyberdiag",
    run_by="la Fédération des commerces d'exemple",
    phone="01 99 00 12 34",
    price="gratuit, du début à la fin",
    paid_by="votre branche, avec les contributions que vous versez déjà pour la formation",
    minutes=5,
)
LONG = replace(
    FLYER,
    federation="la Fédération nationale interprofessionnelle des détaillants, grossistes et artisans d'exemple réunis",
    address="https://autodiagnostic.federation-nationale.example/c/LETTRE-DE-DECEMBRE-2026-NUMERO-DOUZE-XYZ",
    paid_by="votre branche, " * 8 + "et rien d'autre",
)
BARE = replace(FLYER, federation="", price="« gratuit » <b>#strong[x]</b> 🎉")


@pytest.mark.parametrize("flyer", [FLYER, LONG, BARE], ids=["usual", "long", "bare"])
def test_the_poster_is_one_tagged_page(flyer: Flyer, tmp_path: Path) -> None:
    made = poster_pdf(flyer, DAY)
    with pymupdf.open(stream=made) as paper:  # type: ignore[no-untyped-call]
        assert paper.page_count == 1
        text = "".join(paper[0].get_text().split())
    assert "".join(flyer.shown.split()) in text
    assert ("Avec" in text) == bool(flyer.federation)
    kept = tmp_path / "affiche.pdf"
    kept.write_bytes(made)
    assert [str(found) for found in pdfua.validate(str(kept)).findings] == []


def test_the_same_poster_is_drawn_once_and_gives_the_same_bytes() -> None:
    assert poster_pdf(FLYER, DAY) == poster_pdf(replace(FLYER), DAY)
    assert poster_pdf(FLYER, date(2026, 1, 1)) != b""


@pytest.mark.parametrize("flyer", [FLYER, LONG, BARE], ids=["usual", "long", "bare"])
def test_the_square_is_square_whatever_the_names(flyer: Flyer) -> None:
    assert Image.open(io.BytesIO(square_png(flyer))).size == (SQUARE, SQUARE)
    assert Image.open(io.BytesIO(poster_png(flyer))).width < 600


def test_the_code_of_the_poster_is_the_one_of_the_link() -> None:
    """Read off the drawing: the dark squares are those of the link's code."""
    picture = Image.open(io.BytesIO(qr_png(FLYER.address))).convert("L")
    made = segno.make(FLYER.address, error="m")
    size = int(made.symbol_size(border=4)[0])
    step = picture.width / size
    seen = [
        [picture.getpixel((int((x + 4.5) * step), int((y + 4.5) * step))) == 0 for x in range(size - 8)]
        for y in range(size - 8)
    ]
    assert seen == [[bool(dark) for dark in row] for row in made.matrix]
    assert b"QR code du lien" in qr_svg(FLYER.address)
