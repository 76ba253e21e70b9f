"""The summary as a page of the consultant's space: nothing cut, whatever a firm is called, read by axe."""

from __future__ import annotations

import html
import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.house import House
from bot.web.app import create_app
from bot.web.space.summary import summary_page
from dialogue.flow import Flow
from dialogue.summary.value import Read, Summary, Told, Visit
from tests.papers.conftest import answered, unsure
from tests.papers.test_result import plain
from tests.summary.conftest import OWN_WORDS, VISIT, Make, everything
from tests.web.conftest import client_of, listening, serving, with_server
from tests.web.test_space_in_browser import OVERFLOW, WCAG

HOSTILE = """<script>alert(1)</script> "><img src=x onerror=alert(1)> {{ 7*7 }} &amp; 'a'"""
AT = "/espace/synthese-essayee"


def shown(house: House, found: Summary, address: str = "http://localhost:8000") -> TestClient:
    """A client of an application where this summary has a page."""

    async def page(request: Request) -> Response:
        return summary_page(request, None, found, paper="/espace/essai.pdf", back="/espace")

    app = create_app(with_server(house, public_url=address))
    app.router.routes.insert(0, Route(AT, page))
    return client_of(app, address)


def text_of(client: TestClient) -> str:
    """The page as it is read."""
    answer = client.get(AT)
    assert answer.status_code == 200
    body = re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return plain(html.unescape(body)).replace("\N{WORD JOINER}", "").replace(" .", ".").replace(" ,", ",")


@pytest.mark.databases("sqlite", because="nothing is read from it")
def test_the_page_says_all_that_the_paper_says(house: House, make: Make, earlier: Read) -> None:
    found = make(since=earlier)
    client = shown(house, found)
    text = text_of(client)
    told = [
        "Synthèse avant visite : Optique du Marché",
        "Mardi 1er décembre 2026 à 9 h 30, sur place, 120 minutes",
        "Depuis la synthèse du 12 novembre 2026",
        "2 alertes vitales",
        "Son métier : Optique-lunetterie",
        "Hyg. 37, TPE 2, CPME 4",
        "Le même document en PDF",
        *(bar.title for bar in found.bars),
        *(clash.finding for clash in found.clashes),
        *(clash.ask for clash in found.clashes),
        *(each.how for each in found.unknown),
        *(text for papers in found.papers for text in papers.texts),
        *(quote.words for quote in found.words),
        *(each.text for bar in found.bars for each in bar.weakest),
    ]
    assert [line for line in told if plain(line) not in text] == []
    parts = (found.alerts, found.bars, found.clashes, found.unknown, found.words)
    marks = sum(each.changed for part in parts for each in part)
    assert marks >= 4
    assert client.get(AT).text.count('class="changed"') == marks + 1, "the legend's too"


@pytest.mark.databases("sqlite", because="nothing is read from it")
def test_names_and_words_are_only_text(house: House, make: Make) -> None:
    told = Visit(HOSTILE, VISIT.at, 120, told=(Told(HOSTILE, HOSTILE),))
    answer = shown(house, make(visit=told, own_words=dict.fromkeys(OWN_WORDS, HOSTILE))).get(AT)
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)") >= 6
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.databases("sqlite", because="nothing is read from it")
def test_nothing_is_cut_and_a_firm_that_phoned_gets_its_questions(house: House, make: Make, flow: Flow) -> None:
    lost = make(answered(flow, unsure, everything(flow)), own_words={"msg-rib": "un mot de plus " * 60})
    text = text_of(shown(house, lost))
    assert [each.how for each in lost.unknown if plain(each.how) not in text] == []
    assert "un mot de plus " * 59 in text
    phoned = make(None, visit=None)
    text = text_of(shown(house, phoned))
    assert [each.text for each in phoned.open if plain(each.text) not in text] == []
    assert "date à fixer, sur place" in text
    assert "niveau estimé" not in text


@pytest.mark.needs_chromium
@pytest.mark.parametrize(("width", "height", "dark"), [(320, 640, False), (1280, 800, True)])
def test_it_is_read_on_a_phone_and_on_a_desk(
    house: House, browser: Browser, make: Make, earlier: Read, width: int, height: int, dark: bool
) -> None:
    found = make(None) if dark else make(since=earlier)
    with listening() as (port, address), serving(shown(house, found, address).app, port):
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(5000)
        page.goto(address + AT)
        assert page.evaluate(OVERFLOW) <= 0
        seen = Axe().run(page, options=WCAG)
        assert seen.violations_count == 0, seen.generate_report()
        page.get_by_role("navigation", name="Dans cette page").get_by_role("link", name="Déroulé").click()
        expect(page.get_by_role("heading", name="Déroulé proposé : 120 minutes")).to_be_in_viewport()
        page.close()
