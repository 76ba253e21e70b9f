"""A portrait, made from a picture that somebody sent: drawn again, small, with nothing of the first one's metadata.

One rule: what is stored was drawn here. A picture that is not PNG or JPEG, too large to open, or damaged is refused
before its pixels are read.
"""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE = 480
"""Pixels of a portrait's longer side."""
MOST_PIXELS = 30_000_000
_SMALLEST = 64


class BadPhoto(Exception):
    """A picture that can't be taken; `code` names the sentence that says why."""

    def __init__(self, code: Literal["photo_kind", "photo_size", "photo_broken"]) -> None:
        super().__init__(code)
        self.code = code


def portrait(sent: bytes) -> bytes:
    """The picture as a small JPEG, the right way up. Raises BadPhoto."""
    try:
        with Image.open(io.BytesIO(sent), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS or min(width, height) < _SMALLEST:
                raise BadPhoto("photo_size")
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE, SIDE))
            paper = Image.new("RGB", upright.size, "white")
            shown = upright.convert("RGBA")
            paper.paste(shown, mask=shown)
    except UnidentifiedImageError:
        raise BadPhoto("photo_kind") from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise BadPhoto("photo_broken") from None
    drawn = io.BytesIO()
    paper.save(drawn, "JPEG", quality=82, optimize=True)
    return drawn.getvalue()
