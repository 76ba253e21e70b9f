"""Invited, registered, gone out, come back, revoked: in a real browser, on a phone and on a desk, read by axe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from access import accounts
from bot.house import House
from tests.access.conftest import invited, made
from tests.access.virtual import Lock
from tests.web.conftest import Phone

Looked = Callable[[Page], None]
pytestmark = pytest.mark.needs_chromium
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"], "resultTypes": ["violations"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MAKE, ADD, ENTER = "Créer ma clé d'accès", "Ajouter une clé d'accès", "Entrer avec ma clé d'accès"


@pytest.fixture
def looked() -> Looked:
    """Looks at a page: nothing sticks out, axe finds nothing."""
    axe = Axe()

    def look(page: Page) -> None:
        assert page.evaluate(OVERFLOW) <= 0
        found = axe.run(page, options=WCAG)
        assert found.violations_count == 0, found.generate_report()

    return look


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(("width", "height", "dark"), [(390, 844, False), (1280, 800, True)])
def test_invited_registered_gone_out_come_back_revoked(
    house: House, phone: Phone, looked: Looked, width: int, height: int, dark: bool
) -> None:
    account = made(house)
    page = phone(width=width, height=height, dark=dark).new_page()
    lock = Lock(page)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(invited(house, account))
    expect(page.get_by_text("Cet appareil convient")).to_be_visible()
    looked(page)
    press(page, MAKE)
    expect(page.get_by_role("heading", name="Mes clés d'accès")).to_be_visible()
    assert lock.count() == 1
    looked(page)
    page.get_by_role("link", name="Accueil").click()
    expect(page.get_by_role("heading", name="Bonjour Alix Durand")).to_be_visible()
    looked(page)
    press(page, "Sortir")
    expect(page.get_by_role("alert").get_by_text("sorti de votre espace")).to_be_visible()
    looked(page)
    press(page, ENTER)
    expect(page.get_by_role("heading", name="Bonjour Alix Durand")).to_be_visible()
    assert not faults
    house.store.db.write(lambda tx: accounts.revoke(tx, account.id, house.today()))
    page.reload()
    expect(page.get_by_text("Votre connexion s'est terminée")).to_be_visible()
    press(page, ENTER)
    expect(page.get_by_text("n'est pas, ou plus, connue ici")).to_be_visible()
    looked(page)


def test_a_second_passkey_on_another_device(house: House, phone: Phone) -> None:
    page = phone().new_page()
    lock = Lock(page)
    page.goto(invited(house, made(house)))
    press(page, MAKE)
    expect(page.get_by_role("heading", name="Mes clés d'accès")).to_be_visible()
    press(page, ADD)
    expect(page.get_by_text("Cet appareil a déjà une clé d'accès")).to_be_visible()
    lock.remove()
    lock.id = lock.new("usb")
    press(page, ADD)
    expect(page.get_by_role("heading", name="Clé de sécurité")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Retirer"))).to_have_count(2)
    page.get_by_role("button", name="Retirer la clé").last.click()
    expect(page.get_by_role("heading", level=2).filter(has_text="seconde clé")).to_be_visible()


def test_a_device_without_a_lock_is_told_what_to_do(house: House, phone: Phone, looked: Looked) -> None:
    page = phone(width=320).new_page()
    Lock(page, there=False)
    page.goto(invited(house, made(house)))
    expect(page.get_by_text("Utiliser un autre appareil")).to_be_visible()
    expect(page.get_by_role("button", name=MAKE)).to_be_visible()
    looked(page)


def test_a_browser_that_knows_no_passkeys_is_told_what_to_do(house: House, phone: Phone, looked: Looked) -> None:
    page = phone().new_page()
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(invited(house, made(house)))
    expect(page.get_by_text("Ce navigateur ne connaît pas les clés d'accès")).to_be_visible()
    expect(page.get_by_role("button", name=MAKE)).to_be_hidden()
    looked(page)


def test_another_address_of_this_machine_leads_to_the_right_one(house: House, phone: Phone, served: str) -> None:
    page, link = phone().new_page(), invited(house, made(house))
    page.goto(served.replace("localhost", "127.0.0.1") + link)
    expect(page.get_by_role("link", name=f"{served}{link}")).to_be_visible()
    expect(page.get_by_role("button", name=MAKE)).to_be_hidden()


def test_a_browser_without_javascript_is_told_so(house: House, phone: Phone) -> None:
    page = phone(script=False).new_page()
    page.goto(invited(house, made(house)))
    expect(page.get_by_text("JavaScript est coupé dans ce navigateur")).to_be_visible()


def test_an_owner_not_recognised_changes_nothing(house: House, phone: Phone) -> None:
    page = phone().new_page()
    lock = Lock(page)
    page.goto(invited(house, made(house)))
    lock.refuse()
    press(page, MAKE)
    expect(page.locator("[data-said]")).to_contain_text("Rien n'a été fait")
    expect(page.locator("[data-said]")).to_be_focused()
    assert lock.count() == 0


def test_no_network_is_said_and_the_next_press_works(house: House, phone: Phone) -> None:
    page = phone().new_page()
    Lock(page)
    page.goto(invited(house, made(house)))
    expect(page.get_by_role("button", name=MAKE)).to_be_visible()
    page.route("**/preuve", lambda route: route.abort())
    press(page, MAKE)
    expect(page.get_by_text("Pas de réseau : rien n'a été fait")).to_be_visible()
    page.unroute("**/preuve")
    press(page, MAKE)
    expect(page.get_by_role("heading", name="Mes clés d'accès")).to_be_visible()
