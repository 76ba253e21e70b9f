"""E-mail on a phone: an address left at a pause, confirmed, the question that a mailed link opens, stopping."""

from __future__ import annotations

import asyncio
import email
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot import worker
from bot.doers import doers
from bot.house import House
from bot.settings import Mail
from bot.web.app import create_app
from store import phrases
from tests.conftest import Clock
from tests.web.conftest import Phone, listening, serving, with_server
from tests.web.test_browser import OVERFLOW, TOO_WIDE, WCAG, answer, opened

pytestmark = pytest.mark.needs_chromium
PICTURES = os.environ.get("MAIL_PICTURES", "")
"""A folder to look at what was shown; none in an ordinary run."""


@pytest.fixture
def posting(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(phrases._COST, "n", 2)
    mail = Mail(developpement_dossier=str(tmp_path / "courriels"))
    return replace(house, settings=house.settings.model_copy(update={"mail": mail}))


@pytest.fixture
def served(posting: House) -> Iterator[str]:
    with listening() as (port, address), serving(create_app(with_server(posting, public_url=address)), port):
        yield address


def mailed(house: House, address: str, kind: str) -> str:
    """Do what is due; the newest link of this kind in a mail, as a path of this server."""
    house = with_server(house, public_url=address)

    async def work() -> None:
        while await worker.work_once(house, doers(house)):
            pass

    with ThreadPoolExecutor(1) as thread:  # the browser's own loop runs in this one
        thread.submit(lambda: asyncio.run(work())).result()
    folder = house.settings.mail.folder
    assert folder
    found = []
    for file in sorted(folder.glob("*.eml"), key=lambda each: each.stat().st_mtime_ns):
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        found += re.findall(rf"{re.escape(address)}(/{kind}/[\w-]+)", message.get_content())
    return str(found[-1])


def looked_at(page: Page, name: str) -> None:
    """Accessible, and nothing too wide; kept as a picture where one wants to look."""
    broken = Axe().run(page, options=WCAG).response["violations"]
    assert not broken, (name, [(each["id"], each["nodes"][0]["html"]) for each in broken])
    assert page.evaluate(OVERFLOW) <= 0, (name, page.evaluate(TOO_WIDE))
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.mark.parametrize(("script", "width", "dark"), [(True, 390, False), (False, 320, True)])
def test_from_the_pause_to_the_question_and_its_end(
    posting: House, clock: Clock, phone: Phone, served: str, script: bool, width: int, dark: bool
) -> None:
    how: dict[str, Any] = {"width": width, "dark": dark}
    mark = f"{width}-{'dark' if dark else 'light'}"
    page = opened(phone(**how))
    for place in (7, 1, 0):
        answer(page, place)
    asked = page.locator("#question").inner_text()
    page.get_by_role("button", name="Faire une pause").click()
    page.get_by_role("link", name="Me prévenir par").click()
    looked_at(page, f"1-laisser-{mark}")
    page.get_by_label("Votre adresse").fill("marie@boutique")
    page.get_by_role("button", name="Me prévenir").click()
    expect(page.get_by_role("alert")).to_contain_text("la fin de l'adresse")
    page.get_by_label("Votre adresse").fill("marie@boutique.example")
    page.get_by_role("button", name="Me prévenir").click()
    words = page.locator(".words").inner_text()
    assert len(words.split()) == 4
    looked_at(page, f"2-phrase-{mark}")

    reader = opened(phone(script=script, **how), mailed(posting, served, "confirmer"))
    looked_at_plain = looked_at if script else _nothing
    looked_at_plain(reader, f"3-confirmer-{mark}")
    reader.get_by_role("button", name="Oui, prévenez-moi").click()
    expect(reader.locator("h1")).to_contain_text("C'est confirmé")
    clock.forward(days=1, hours=1)
    reader.goto(mailed(posting, served, "m"))
    looked_at_plain(reader, f"4-bon-retour-{mark}")
    reader.get_by_role("button", name="Reprendre où j'en étais").click()
    expect(reader.locator("#question")).to_have_text(asked)
    looked_at_plain(reader, f"5-question-{mark}")
    while reader.locator("#question").count():
        before = reader.locator("#question").inner_text()
        reader.locator("form.choices button").first.click()
        expect(reader.locator("main")).not_to_contain_text(before)
    expect(reader.locator("main")).to_contain_text("Votre résultat vous attend")
    looked_at_plain(reader, f"6-fini-{mark}")
    reader.goto("/mon-lien")
    looked_at_plain(reader, f"7-ferme-{mark}")
    reader.get_by_label("Vos quatre mots").fill("abeille abeille abeille abeille")
    reader.get_by_role("button", name="Tout ouvrir").click()
    expect(reader.get_by_role("alert")).to_contain_text("il vous reste 4 essais")
    looked_at_plain(reader, f"8-essai-{mark}")
    reader.get_by_label("Vos quatre mots").fill(words.upper())
    reader.get_by_role("button", name="Tout ouvrir").click()
    expect(reader.locator("h1.level")).to_be_visible()
    reader.goto("/me-prevenir")
    expect(reader.locator("main")).to_contain_text("Confirmée")
    looked_at_plain(reader, f"9-confirmee-{mark}")
    reader.goto(mailed(posting, served, "e"))
    looked_at_plain(reader, f"10-arreter-{mark}")
    reader.get_by_role("button", name="Ne plus rien recevoir").click()
    expect(reader.locator("h1")).to_contain_text("plus aucun")


def _nothing(page: Page, name: str) -> None:
    """Without JavaScript the checker, which is a script, can't look."""
