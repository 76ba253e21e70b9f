"""Why somebody was not let in. The code names a sentence of the door; nothing was written, unless it says so."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "invitation_unknown",
    "invitation_used",
    "invitation_expired",
    "challenge_expired",
    "challenge_used",
    "challenge_foreign",
    "wrong_origin",
    "unverified",
    "unreadable",
    "unknown_key",
    "blocked_key",
    "copied_key",
    "known_key",
    "enough_keys",
    "last_key",
    "prove_again",
    "ended",
]


class Refused(Exception):
    """See the module."""

    def __init__(self, code: Reason) -> None:
        super().__init__(code)
        self.code: Reason = code
