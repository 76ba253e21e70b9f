"""The chat inside a federation's page, by requests: who may show it, what its forms carry, what it never sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from httpx import Response
from sqlalchemy import select

from bot.house import House
from bot.web.app import create_app
from bot.web.frame import leaving
from store import tables
from tests.web.conftest import client_of, with_server
from tests.web.test_bad_input import rows, says_no
from tests.web.visitor import Visitor, forms

pytestmark = pytest.mark.databases("sqlite", because="a frame takes the same turns as a page of its own")
SITES = ("https://www.federation.example", "https://boutique.example:8443")
START = f"/integre?c=lettre-12&hote={quote(SITES[0], safe='')}"


@pytest.fixture
def frames(house: House) -> Iterator[Callable[[], Visitor]]:
    """Makes visitors of a federation's page, each in a browser of its own; every answer is looked at for a cookie."""
    answers: list[Response] = []
    app = create_app(with_server(house, framed_by=SITES))

    def new() -> Visitor:
        client = client_of(app)
        client.event_hooks["response"].append(answers.append)
        return Visitor(client, START)

    yield new
    assert answers
    assert not [each.request.url for each in answers if "set-cookie" in each.headers]


@pytest.fixture
def framed(frames: Callable[[], Visitor]) -> Visitor:
    """Somebody who sees the welcome in a frame."""
    return frames()


def ancestors(page: Response) -> str:
    return page.headers["content-security-policy"].partition("frame-ancestors ")[2]


def test_only_the_sites_of_the_settings_may_show_the_frame(framed: Visitor) -> None:
    for path in (START, "/integre", "/integre/nulle-part", "/integre/mon-lien"):
        page = framed.open(path)
        assert ancestors(page) == " ".join(SITES), path
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
    refused = framed.client.post("/integre", data={"id": "court"})
    assert ancestors(refused) == " ".join(SITES)


def test_no_other_page_may_be_framed(framed: Visitor) -> None:
    for path in ("/", "/autodiag", "/exemple", "/mon-lien", "/integrer.js", "/integrement", "/vos-donnees", "/r/abc"):
        assert ancestors(framed.open(path)) == "'none'", path


def test_nobody_may_show_the_frame_when_no_site_is_named(visitor: Visitor) -> None:
    assert ancestors(visitor.open("/integre")) == "'none'"
    assert 'data-host=""' in visitor.open(START).text


def test_the_loader_is_short_public_and_looked_at_again(framed: Visitor) -> None:
    loader = framed.open("/integrer.js")
    assert len(loader.text.splitlines()) <= 12
    assert loader.headers["cross-origin-resource-policy"] == "cross-origin"
    assert loader.headers["content-type"].startswith("text/javascript")
    assert {"public", "max-age=86400"} <= set(loader.headers["cache-control"].split(", "))
    again = framed.client.get("/integrer.js", headers={"if-none-match": loader.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == loader.headers["etag"]


def test_the_whole_short_path_without_a_cookie_nor_a_redirect(house: House, framed: Visitor) -> None:
    framed.client.follow_redirects = False
    page = framed.to_result()
    assert page.status_code == 200
    assert "Niveau estimé, avant l'avis de l'expert" in page.text
    assert page.request.url.path == "/integre"
    kept = house.store.db.read(lambda tx: tx.execute(select(tables.conversations)).one())
    assert (kept.entry, kept.campaign, kept.trial) == ("branche", "lettre-12", False)


def test_every_form_of_the_frame_carries_the_token_and_stays_in_it(framed: Visitor) -> None:
    framed.answer()
    token = framed.choices().fields["acces"]
    assert len(token) >= 32
    framed.to_result()
    framed.command("answers")
    pages = [framed.page, framed.command("pause"), framed.command("resume"), framed.command("result")]
    link = next(form for form in forms(framed.page) if form.action == "/integre/mon-lien" and not form.buttons)
    pages.append(framed.send(link))
    pages.append(framed.press("faire", "lien"))
    back = next(form for form in forms(framed.page) if form.action == "/integre/questions")
    pages.append(framed.send(back))
    assert "Niveau estimé" in framed.page.text
    for page in pages:
        assert page.status_code == 200
        assert forms(page)
        for form in forms(page):
            assert form.action.startswith("/integre"), form
            assert form.fields["acces"] == token
            assert form.fields["hote"] == SITES[0]
        for tag in re.findall(r"<a [^>]*>", page.text):
            stays = re.search(r'href="(#|/integre\b|tel:|sms:|mailto:)', tag)
            assert stays or ('target="_blank"' in tag and re.search(r'rel="noopener', tag)), tag
            assert len(re.findall(r" rel=", tag)) <= 1


def test_a_link_that_leaves_keeps_what_it_already_said() -> None:
    told = leaving('<a class="x" href="https://a.example" rel="noreferrer">A</a><a href="/b">B</a><a href="#c">C</a>')
    assert told == (
        '<a target="_blank" rel="noopener noreferrer" class="x" href="https://a.example" >A</a>'
        '<a target="_blank" rel="noopener" href="/b">B</a><a href="#c">C</a>'
    )


def test_an_address_without_a_form_shows_the_welcome_even_to_a_known_device(house: House) -> None:
    known = Visitor(client_of(create_app(with_server(house, framed_by=SITES))))
    known.answer()
    page = known.open(START)
    assert "Première question" in page.text
    assert "Reprendre" not in page.text


def test_the_cookie_opens_nothing_in_the_frame(house: House) -> None:
    known = Visitor(client_of(create_app(with_server(house, framed_by=SITES))))
    known.answer()
    before, form = rows(house), known.choices()
    for path in ("/integre", "/integre/questions", "/integre/mon-lien", "/integre/resultat.pdf"):
        page = known.client.post(path, data={**form.fields, "choice": form.buttons[1][1], "command": "erase"})
        assert page.status_code == 403, path
    assert rows(house) == before


@pytest.mark.parametrize("token", ["", "faux", "a" * 48, "a" * 5000])
def test_a_wrong_token_changes_nothing(house: House, framed: Visitor, token: str) -> None:
    framed.answer()
    before, form = rows(house), framed.choices()
    says_no(framed.send(form, acces=token, choice=form.buttons[1][1]), 403)
    assert "Je ne retrouve pas" in framed.page.text
    assert rows(house) == before


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://www.federation.example"}])
def test_even_with_the_token_a_form_of_another_site_is_refused(
    house: House, framed: Visitor, headers: dict[str, str]
) -> None:
    framed.answer()
    before, form = rows(house), framed.choices()
    data = {**form.fields, "choice": form.buttons[1][1]}
    says_no(framed.client.post("/integre", data=data, headers=headers), 403)
    assert rows(house) == before
    ours = {"sec-fetch-site": "same-origin", "origin": "null"}
    assert framed.client.post("/integre", data=data, headers=ours).status_code == 200


def test_a_form_sent_twice_begins_once(house: House, framed: Visitor) -> None:
    first = framed.choices()
    framed.answer()
    token = framed.choices().fields["acces"]
    framed.send(first, choice=first.buttons[0][1])
    assert framed.choices().fields["acces"] == token
    assert rows(house)["conversations"] == 1


@pytest.mark.parametrize("host", ["https://autre.example", "*", "javascript:alert(1)", '"><script>', ""])
def test_a_page_that_is_not_listed_is_never_told_the_height(framed: Visitor, host: str) -> None:
    assert 'data-host=""' in framed.open(f"/integre?hote={quote(host)}").text
    assert f'data-host="{SITES[0]}"' in framed.open(START).text


def test_erasing_in_the_frame_leaves_nothing(house: House, framed: Visitor) -> None:
    framed.answer()
    framed.command("answers")
    framed.command("erase")
    framed.command("confirm")
    assert "Tout est effacé" in framed.page.text
    assert rows(house)["conversations"] == 0


def test_two_frames_do_not_meet(frames: Callable[[], Visitor], house: House) -> None:
    one, other = frames(), frames()
    one.answer()
    other.answer()
    assert one.choices().fields["acces"] != other.choices().fields["acces"]
    assert rows(house)["conversations"] == 2


def test_the_link_made_in_the_frame_opens_a_page_of_its_own(house: House, framed: Visitor) -> None:
    framed.answer()
    framed.answer(1)
    framed.client.post("/integre/mon-lien", data=framed.choices().fields)
    framed.page = framed.client.post("/integre/mon-lien", data={**framed.choices().fields, "faire": "lien"})
    found = re.search(r'href="http://localhost:8000(/r/[^"]+)"', framed.page.text)
    assert found
    alone = Visitor(client_of(create_app(house)), found[1])
    alone.send(next(form for form in forms(alone.page) if form.action == found[1]))
    assert "gérée par un siège" in alone.page.text
