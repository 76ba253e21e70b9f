"""`autodiag check --links`: visits the tutorials' addresses politely, one at a time, a pause between two, by name.

Content must reach whoever has access to the Internet; nothing here runs in a conversation.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PAUSE = 1.0
"""Seconds between two visits."""
PATIENCE = 15.0
"""Seconds to wait for an answer."""
AGENT = "Autodiag-check/1 (verification of links, one page at a time)"


@dataclass(frozen=True)
class Visit:
    """What a page answered: an HTTP status, or 0 with the reason why there was none; and where it led."""

    address: str
    status: int
    said: str
    landed: str

    @property
    def fine(self) -> bool:
        """Whether the page is there."""
        return 200 <= self.status < 300


def visit_all(addresses: tuple[str, ...], wait: Callable[[float], None] = time.sleep) -> Iterator[Visit]:
    """Visit each address in turn, waiting between two."""
    for number, address in enumerate(addresses):
        if number:
            wait(PAUSE)
        yield visit(address)


def visit(address: str) -> Visit:
    """Ask for one page and read its status; raises nothing."""
    request = urllib.request.Request(address, headers={"User-Agent": AGENT})  # noqa: S310 — checked to be http(s)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return Visit(address, answer.status, "", answer.url)
    except urllib.error.HTTPError as error:
        return Visit(address, error.code, str(error.reason), address)
    except (OSError, ValueError, http.client.HTTPException) as error:
        said = str(getattr(error, "reason", error)) or type(error).__name__
        return Visit(address, 0, said, address)
