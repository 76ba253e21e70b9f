"""Locks a PDF behind the words that the manager chose: AES-256, the tags left in place for screen readers.

The passphrase is used once and forgotten: never kept, logged, nor quoted in an error.
"""

from __future__ import annotations

import io
import unicodedata
from typing import Final, Literal

LEAST: Final = 8
"""Characters that a passphrase needs."""
MOST: Final = 127
"""Bytes, in UTF-8, after which PDF readers stop reading one."""

Fault = Literal["too_short", "too_long", "spaces", "unreadable"]
_SENTENCES: Final[dict[Fault, str]] = {
    "too_short": f"Cette phrase de passe est trop courte : il faut au moins {LEAST} caractères.",
    "too_long": f"Cette phrase de passe est trop longue : {MOST} caractères au plus, un peu moins avec des accents.",
    "spaces": "Cette phrase de passe commence ou finit par une espace : retirez-la, elle se perdrait facilement.",
    "unreadable": (
        "Cette phrase de passe contient un caractère que certains lecteurs de PDF ne savent pas taper. "
        "Gardez des lettres, des chiffres, des espaces et la ponctuation du clavier."
    ),
}


class BadPassphrase(ValueError):
    """A passphrase that can't lock a PDF. `code` names why; the text is the sentence for a person."""

    def __init__(self, code: Fault) -> None:
        super().__init__(_SENTENCES[code])
        self.code = code


def checked(passphrase: str) -> str:
    """The passphrase as every PDF reader will take it; raises BadPassphrase.

    PDF asks readers to prepare what is typed (SASLprep) and not all do: only what both read alike is taken.
    """
    given = unicodedata.normalize("NFC", passphrase)
    if len(given.strip()) < LEAST:
        raise BadPassphrase("too_short")
    if given != given.strip():
        raise BadPassphrase("spaces")
    odd = any(unicodedata.category(letter)[0] == "C" for letter in given)
    if odd or given != unicodedata.normalize("NFKC", given) or not unicodedata.is_normalized("NFC", given):
        raise BadPassphrase("unreadable")
    if len(given.encode()) > MOST:
        raise BadPassphrase("too_long")
    return given


def locked(pdf: bytes, passphrase: str) -> bytes:
    """The PDF, readable only with the passphrase; raises BadPassphrase."""
    import pikepdf  # 0.16 s, for the few who ask

    key = checked(passphrase)
    closed = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as paper:
        paper.save(closed, encryption=pikepdf.Encryption(owner=key, user=key, R=6))
    return closed.getvalue()
