"""Our pages inside a federation's: everything under /integre. No cookie there, browsers block it.

Each form carries instead the token of its way: the one that a cookie would hold, of which only a keyed hash is kept. A
signature around it would prove nothing more. An address without a form shows the welcome, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

UNDER: Final = "/integre"
_LINK: Final = re.compile(rf'<a (?=[^>]*href="(?:https?:|/(?!{UNDER[1:]}\b)))(?:([^>]*?)rel="noreferrer")?')


@dataclass
class Frame:
    """The frame that a request comes from. `host`: the page around it, as it says; `token`: what its forms carry."""

    host: str = ""
    token: str = field(default="", repr=False)


def frame_of(request: Request) -> Frame | None:
    """The frame of this request, or None when it is a page of its own."""
    if not framed(request.scope):
        return None
    found: Frame = request.scope.setdefault("frame", Frame(request.query_params.get("hote", "")))
    return found


def framed(scope: Scope) -> bool:
    """Whether this address is one of the frame's."""
    path: str = scope["path"]
    return path == UNDER or path.startswith(f"{UNDER}/")


def ancestors(sites: Sequence[str]) -> str:
    """The rule of the Content-Security-Policy that says which sites may show the frame."""
    return " ".join(("frame-ancestors", *(sites or ("'none'",))))


def leaving(page: str) -> str:
    """The page with every link out of the frame opening a tab of its own: here, so that no template forgets one."""
    return _LINK.sub(_new_tab, page)


def _new_tab(found: re.Match[str]) -> str:
    kind = "noopener" if found[1] is None else "noopener noreferrer"
    return f'<a target="_blank" rel="{kind}" {found[1] or ""}'
