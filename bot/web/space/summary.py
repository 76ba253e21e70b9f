"""The pre-visit summary as a page of the consultant's space: the same value as the paper, and nothing cut.

Whoever routes it has checked who is there and that the visit is theirs, and has noted the opening in the access log.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from access.sign_ins import SignIn
from bot.web.space.page import space_page
from dialogue.summary.value import Summary
from papers.days import in_french, moment
from papers.summary import measures, minutes_of, start_of


def summary_page(request: Request, who: SignIn | None, found: Summary, *, paper: str, back: str) -> Response:
    """The page. `paper`: where the PDF is, or empty; `back`: the page of the visit, or empty."""
    return space_page(
        request,
        who,
        "summary.html",
        found=found,
        minutes=minutes_of(found),
        start_of=start_of,
        measures=measures,
        moment=moment,
        in_french=in_french,
        paper=paper,
        back=back,
    )
