"""A table as a file for a spreadsheet: French separators, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that starts so is a formula to some spreadsheet."""


def spreadsheet(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows in UTF-8 with its mark, cells quoted and apart by semicolons, as French spreadsheets open them."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return written.getvalue().encode("utf-8-sig")


def harmless(cell: object) -> str:
    """The text of a cell, made plain text where it would be a formula, whatever spaces stand before."""
    text = str(cell)
    return f"'{text}" if text.startswith(_RUNS) or text.lstrip().startswith(_RUNS) else text
