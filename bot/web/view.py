"""Pages out: templates, the one style sheet (inlined, its hash in the policy), the one script, the headers.

A page is `no-store` unless its route says that it is the same for everyone. A request that asks for a fragment gets the
`<main>` alone.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.house import House
from bot.web.frame import UNDER, ancestors, frame_of, leaving
from referential.load import Term
from scoring.score import unit

FOLDER: Final = Path(__file__).parent
FRAGMENT: Final = "fragment"
POSTERS: Final = ("fiche-urgence", "regles-une-page")
"""The tutorials that have a poster to fill in: templates/posters/<id>.html."""
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
_FOR_A_DAY: Final = "public, max-age=86400, stale-while-revalidate=2592000"
"""For an address that others have pasted: a correction of ours reaches them within a day, and nobody waits for it."""
_SIGN: Final = re.compile(r" (?=[?!:;»](?!\w))")
_UNIT: Final = re.compile(r" (?<=[\d}] )(?=(?:h|min|%)(?![\w}]))")
_PIECE: Final = re.compile(r"\b([Ee]|Wi)-(?=mail|Fi)")
_DIGITS: Final = re.compile(r" (?:(?<=\d )(?=\d{1,3}\b)|(?<=\d\u00a0h )(?=\d))")
_LINK: Final = re.compile(r"https?://[^\s<>«»]*[\w/]|17cyber\.gouv\.fr")


class View:
    """Everything that pages share, read once."""

    def __init__(self, house: House) -> None:
        self.words = house.words
        self.sites = house.settings.server.framed_by
        self._terms: dict[tuple[str, ...], tuple[Term, ...]] = {}
        style, space_style = _style("style.css"), _style("style.css", "space.css")
        script = (FOLDER / "static" / "chat.js").read_bytes()
        passkey = (FOLDER / "static" / "passkey.js").read_bytes()
        mark = (FOLDER / "static" / "mark.svg").read_bytes()
        self.assets: Mapping[str, tuple[bytes, str]] = {
            f"{_print_of(script)}.js": (script, "text/javascript; charset=utf-8"),
            f"{_print_of(passkey)}.js": (passkey, "text/javascript; charset=utf-8"),
            f"{_print_of(mark)}.svg": (mark, "image/svg+xml"),
        }
        script_name, passkey_name, mark_name = self.assets
        rules = _rules(style)
        self.policy, self.framed_policy = f"{rules}; {ancestors(())}", f"{rules}; {ancestors(self.sites)}"
        self.space_policy = f"{_rules(space_style)}; {ancestors(())}"
        self.loader = (FOLDER / "static" / "integrer.js").read_bytes()
        self._templates = Environment(
            loader=FunctionLoader(_template),
            finalize=lambda value: bound(typeset(value)) if type(value) is str else value,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters.update(
            prose=prose,
            unit=unit,
            phone=phone_link,
            q=lambda text: quote(str(text), safe=""),
            day=day,
            splitlines=str.splitlines,
        )
        self._templates.globals.update(
            settings=house.settings,
            label=house.words.label,
            say=house.words.say,
            tutorials=house.words.tutorials,
            style=Markup(style),  # noqa: S704 — our own file
            space_style=Markup(space_style),  # noqa: S704
            script_path=f"/static/{script_name}",
            passkey_path=f"/static/{passkey_name}",
            mark_path=f"/static/{mark_name}",
            posters=POSTERS,
            again={},
            notice="",
            wrong="",
        )

    def page(
        self, request: Request, template: str, *, status: int = 200, shared: bool = False, **values: object
    ) -> Response:
        """A page, or its `<main>` alone for the script. `shared`: the same for everyone, may be kept a while."""
        frame = frame_of(request)
        host = frame.host if frame and frame.host in self.sites else ""
        under = UNDER if frame else ""
        body = self._templates.get_template(template).render(
            fragment=wants_fragment(request),
            nonce=secrets.token_urlsafe(18),
            status=status,
            frame=frame,
            host=host,
            under=under,
            home=f"{UNDER}?hote={quote(host, safe='')}" if frame else "/",
            chat=UNDER if frame else "/autodiag",
            **values,
        )
        body = leaving(body) if frame else body
        keep = "public, max-age=600" if shared else "no-store"
        return HTMLResponse(body, status, {"Cache-Control": keep, "Vary": "X-Requested-With"})

    def space(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        """A page of the spaces, under the policy of their own style sheet: the chat's, and what tables need."""
        here = request.url.path
        response = self.page(request, f"space/{template}", status=status, shared=False, here=here, **values)
        response.headers["Content-Security-Policy"] = self.space_policy
        return response

    def sentence(self, template: str, **values: object) -> str:
        """The one sentence of a template, as plain text."""
        return html.unescape(self._templates.get_template(template).render(**values)).strip()

    def terms(self, *texts: str) -> tuple[Term, ...]:
        """The glossary entries found in these texts; a question's are looked for once."""
        if texts not in self._terms:
            self._terms[texts] = self.words.terms_in(*texts)
        return self._terms[texts]

    def asset(self, name: str) -> Response | None:
        """The script or the mark, under the name that its content gives it."""
        found = self.assets.get(name)
        return Response(found[0], media_type=found[1], headers={"Cache-Control": _FOR_A_YEAR}) if found else None

    def embed(self, request: Request) -> Response:
        """The loader, under an address that never changes."""
        headers = {"Cache-Control": _FOR_A_DAY, "ETag": f'"{_print_of(self.loader)}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return Response(self.loader, media_type="text/javascript; charset=utf-8", headers=headers)


def wants_fragment(request: Request) -> bool:
    """Whether our script asks, rather than the browser itself."""
    return request.headers.get("x-requested-with", "") == FRAGMENT


def see(path: str | URL) -> Response:
    """After a POST: go and look there."""
    return RedirectResponse(str(path), 303, {"Cache-Control": "no-store"})


def prose(text: str) -> Markup:
    """The bot's plain text as HTML: paragraphs apart by a blank line, items after "– ", addresses as links."""
    blocks: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        for listed, lines in _runs(paragraph.split("\n")):
            if listed:
                items = "".join(f"<li>{_linked(line[2:])}</li>" for line in lines)
                blocks.append(f"<ul>{items}</ul>")
            else:
                blocks.append(f"<p>{'<br>'.join(_linked(line) for line in lines)}</p>")
    return Markup("".join(blocks))  # noqa: S704 — every line was escaped


def typeset(text: str) -> str:
    """French punctuation and units held to their word by spaces that do not break; so are "e-mail" and "Wi-Fi"."""
    if " " in text:
        text = _SIGN.sub("\u00a0", text).replace("« ", "«\u00a0")
        text = _UNIT.sub("\u00a0", text)
    return _PIECE.sub("\\1-\u2060", text) if "-" in text else text


def bound(text: str) -> str:
    """Numbers in groups of digits held in one piece. Not for a template: its drawings are made of numbers apart."""
    return _DIGITS.sub("\u00a0", text) if " " in text else text


def day(moment: date) -> str:
    """A day as one writes it here: 03/11/2026."""
    return f"{moment:%d/%m/%Y}"


def phone_link(number: str) -> str:
    """A number as `tel:` wants it."""
    return "tel:" + re.sub(r"[^\d+]", "", number)


def tidy_style(source: str) -> str:
    """The style sheet without comments and idle spaces."""
    bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    bare = re.sub(r"\s+", " ", bare)
    return re.sub(r" ?([{};,>]) ?", r"\1", bare).replace(";}", "}").strip()


def _style(*names: str) -> str:
    return tidy_style("\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names))


def _rules(style: str) -> str:
    """The policy of a page that inlines this style sheet, but for who may show it in a frame."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'"
    )


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    runs: list[tuple[bool, list[str]]] = []
    for line in lines:
        listed = line.startswith("– ")
        if not runs or runs[-1][0] != listed:
            runs.append((listed, []))
        runs[-1][1].append(line)
    return runs


def _template(name: str) -> str:
    return typeset((FOLDER / "templates" / name).read_text(encoding="utf-8"))


def _linked(line: str) -> str:
    line = bound(typeset(line))
    out, at = "", 0
    for found in _LINK.finditer(line):
        address = found[0] if found[0].startswith("http") else f"https://{found[0]}"
        shown = re.sub(r"^https?://(www\.)?|/$", "", found[0])
        out += f'{escape(line[at : found.start()])}<a href="{escape(address)}" rel="noreferrer">{escape(shown)}</a>'
        at = found.end()
    return out + str(escape(line[at:]))


def _print_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
