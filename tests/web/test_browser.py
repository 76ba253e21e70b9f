"""The chat in a real browser, on a phone: with and without JavaScript, and when things go wrong around it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import func, select

from bot.house import House
from store import tables
from tests.web.conftest import Phone

pytestmark = pytest.mark.needs_chromium
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"], "resultTypes": ["violations"]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right >
    document.documentElement.clientWidth + 1 && !each.closest(".aside"))
    .slice(0, 8).map((each) => each.outerHTML.slice(0, 150))"""


def opened(context: BrowserContext, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(path)
    return page


def question(page: Page) -> str:
    return page.locator("#question").inner_text()


def answer(page: Page, place: int = 0) -> None:
    """Press a choice, and wait until another question, or the result, stands there."""
    before = page.locator("main").get_attribute("data-at")
    page.locator("form.choices button").nth(place).click()
    expect(page.locator("main")).not_to_have_attribute("data-at", before or "")


def go(page: Page, name: str) -> None:
    """Press the first button with this name, and wait until another place stands there."""
    before = page.locator("main").get_attribute("data-at")
    page.get_by_role("button", name=name).first.click()
    expect(page.locator("main")).not_to_have_attribute("data-at", before or "")


def to_result(page: Page) -> None:
    """The first answer everywhere; but one "je ne sais pas", confirmed after its help."""
    answer(page, 5)
    answer(page, 1)
    while page.locator("#question.ask").count():
        if "sauvegard" in question(page) or "copiées" in question(page):
            page.get_by_role("button", name="Je ne sais pas", exact=True).click()
            page.get_by_role("button", name="Je ne sais toujours pas, continuer").click()
            expect(page.get_by_role("button", name="Je ne sais toujours pas, continuer")).to_have_count(0)
        else:
            answer(page)
    expect(page.locator("h1.level")).to_be_visible()


def conversations(house: House) -> int:
    return house.store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(tables.conversations))) or 0


@pytest.mark.parametrize(("script", "width"), [(True, 320), (False, 390)])
def test_the_whole_short_path(phone: Phone, script: bool, width: int) -> None:
    page = opened(phone(script=script, width=width))
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    to_result(page)
    assert page.locator("main").inner_text().count("À vérifier") >= 1
    assert page.evaluate(OVERFLOW) <= 0 if script else True
    assert not faults


def test_focus_follows_the_question_and_help_is_read_first(phone: Phone) -> None:
    page = opened(phone())
    answer(page, 1)
    expect(page.locator("#question")).to_be_focused()
    page.get_by_role("button", name="Je ne sais pas").click()
    expect(page.locator(".note")).to_be_focused()
    assert page.title().startswith("Combien de personnes")


def test_back_means_the_previous_question(phone: Phone) -> None:
    page = opened(phone())
    asked = [question(page)]
    for place in (1, 1, 0):
        answer(page, place)
        asked.append(question(page))
    for earlier in (asked[2], asked[1], asked[0]):
        page.go_back(wait_until="commit")
        expect(page.locator("#question")).to_have_text(earlier)
        expect(page.locator(".given")).to_have_count(1)
    page.locator(".given").click()
    page.reload()
    assert "Vos réponses" in page.content() or page.url.endswith("/")


def test_back_without_javascript_never_leaves_the_conversation(phone: Phone) -> None:
    page = opened(phone(script=False))
    for place in (1, 1, 0):
        answer(page, place)
    here = question(page)
    page.go_back()
    assert page.url.split("?")[0].endswith("/autodiag")
    answered = page.locator("form.choices button").first
    if question(page) != here:
        answered.click()
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#question")).to_have_text(here)


def test_a_double_tap_counts_once(house: House, phone: Phone) -> None:
    page = opened(phone())
    page.locator("form.choices button").nth(1).dblclick()
    expect(page.locator("#question")).to_have_text(re.compile("Combien"))
    page.locator("form.choices button").nth(1).dblclick()
    expect(page.locator("#question")).to_have_text(re.compile("gérée par un siège"))
    assert conversations(house) == 1


def test_the_second_tap_of_a_double_tap_does_not_answer_the_next_question(phone: Phone) -> None:
    page = opened(phone())
    answer(page, 1)
    box = page.locator("form.choices button").nth(1).bounding_box()
    assert box
    page.mouse.click(box["x"] + 40, box["y"] + 20)
    expect(page.locator("#question")).to_have_text(re.compile("gérée par un siège"))
    page.mouse.move(box["x"] + 40, page.locator("form.choices button").nth(1).bounding_box()["y"] + 20)  # type: ignore[index]
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    page.wait_for_timeout(300)
    expect(page.locator("#question")).to_have_text(re.compile("gérée par un siège"))


def test_two_tabs(phone: Phone) -> None:
    context = phone()
    first = opened(context)
    answer(first, 1)
    second = opened(context, "/autodiag")
    answer(first, 1)
    second.locator("form.choices button").nth(3).click()
    expect(second.get_by_role("alert")).to_contain_text("« 2 à 10 » est restée en place")
    assert question(second) == question(first)
    assert not Axe().run(second, options=WCAG).response["violations"]
    second.get_by_role("button", name="Changer cette réponse").click()
    expect(second.locator(".given")).to_contain_text("2 à 10")


def test_a_lost_network_keeps_what_was_pressed(house: House, phone: Phone) -> None:
    context = phone()
    page = opened(context)
    answer(page, 1)
    asked = question(page)
    context.set_offline(True)
    page.locator("form.choices button").nth(1).click()
    expect(page.get_by_role("alert")).to_contain_text("votre réponse n'est pas partie")
    assert question(page) == asked
    page.get_by_role("button", name="Réessayer").click()
    expect(page.get_by_role("alert")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("#question")).not_to_have_text(asked)
    expect(page.locator(".mine").last).to_contain_text("2 à 10")
    assert conversations(house) == 1


def test_only_the_last_choice_pressed_offline_looks_pressed(phone: Phone) -> None:
    context = phone()
    page = opened(context)
    answer(page, 1)
    context.set_offline(True)
    for place in (1, 2):
        page.locator("form.choices > fieldset button").nth(place).click()
        expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator(".pressed")).to_have_count(1)
    expect(page.locator("form.choices > fieldset button").nth(2)).to_have_class(re.compile("pressed"))


@pytest.mark.parametrize("script", [True, False])
def test_a_weak_passphrase_is_told_where_it_was_typed(phone: Phone, script: bool) -> None:
    page = opened(phone(script=script))
    to_result(page)
    page.get_by_label("Une phrase de passe").fill("chat")
    page.get_by_role("button", name="Garder mon résultat en PDF").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_label("Une phrase de passe")).to_be_focused()
    expect(page.get_by_label("Une phrase de passe")).to_be_in_viewport()
    page.goto(page.url)
    expect(page.locator("h1.level")).to_have_count(1)


def test_an_answer_lost_on_its_way_back_is_sent_again_and_counts_once(house: House, phone: Phone) -> None:
    page = opened(phone())
    lost = 0

    def lose(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/autodiag", lose)
    page.locator("form.choices button").nth(1).click()
    page.get_by_role("button", name="Réessayer").click()
    expect(page.locator("#question")).to_have_text(re.compile("Combien"))
    assert conversations(house) == 1


def test_lost_cookies_then_the_link(phone: Phone) -> None:
    context = phone()
    page = opened(context)
    answer(page, 1)
    answer(page, 1)
    asked = question(page)
    page.get_by_role("link", name="Garder mon lien").click()
    page.get_by_role("button", name="Créer mon lien").click()
    link = page.locator(".key").inner_text()
    context.clear_cookies()
    page.goto("/autodiag")
    expect(page.locator("h1")).to_contain_text("Je ne retrouve pas")
    page.goto(link)
    page.get_by_role("button", name="Reprendre où j'en étais").click()
    expect(page.locator("#question")).to_have_text(asked)


@pytest.mark.parametrize("script", [True, False])
def test_a_code_brings_one_to_another_device(phone: Phone, script: bool) -> None:
    page = opened(phone(script=script))
    answer(page, 1)
    page.goto("/mon-lien")
    page.get_by_role("button", name="Avoir un code").click()
    code = page.locator(".code").inner_text()
    other = opened(phone(script=script), "/code")
    other.get_by_label("Le code, 8 signes").fill(code.lower())
    other.get_by_role("button", name="Ouvrir").click()
    expect(other.locator("#question")).to_have_text(re.compile("Combien"))


def test_a_typed_answer_and_a_tutorial_done(phone: Phone) -> None:
    page = opened(phone())
    answer(page, 1)
    page.get_by_label("Ou écrivez votre réponse").fill("n'importe quoi")
    page.keyboard.press("Enter")
    expect(page.locator(".note")).to_be_focused()
    page.get_by_label("Ou écrivez votre réponse").fill("2 à 10")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.locator("#question")).to_have_text(re.compile("gérée par"))
    while page.locator("#question.ask").count():
        answer(page)
    go(page, "Étape par étape")
    while page.get_by_role("button", name="Étape suivante").count():
        go(page, "Étape suivante")
    go(page, "C'est fait")
    expect(page.locator(".note")).to_contain_text("Bravo")
    while page.locator("#question.ask").count():
        answer(page, page.locator("form.choices button").count() - 2)
    expect(page.locator(".note")).to_contain_text("sur 100")


def test_erasing_is_asked_twice_and_ends_calmly(house: House, phone: Phone) -> None:
    page = opened(phone())
    answer(page, 1)
    go(page, "Mes réponses")
    go(page, "Tout effacer")
    go(page, "Non, garder mes réponses")
    assert conversations(house) == 1
    go(page, "Mes réponses")
    go(page, "Tout effacer")
    page.get_by_role("button", name="Oui, tout effacer").click()
    expect(page.locator("h1")).to_have_text("Tout est effacé")
    assert conversations(house) == 0
    page.reload()
    expect(page.locator("h1")).to_have_text("Tout est effacé")


def test_every_page_is_accessible_and_fits(phone: Phone) -> None:
    """WCAG in both colour schemes; no sideways scrolling at 320 pixels, nor with a text twice as large."""
    context = phone(width=320, height=640)
    page = opened(context)
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found: dict[str, Any] = Axe().run(page, options=WCAG).response
            assert not found["violations"], (
                f"{name} {scheme}: {[(v['id'], v['nodes'][0]['html']) for v in found['violations']]}"
            )
        for element in page.locator("details").all():
            element.evaluate("each => each.open = true")
        assert page.evaluate(OVERFLOW) <= 0, name
        page.evaluate("document.documentElement.style.fontSize = '225%'")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate(OVERFLOW) <= 0, f"{name}, text doubled: {page.evaluate(TOO_WIDE)}"
        page.set_viewport_size({"width": 320, "height": 640})
        page.evaluate("document.documentElement.style.fontSize = ''")

    look("welcome")
    answer(page, 5)
    look("question")
    page.get_by_role("button", name="Je ne sais pas").click()
    expect(page.locator(".note")).to_be_visible()
    look("help")
    answer(page, 4)
    look("outside the programme")
    go(page, "Question précédente")
    expect(page.locator(".given")).to_be_visible()
    look("back")
    answer(page, 1)
    go(page, "Faire une pause")
    look("pause")
    go(page, "Mes réponses")
    look("answers")
    go(page, "Recommencer")
    look("confirm")
    go(page, "Non, garder")
    while page.locator("#question.ask").count():
        if "fréquence" in question(page) or "À quel rythme" in question(page):
            page.get_by_role("button", name="Je ne sais pas", exact=True).click()
            expect(page.locator(".note")).to_be_visible()
            page.get_by_role("button", name="Je ne sais toujours pas").click()
            expect(page.locator(".note")).to_have_count(0)
        else:
            answer(page)
    look("result")
    page.get_by_role("button", name="Voir un expert").first.click()
    expect(page.locator(".note")).to_be_visible()
    look("expert")
    go(page, "Choisir un autre thème")
    look("themes")
    page.goto("/autodiag")
    go(page, "Voir mon résultat")
    go(page, "Étape par étape")
    look("tutorial")
    page.goto("/mon-lien")
    look("keep")
    page.get_by_role("button", name="Créer mon lien").click()
    expect(page.locator(".qr")).to_be_visible()
    look("link")
    page.get_by_role("button", name="Avoir un code").click()
    expect(page.locator(".code")).to_be_visible()
    look("code given")
    for path in (
        "/",
        "/exemple",
        "/tutoriels/fiche-urgence",
        "/affiches/fiche-urgence",
        "/affiches/regles-une-page",
        "/lexique",
        "/urgence",
        "/r/abc",
        "/code",
        "/vos-donnees",
        "/mentions-legales",
        "/accessibilite",
        "/au-revoir",
        "/nulle-part",
    ):
        page.goto(path)
        look(path)
    context.clear_cookies()
    page.goto("/autodiag")
    look("lost")
    assert len(seen) >= 28


def test_targets_are_large_enough_for_a_thumb(phone: Phone) -> None:
    page = opened(phone())
    answer(page, 1)
    for button in page.locator("main button:visible, main summary:visible, main nav a:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44, button.inner_text()
