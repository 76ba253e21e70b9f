"""A visit booked in a browser, with and without JavaScript, on a phone; every page of it is accessible and fits."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import Connection, select

from bot.house import House
from bot.visit.rules import rules
from store import conversations, tables, ways
from tests.visits.conftest import LEA, OFFICE
from tests.web.conftest import Phone
from tests.web.test_browser import OVERFLOW, WCAG, opened
from visits import bookings, consultants
from visits.bookings import Wanted

pytestmark = pytest.mark.needs_chromium
LOOKED_AT = os.environ.get("AUTODIAG_LOOK", "")


def picture() -> bytes:
    """A small PNG, of one colour."""
    row = b"\0" + bytes((29, 81, 64)) * 96
    head = struct.pack(">IIBBBBB", 96, 96, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(row * 96)), (b"IEND", b""))
    made = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    made.seek(0, io.SEEK_END)
    for name, data in parts:
        made.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
    return made.getvalue()


@pytest.fixture(autouse=True)
def lea(house: House) -> None:
    def work(tx: Connection) -> None:
        made = consultants.add(tx, house.store.keyring, LEA)
        consultants.set_hours(tx, made.id, OFFICE)
        consultants.set_photo(tx, made, picture())

    house.store.db.write(work)


def press(page: Page, text: str) -> None:
    """Press a button, and wait until another place stands there."""
    before = page.locator("main").get_attribute("data-at")
    page.get_by_role("button", name=text).first.click()
    expect(page.locator("main")).not_to_have_attribute("data-at", before or "")


def write(page: Page, text: str) -> None:
    page.get_by_label("Votre réponse").fill(text)
    press(page, "Envoyer")


def look(page: Page, name: str, *, script: bool) -> None:
    """Nothing for a machine to object to, nothing wider than the screen; kept as a picture where one is asked for."""
    if LOOKED_AT:
        page.screenshot(path=Path(LOOKED_AT) / f"{name}.png", full_page=True)
    if script:
        found = Axe().run(page, options=WCAG).response
        assert not found["violations"], f"{name}: {[each['id'] for each in found['violations']]}"
        assert page.evaluate(OVERFLOW) <= 0, name


@pytest.mark.parametrize(("script", "width", "dark"), [(True, 390, False), (False, 390, True), (True, 320, True)])
def test_a_visit_is_booked_then_cancelled(house: House, phone: Phone, script: bool, width: int, dark: bool) -> None:
    page = opened(phone(width=width, script=script, dark=dark))
    for choice in ("Optique-lunetterie", "2 à 10", "Non"):
        press(page, choice)
    press(page, "Voir un expert")

    def see(name: str) -> None:
        look(page, f"{name}-{width}-{script}", script=script)

    see("accord")
    press(page, "Oui, et mes prochaines")
    press(page, "Chez moi, sur place")
    see("postal")
    write(page, "75011")
    see("heures")
    page.get_by_role("button", name="Autres moments").click()
    expect(page.get_by_role("button", name="Semaine du 30 novembre")).to_be_visible()
    see("semaines")
    page.get_by_role("button", name="Semaine du 30 novembre").click()
    expect(page.get_by_role("button", name="Mardi 1er décembre à 9 h")).to_be_visible()
    see("semaine")
    press(page, "Mardi 1er décembre à 9 h")
    for text in ("12 rue de la Roquette", "Optique Bastille"):
        write(page, text)
    page.get_by_label("Votre réponse").fill("123")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_text("quatorze chiffres")).to_be_visible()
    see("siret")
    press(page, "Passer cette question")
    write(page, "Nadia")
    press(page, "Par téléphone")
    write(page, "06 12 34 56 78")
    press(page, "Je n'ai pas de prestataire")
    write(page, "3")
    press(page, "Passer cette question")
    see("recap")
    press(page, "Oui, je réserve")
    expect(page.get_by_text("C'est réservé")).to_be_visible()
    expect(page.get_by_role("img", name="Léa Martin")).to_be_visible()
    see("reserve")
    file = page.context.request.get(page.url.partition("/autodiag")[0] + "/rendez-vous.ics")
    assert b"SUMMARY:Visite de l'expert" in file.body()
    press(page, "Continuer")
    press(page, "Mon rendez-vous")
    see("rendez-vous")
    press(page, "L'annuler")
    see("annuler")
    press(page, "Oui, annuler")
    expect(page.get_by_text("Votre rendez-vous est annulé")).to_be_visible()


def test_the_page_of_a_letter_s_link_is_accessible(house: House, phone: Phone) -> None:
    page = opened(phone(width=320))
    for choice in ("Optique-lunetterie", "2 à 10", "Non"):
        press(page, choice)
    (conversation,) = house.store.db.read(lambda tx: tx.scalars(select(tables.conversations.c.id)).all())
    book_for(house, conversation)
    token = house.store.db.write(lambda tx: ways.issue(tx, house.store.keyring, conversation, "visit", house.today()))
    mine = opened(phone(width=320), f"/rv/{token}")
    look(mine, "lien-320", script=True)
    press(mine, "Voir mon rendez-vous")
    expect(mine.get_by_text("Léa Martin").first).to_be_visible()
    look(mine, "lien-ouvert-320", script=True)


def book_for(house: House, conversation: str) -> None:
    def work(tx: Connection) -> None:
        store, now, want = house.store, house.now(), Wanted(on_site=False, department=None, branch="optique")
        start = next(iter(bookings.times(tx, store.keyring, rules(house), now, want)))
        held = bookings.hold(tx, store.keyring, rules(house), now, want, start, conversation=conversation)
        key = conversations.hold(tx, store.keyring, conversation)
        assert held
        assert key
        bookings.confirm(tx, store.keyring, held, {"code": "0417"}, now, key[0])

    house.store.db.write(work)
