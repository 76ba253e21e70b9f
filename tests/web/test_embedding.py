"""The chat inside a federation's page in a real browser, across two sites, with third-party cookies blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, Page, Response, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bot.house import House
from bot.web.app import create_app
from tests.web.conftest import listening, serving, with_server
from tests.web.test_browser import OVERFLOW, WCAG

pytestmark = pytest.mark.needs_chromium
BAKE = "document.cookie = 'a=b; SameSite=None; Secure'; document.cookie"
PAGE = """<!doctype html><html lang="fr"><head><title>La fédération</title>
<meta name="viewport" content="width=device-width"></head>
<body style="margin: 0 auto; max-width: 60rem; padding: 1rem; font-family: sans-serif"><h1>La fédération</h1>
<p>Testez la protection de votre commerce.</p>{frame}<p id="after">Fin de page</p></body></html>"""
SNIPPET = '<script src="{ours}/integrer.js" data-campagne="lettre-12" async></script>'
PLAIN = '<iframe title="Autodiag" src="{ours}/integre?c=lettre-12" width="100%" height="900"></iframe>'


class Sites:
    """`listed` may show the frame of `ours`, `stranger` may not. Each page is asked for by what it pastes."""

    def __init__(self, ours: str, listed: str, stranger: str) -> None:
        self.ours, self.listed, self.stranger = ours, listed, stranger

    def page(self, site: str, frame: str) -> str:
        return f"{site}/?frame={quote(frame.format(ours=self.ours))}"


@pytest.fixture
def sites(house: House) -> Iterator[Sites]:
    """Three servers: the host pages on 127.0.0.1, ours on localhost, which is another site."""

    async def host(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] == "http":
            request = Request(scope)
            await HTMLResponse(PAGE.format(frame=request.query_params.get("frame", "")))(scope, receive, send)

    with ExitStack() as stack:
        host_port, listed = stack.enter_context(listening("127.0.0.1"))
        other_port, stranger = stack.enter_context(listening("127.0.0.1"))
        our_port, ours = stack.enter_context(listening())
        here = with_server(house, public_url=ours, framed_by=(listed,))
        for app, port in ((host, host_port), (host, other_port), (create_app(here), our_port)):
            stack.enter_context(serving(app, port))
        yield Sites(ours, listed, stranger)


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens pages; none of the answers that they get from the frame may set a cookie."""
    contexts: list[BrowserContext] = []
    baked: list[str] = []

    def taste(response: Response) -> None:
        if "localhost" in response.url and "set-cookie" in response.all_headers():
            baked.append(response.url)

    def new(address: str, *, width: int = 390, script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, java_script_enabled=script, reduced_motion="reduce"
        )
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        page.on("response", taste)
        page.goto(address)
        return page

    yield new
    for context in contexts:
        assert not context.cookies()
        context.close()
    assert not baked


def inside(page: Page) -> Frame:
    """The frame, once it shows something."""
    page.frame_locator("iframe").locator("main").wait_for()
    return page.frames[1]


def go_on(frame: Frame, place: int = 0) -> None:
    """Press a choice and wait for another place."""
    before = frame.locator("main").get_attribute("data-at")
    frame.locator("form.choices button").nth(place).click()
    expect(frame.locator("main")).not_to_have_attribute("data-at", before or "")


def fits(page: Page, frame: Frame) -> None:
    """The frame is as high as what it shows."""
    content = frame.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
    expect(page.locator("iframe")).to_have_css("height", f"{content}px")
    assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_loader_inserts_a_titled_frame_where_it_stands_and_its_height_follows(
    sites: Sites, visit: Open, width: int
) -> None:
    page = visit(sites.page(sites.listed, SNIPPET), width=width)
    frame = inside(page)
    title = page.locator("iframe").get_attribute("title") or ""
    assert title.startswith("Autodiag : ")
    assert page.locator("p + script + iframe + #after").count() == 1
    fits(page, frame)
    welcome = page.locator("iframe").bounding_box()
    go_on(frame, 1)
    fits(page, frame)
    asked = page.locator("iframe").bounding_box()
    assert welcome
    assert asked
    assert asked["height"] < welcome["height"]
    frame.locator("details summary").first.click()
    fits(page, frame)
    opened = page.locator("iframe").bounding_box()
    assert opened
    assert opened["height"] > asked["height"]
    assert page.evaluate(OVERFLOW) <= 0


def test_the_autodiag_goes_to_its_result_without_a_cookie_and_is_accessible(sites: Sites, visit: Open) -> None:
    page = visit(sites.page(sites.listed, SNIPPET))
    frame = inside(page)
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))

    def look(name: str) -> None:
        found = Axe().run(frame, options=WCAG).response
        assert not found["violations"], f"{name}: {[(v['id'], v['nodes'][0]['html']) for v in found['violations']]}"

    assert frame.evaluate(BAKE) == "", "blocked in the frame"
    look("welcome")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    go_on(frame, 5)
    expect(frame.locator("#question")).to_be_focused()
    asked = frame.locator("#question").bounding_box()
    assert asked
    assert 0 <= asked["y"] < 600, "the question is in sight of the page around"
    look("question")
    page.evaluate("history.back()")
    expect(frame.locator(".given")).to_have_count(1)
    go_on(frame, 5)
    go_on(frame, 1)
    while frame.locator("#question.ask").count():
        go_on(frame)
    expect(frame.locator("h1.level")).to_be_visible()
    fits(page, frame)
    look("result")
    with page.expect_download() as drawn:
        frame.get_by_role("button", name="Garder mon résultat en PDF").click()
    assert drawn.value.suggested_filename == "autodiag-resultat.pdf"
    frame.get_by_label("Une phrase de passe").fill("court")
    frame.get_by_role("button", name="Garder mon résultat en PDF").click()
    expect(frame.get_by_role("alert")).to_contain_text("trop courte")
    look("passphrase too short")
    fits(page, frame)
    frame.locator(".row").get_by_role("button", name="Garder mon lien").click()
    frame.get_by_role("button", name="Créer mon lien").click()
    expect(frame.locator(".key")).to_contain_text("/r/")
    look("link")
    frame.get_by_role("button", name="Revenir à mes questions").click()
    expect(frame.locator("h1.level")).to_be_visible()
    assert not [fault for fault in faults if "422" not in fault]
    page.goto(sites.ours)
    assert page.evaluate(BAKE) == "a=b", "and only there"
    page.context.clear_cookies()


def test_what_leaves_the_frame_opens_a_tab_of_its_own(sites: Sites, visit: Open) -> None:
    page = visit(sites.page(sites.listed, SNIPPET))
    frame = inside(page)
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="Mentions légales").click()
    expect(opened.value.locator("h1")).to_have_text("Mentions légales")
    assert opened.value.evaluate("opener") is None
    assert frame.url.startswith(f"{sites.ours}/integre?")


def test_a_site_that_is_not_listed_shows_nothing(sites: Sites, visit: Open) -> None:
    for frame in (SNIPPET, PLAIN):
        page = visit(sites.page(sites.stranger, frame))
        page.locator("iframe").wait_for(state="attached")
        page.wait_for_timeout(500)
        assert page.frames[1].url.startswith("chrome-error:")
        assert page.frame_locator("iframe").locator("main").count() == 0


def test_a_listed_site_may_show_no_other_page(sites: Sites, visit: Open) -> None:
    page = visit(sites.page(sites.listed, '<iframe title="x" src="{ours}/"></iframe>'))
    page.wait_for_timeout(300)
    assert page.frames[1].url.startswith("chrome-error:")


def test_only_the_frame_itself_changes_its_height(sites: Sites, visit: Open) -> None:
    liar = '<iframe title="y" srcdoc="<script>parent.postMessage({{autodiag:{{height:7}}}},`*`)</script>"></iframe>'
    page = visit(sites.page(sites.listed, SNIPPET + liar))
    frame = next(each for each in page.frames if "/integre?" in each.url)
    frame.locator("main").wait_for()
    page.evaluate("postMessage({autodiag: {height: 7}}, '*')")
    page.wait_for_timeout(300)
    box = page.locator('iframe[title^="Autodiag"]').bounding_box()
    assert box
    assert box["height"] > 500


def test_a_page_on_the_way_may_not_listen(sites: Sites, visit: Open) -> None:
    """A frame told that its host is another page speaks to nobody here."""
    address = f"{sites.ours}/integre?hote={quote(sites.stranger, safe='')}"
    page = visit(sites.page(sites.listed, f'<iframe title="Autodiag" src="{address}"></iframe>'))
    page.evaluate("heard = 0; addEventListener('message', () => heard++)")
    frame = inside(page)
    go_on(frame, 1)
    assert page.evaluate("heard") == 0


def test_a_plain_frame_works_without_javascript(sites: Sites, visit: Open) -> None:
    page = visit(sites.page(sites.listed, PLAIN), script=False)
    frame = inside(page)
    go_on(frame, 5)
    go_on(frame, 1)
    expect(frame.locator(".mine").last).to_contain_text("2 à 10")
    frame.get_by_role("button", name="Garder mon lien").click()
    frame.get_by_role("button", name="Revenir à mes questions").click()
    expect(frame.locator("#question.ask")).to_be_visible()
    while frame.locator("#question.ask").count():
        go_on(frame)
    expect(frame.locator("h1.level")).to_be_visible()
