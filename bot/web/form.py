"""Forms in: small, whole, ours, or refused with the code of a sentence. Nothing is repaired and nothing is guessed.

Refuses a form from another site: the cookie is SameSite, and the browser says where a form comes from.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from bot.settings import Settings

LARGEST = 16_384
"""Bytes of a form; our longest is far below."""
LONGEST_TEXT = 1_000
FIELDS = 20
"""Fields of a form; the longest of the chat has half of that."""
UPLOADS: Mapping[str, int] = {"/espace/consultant/photo": 6_000_000}
"""Bytes of a body, at the few addresses that take a file."""
_ID = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_NONCE = re.compile(r"[A-Za-z0-9_-]{20,64}")


class Problem(Exception):
    """A request that can't be taken: its status, and the code of a sentence in templates/notice.html."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Form:
    """The fields of one form, each given once."""

    fields: Mapping[str, str]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def nonce(self) -> str:
        """The id that the page gave to this form."""
        given = self.fields.get("id", "")
        if not _NONCE.fullmatch(given):
            raise Problem(400, "incomplete")
        return given

    def name(self, field: str, *, needed: bool = False) -> str:
        """A node, choice, section or tutorial id; empty if the field is absent and not needed."""
        given = self.fields.get(field, "")
        if not given and not needed:
            return ""
        if len(given) > 64 or not _ID.fullmatch(given):
            raise Problem(422, "unknown")
        return given

    def revision(self) -> int | None:
        """The revision that the page showed, or None where the form has none."""
        given = self.fields.get("revision")
        if given is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", given):
            raise Problem(400, "incomplete")
        return int(given)

    def text(self, field: str) -> str:
        """What somebody typed: not empty, not endless, no control characters."""
        given = self.fields.get(field, "").strip()
        if not given:
            raise Problem(422, "empty")
        if len(given) > LONGEST_TEXT:
            raise Problem(422, "too_long")
        if any(unicodedata.category(sign) in ("Cc", "Cs", "Cn") and sign not in "\t\r\n" for sign in given):
            raise Problem(422, "unreadable")
        return given


async def read_form(request: Request, settings: Settings, *, most: int = FIELDS) -> Form:
    """The form of a POST, of so many fields at most. Raises Problem."""
    if not from_here(request, settings):
        raise Problem(403, "elsewhere")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "not_a_form")
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=most,
        )
    except UnicodeDecodeError:
        raise Problem(400, "unreadable") from None
    except ValueError:
        raise Problem(400, "incomplete") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Problem(400, "incomplete")
    return Form(fields)


async def read_json(request: Request, settings: Settings) -> dict[str, Any]:
    """The JSON object that a script of ours sends. Raises Problem."""
    if not from_here(request, settings):
        raise Problem(403, "elsewhere")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "not_a_form")
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Problem(400, "unreadable") from None
    if not isinstance(found, dict):
        raise Problem(400, "incomplete")
    return found


def from_here(request: Request, settings: Settings) -> bool:
    """Whether the form was sent from one of our pages, as far as the browser says.

    Without Sec-Fetch-Site (Safari before 16.4) Origin decides: `Referrer-Policy: same-origin`, ours, names it with our
    own forms, where `no-referrer` would make it "null". A form that says neither is refused.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    named = urlsplit(request.headers.get("origin", "")).netloc
    return bool(named) and named in (urlsplit(settings.server.public_url).netloc, request.headers.get("host", ""))
