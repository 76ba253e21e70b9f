"""A consultant's first week in a real browser: in by passkey, hours set, a visit read and printed, its steps noted."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Connection

from bot.house import House
from bot.turn import Present
from bot.visit import changes
from store import ways
from tests.access.conftest import invited, made
from tests.access.virtual import Lock
from tests.conftest import Clock
from tests.papers.test_result import complaints
from tests.visits.test_chat import booked, opened, visit_of
from tests.web.conftest import Phone
from tests.web.test_space_in_browser import MAKE, Looked, looked, press

__all__ = ["looked"]
pytestmark = pytest.mark.needs_chromium
SPACE = "/espace/consultant"


def a_firm(house: House) -> Present:
    """A manager books; in a thread of its own, for the browser's is busy."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(lambda: booked(house, opened(house))).result()


def visit_page(page: Page, looked: Looked, path: str) -> None:
    page.goto(path)
    looked(page)


def test_a_consultant_s_first_week(house: House, phone: Phone, looked: Looked, clock: Clock, tmp_path: Path) -> None:
    account = made(house, "consultant", "Léa Martin")
    house.store.db.write(lambda tx: changes.consultant_joins(house, tx, account))
    page = phone(width=320).new_page()
    Lock(page)
    page.goto(invited(house, account))
    press(page, MAKE)
    expect(page.get_by_role("heading", name="Mes clés d'accès")).to_be_visible()

    page.get_by_role("link", name="Mes heures").click()
    for day in ("mardi", "mercredi", "jeudi"):
        page.get_by_label(f"{day}, première plage, de").fill("09:00")
        page.get_by_label(f"{day}, première plage, à").fill("17:00")
    press(page, "Garder ces heures")
    expect(page.get_by_role("alert")).to_contain_text("C'est noté")
    looked(page)

    here = a_firm(house)
    visit = visit_of(house, here)
    page.get_by_role("link", name="Mon agenda").click()
    expect(page.get_by_text("Prochaine visite")).to_be_visible()
    looked(page)
    page.get_by_role("link", name="Ouvrir la visite").click()
    expect(page.get_by_text("12 rue de la Roquette")).to_be_visible()
    expect(page.locator(".code")).to_have_text(re.compile(r"^\d{4}$"))
    looked(page)
    page.get_by_role("link", name="Lire la synthèse").click()
    expect(page.get_by_role("heading", name="Synthèse avant visite : Optique Bastille")).to_be_visible()
    looked(page)
    address = page.get_by_role("link", name="Le même document en PDF").get_attribute("href")
    assert complaints(page.request.get(str(address)).body(), tmp_path) == []

    for path in ("/nouvelle", "/nouvelle?ou=distance", "/fiche", "/calendrier"):
        visit_page(page, looked, SPACE + path)

    clock.at = visit.ends_at + timedelta(minutes=1)
    page.goto("/espace")
    press(page, "Entrer avec ma clé d'accès")
    expect(page.get_by_role("heading", name="Bonjour Léa Martin")).to_be_visible()
    page.goto(f"{SPACE}/visites/{visit.id}")
    page.get_by_role("button", name="Noter : Visite faite").click()
    expect(page.get_by_text("Visite faite le 25 novembre 2026")).to_be_visible()
    looked(page)
    page.get_by_role("link", name="Noter mon avis").click()
    page.get_by_label("Sauvegardes").fill("45")
    press(page, "Garder mon avis")
    expect(page.get_by_text("Niveau moyen")).to_be_visible()
    looked(page)

    def token(tx: Connection) -> str:
        return ways.issue(tx, house.store.keyring, here.conversation, "device", house.today())

    theirs = phone()
    origin = page.url.split("/espace")[0]
    theirs.add_cookies([{"name": "autodiag", "value": house.store.db.write(token), "url": origin}])
    manager = theirs.new_page()
    manager.goto("/vos-donnees")
    told = manager.get_by_role("main")
    expect(told).to_contain_text("le résumé de vos réponses, en PDF")
    expect(told).to_contain_text("Léa Martin")
