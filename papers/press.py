"""The press: a template and its data in, typst's bytes out.

Data is handed over as JSON and shown as it is, never read as markup. PDF/UA refuses a glyph that the font lacks, so
every text is first brought to what Source Sans 3 can show; what it can't becomes □.
"""

from __future__ import annotations

import json
import re
import struct
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from threading import Lock

import typst
from fontpkg_source_sans_3 import ROOT as FONT

FOLDER = Path(__file__).parent
_FONTS = FONT / "files"
_UPRIGHT = "SourceSans3[wght].ttf"
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_BEFORE = re.compile(r" (?=[?!;:»%])")
_AFTER = re.compile(r"(?<=«) ")
_one_at_a_time = Lock()


def pdf(template: str, data: Mapping[str, object], day: date) -> bytes:
    """A tagged PDF/UA-1 of `template`, dated; equal data give equal bytes."""
    stamp = datetime.combine(day, time(12), UTC)
    with _one_at_a_time:
        made = _compiler(template).compile(
            format="pdf", pdf_standards=["ua-1"], sys_inputs=_inputs(data), timestamp=stamp
        )
    return _bytes(made)


def png(template: str, data: Mapping[str, object], ppi: float) -> bytes:
    """The one page of `template` as a picture."""
    with _one_at_a_time:
        made = _compiler(template).compile(format="png", ppi=ppi, sys_inputs=_inputs(data))
    return _bytes(made)


def shown(text: str) -> str:
    """A text as the font can show it, on one line, its French punctuation bound to the word that it follows."""
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    seen = (letter for letter in plain if unicodedata.category(letter) not in _INVISIBLE)
    whole = "".join(letter if ord(letter) in _glyphs() else "□" for letter in seen)
    return _AFTER.sub("\N{NO-BREAK SPACE}", _BEFORE.sub("\N{NO-BREAK SPACE}", whole))


def _inputs(data: Mapping[str, object]) -> dict[str, str]:
    return {"data": json.dumps(_shown(data), ensure_ascii=False)}


def _shown(value: object) -> object:
    match value:
        case str():
            return shown(value)
        case Mapping():
            return {key: _shown(held) for key, held in value.items()}
        case list() | tuple():
            return [_shown(held) for held in value]
    return value


def _bytes(made: bytes | list[bytes] | None) -> bytes:
    if isinstance(made, list):
        made = made[0] if len(made) == 1 else None
    if made is None:
        raise RuntimeError("typst gave no bytes, or several pictures")
    return made


@cache
def _compiler(template: str) -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])
    return typst.Compiler(FOLDER / template, root=FOLDER, font_paths=fonts, ignore_system_fonts=True)


@cache
def _glyphs() -> frozenset[int]:
    """The code points that the font shows: the `cmap` table's format 12 (groups of first, last, glyph)."""
    font = (_FONTS / _UPRIGHT).read_bytes()
    tables = {
        font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0]
        for at in range(12, 12 + 16 * struct.unpack_from(">H", font, 4)[0], 16)
    }
    cmap = tables[b"cmap"]
    for record in range(struct.unpack_from(">H", font, cmap + 2)[0]):
        table = cmap + struct.unpack_from(">I", font, cmap + 4 + 8 * record + 4)[0]
        if struct.unpack_from(">H", font, table)[0] == 12:
            groups = struct.unpack_from(">I", font, table + 12)[0]
            spans = (struct.unpack_from(">II", font, table + 16 + 12 * group) for group in range(groups))
            return frozenset(point for first, last in spans for point in range(first, last + 1))
    raise RuntimeError(f"{_UPRIGHT} has no table of the glyphs it holds")
