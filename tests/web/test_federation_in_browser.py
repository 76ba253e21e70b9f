"""A federation's pages and a campaign's kit in a real browser: nothing sticks out, axe finds nothing, copy copies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from bot.house import House
from bot.web.kit import kit_path
from federations import campaigns
from federations.campaigns import Campaign
from tests.access.conftest import Guest, browser_of, guest
from tests.conftest import Clock
from tests.federations.test_funnel import Come, come
from tests.web.conftest import Phone

__all__ = ["browser_of", "come", "guest"]
pytestmark = pytest.mark.needs_chromium
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"], "resultTypes": ["violations"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def campaign(house: House) -> Campaign:
    wanted = Campaign("OPTIQUE-12", "optique", "branche", "Lettre de décembre", house.today())
    return house.store.db.write(lambda tx: campaigns.create(tx, wanted, ["optique"]))


def looked(page: Page) -> None:
    assert page.evaluate(OVERFLOW) <= 0, page.url
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(("width", "height", "dark"), [(320, 844, False), (1280, 900, True)])
def test_the_space_of_a_federation(
    guest: Callable[..., Guest],
    phone: Phone,
    served: str,
    campaign: Campaign,
    come: Come,
    clock: Clock,
    width: int,
    height: int,
    dark: bool,
) -> None:
    come(23, "begun", "short_done")
    come(6, "begun")
    clock.forward(days=7)
    signed: TestClient = guest("federation").client
    context = phone(width=width, height=height, dark=dark)
    context.add_cookies([{"name": name, "value": value, "url": served} for name, value in signed.cookies.items()])
    page = context.new_page()
    page.goto("/espace/federation")
    expect(page.get_by_role("heading", name="Combien sont venus, jusqu'où")).to_be_visible()
    looked(page)
    page.get_by_role("link", name="Mes campagnes").click()
    looked(page)
    page.get_by_label("Son nom").fill("Salon de mars")
    page.get_by_label("Un salon").check()
    page.get_by_role("button", name="Créer la campagne").click()
    expect(page.get_by_role("heading", name="Salon de mars")).to_be_visible()
    looked(page)
    page.get_by_role("link", name="Ouvrir le kit").click()
    expect(page.get_by_role("heading", name="Le kit : Salon de mars")).to_be_visible()
    looked(page)


def test_a_text_of_the_kit_is_copied_and_a_trial_begins(house: House, phone: Phone, campaign: Campaign) -> None:
    context = phone()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(kit_path(house, campaign.code))
    page.get_by_role("button", name="Copier").first.click()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/c/OPTIQUE-12")
    assert page.locator("img.drawn").evaluate_all("all => all.every(each => each.complete && each.naturalWidth)")
    page.get_by_role("link", name="Essayer").click()
    expect(page.get_by_text("Avec la Fédération de l'optique d'exemple")).to_be_visible()
    assert page.locator("input[name=essai]").get_attribute("value") == "1"
    looked(page)


@pytest.mark.parametrize("width", [320, 600])
def test_the_letter_holds_in_a_phone_and_in_a_mail_program(
    house: House, phone: Phone, campaign: Campaign, width: int
) -> None:
    asked: list[str] = []
    page = phone(width=width, script=True).new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{kit_path(house, campaign.code)}/lettre")
    link = page.get_by_role("link", name="Commencer")
    box = link.bounding_box()
    assert box
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= width
    looked(page)
    assert len([url for url in asked if "favicon" not in url]) == 1, "the page itself, and nothing to fetch"
