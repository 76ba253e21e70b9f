"""The federation's space, tried by everybody it is not for: every route, every role, every id."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from access.accounts import Role
from bot.house import House
from bot.web.app import ROUTES, create_app
from federations import campaigns, waves
from federations.campaigns import Campaign
from federations.disclosure import LEAST, LEVEL
from federations.spreadsheet import harmless
from store import conversations
from tests.access.conftest import Guest, invited, made
from tests.conftest import Clock
from tests.federations.test_funnel import Come, come
from tests.web.conftest import client_of
from tests.web.visitor import forms

__all__ = ["come"]
pytestmark = pytest.mark.databases("sqlite", because="what a page shows of the counts is the same on both")
SECRET = "Lettre secrète de l'optique"
Enter = Callable[..., Guest]
PAGES = ("/espace/federation", "/espace/federation/chiffres.csv", "/espace/federation/campagnes")
ONE = "/espace/federation/campagnes/{code}"


@pytest.fixture
def enter(house: House) -> Enter:
    """Somebody of this role, and of this branch, who has just signed in."""
    app = create_app(house)

    def _enter(role: Role = "federation", branch: str = "optique") -> Guest:
        client = client_of(app)
        client.follow_redirects = False
        more = {"branch": branch} if role == "federation" else {}
        guest = Guest(client, account=made(house, role, **more))
        assert guest.account
        assert guest.make(invited(house, guest.account)).status_code == 200
        return guest

    return _enter


@pytest.fixture
def optics(house: House) -> Campaign:
    """A campaign of the opticians, that nobody else may see."""
    wanted = Campaign("OPTIQUE", "optique", "branche", SECRET, house.today(), house.today() + timedelta(days=3))
    return house.store.db.write(lambda tx: campaigns.create(tx, wanted, ["optique"]))


def leaks(text: str) -> bool:
    """Whether an answer says anything of the opticians."""
    bare = text.replace("&#39;", "'").replace("\N{NO-BREAK SPACE}", " ")
    return any(word in bare for word in (SECRET, "OPTIQUE", "Fédération de l'optique"))


def asks(client: TestClient, path: str, method: str) -> tuple[int, str]:
    """What a request gets; a POST with a form's id, as our own pages send it."""
    form = {"id": "a" * 24, "faire": "finir", "numero": "Mienne", "canal": "site"}
    answer = client.get(path) if method == "GET" else client.post(path, data=form)
    return answer.status_code, answer.text


def test_every_route_of_the_space_is_tried() -> None:
    """One that is added must be added to the matrix."""
    routes = {route.path for route in ROUTES if route.path.startswith("/espace/federation")}
    assert routes == {*PAGES, ONE}


@pytest.mark.parametrize("role", ["consultant", "operator"])
def test_another_role_finds_nothing(enter: Enter, optics: Campaign, role: Role) -> None:
    client = enter(role).client
    for path in (*PAGES, ONE.format(code=optics.code), ONE.format(code="ABSENT")):
        for method in ("GET", "POST"):
            status, text = asks(client, path, method)
            assert status in (404, 405), (path, method)
            assert not leaks(text)


def test_nobody_signed_in_is_sent_to_the_door_whatever_the_id(house: House, optics: Campaign) -> None:
    client = client_of(create_app(house))
    client.follow_redirects = False
    for path in (*PAGES, ONE.format(code=optics.code), ONE.format(code="ABSENT")):
        status, text = asks(client, path, "GET")
        assert status == 303, path
        assert not leaks(text)
    assert asks(client, ONE.format(code=optics.code), "POST")[0] in (303, 403)


def test_an_expired_sign_in_opens_nothing(enter: Enter, optics: Campaign, clock: Clock) -> None:
    client = enter().client
    assert client.get(PAGES[0]).status_code == 200
    clock.forward(hours=1)
    for path in (*PAGES, ONE.format(code=optics.code)):
        for method in ("GET", "POST"):
            status, text = asks(client, path, method)
            assert status in (303, 401, 403, 405), (path, method)
            assert not leaks(text)


def test_another_branch_asks_for_a_campaign_and_learns_nothing(house: House, enter: Enter, optics: Campaign) -> None:
    client = enter(branch="chaussure").client
    for code in ("OPTIQUE", "optique", "ABSENT", "null", "None", "0", "%00", "*", "%25", "é", "x" * 300):
        for method in ("GET", "POST"):
            status, text = asks(client, ONE.format(code=code), method)
            assert status == 404, (code, method)
            assert not leaks(text)
    for code in ("", "..", "%2e%2e", "OPTIQUE%2f"):  # other addresses, that lead to pages of one's own or nowhere
        for method in ("GET", "POST"):
            status, text = asks(client, ONE.format(code=code), method)
            assert status in (200, 303, 307, 404, 405), (code, method)
            assert not leaks(text)
    assert house.store.db.read(lambda tx: campaigns.find(tx, "OPTIQUE")) == optics, "nothing was closed"


def test_a_campaign_of_ones_own_branch_is_found_by_its_exact_code(enter: Enter, optics: Campaign) -> None:
    client = enter().client
    assert client.get(ONE.format(code="OPTIQUE")).status_code == 200
    assert client.get(ONE.format(code="optique")).status_code == 404


def test_pages_and_file_show_ones_own_branch_only(
    house: House, enter: Enter, optics: Campaign, come: Come, clock: Clock
) -> None:
    come(321, "begun", branch="optique")
    come(7, "begun", branch="chaussure")
    clock.forward(days=7)
    shoes = enter(branch="chaussure").client
    for path in PAGES:
        text = shoes.get(path).text
        assert not leaks(text)
        assert "321" not in text
    mine = enter().client.get(PAGES[0]).text
    assert ">321<" in mine
    assert ">328<" in mine, "all branches together"


def test_a_request_names_no_branch(enter: Enter, optics: Campaign, come: Come, clock: Clock) -> None:
    come(97, "begun", branch="optique")
    clock.forward(days=7)
    shoes = enter(branch="chaussure").client
    for path in PAGES:
        for more in ("?branche=optique", "?branch=optique", "?metier=optique&c=OPTIQUE"):
            asked, plain = shoes.get(path + more).text, shoes.get(path).text
            assert not leaks(asked)
            assert _without_ids(asked) == _without_ids(plain)


def _without_ids(page: str) -> str:
    """The page but for what is drawn anew each time: the ids of its forms."""
    return re.sub(r'name="id" value="[^"]*"', "", page)


def test_a_campaign_is_created_for_ones_own_branch_whatever_the_form_says(house: House, enter: Enter) -> None:
    client = enter(branch="chaussure").client
    form = forms(client.get(PAGES[2]))[-1]
    sent = {**form.fields, "numero": "  Lettre   de décembre ", "canal": "salon", "branche": "optique", "code": "PRIS"}
    answer = client.post(form.action, data=sent)
    assert answer.status_code == 303
    (kept,) = house.store.db.read(lambda tx: campaigns.of_branch(tx, None))
    assert (kept.branch, kept.channel, kept.issue) == ("chaussure", "salon", "Lettre de décembre")
    assert kept.code != "PRIS"
    page = client.get(answer.headers["location"])
    assert f"/c/{kept.code}" in page.text
    assert f"/kit/{kept.code}/" in page.text


def test_a_form_that_makes_no_sense_says_what_to_do_and_creates_nothing(house: House, enter: Enter) -> None:
    client = enter().client
    wrong = (
        ({"numero": ""}, "Donnez un nom"),
        ({"numero": "x" * 81}, "Donnez un nom"),
        ({"canal": "radio"}, "Dites où"),
        ({"canal": ""}, "Dites où"),
        ({"ouvre": "demain"}, "Ces dates"),
        ({"ferme": "2020-01-01"}, "Ces dates"),
        ({"ferme": "2026-02-30"}, "Ces dates"),
    )
    for change, said in wrong:
        form = forms(client.get(PAGES[2]))[-1]
        answer = client.post(form.action, data={**form.fields, "numero": "Lettre", "canal": "site", **change})
        assert answer.status_code == 422, change
        assert said in answer.text
    assert house.store.db.read(lambda tx: campaigns.of_branch(tx, None)) == []


def test_a_campaign_is_ended_by_its_button(house: House, enter: Enter, optics: Campaign) -> None:
    client = enter().client
    form = forms(client.get(ONE.format(code="OPTIQUE")))[-1]
    assert client.post(form.action, data={**form.fields, "faire": "autre"}).status_code == 422
    assert client.post(form.action, data={**form.fields, "faire": "finir"}).status_code == 303
    found = house.store.db.read(lambda tx: campaigns.find(tx, "OPTIQUE"))
    assert found
    assert found.ends_on == house.today()


def test_no_number_under_five_is_on_any_page(house: House, enter: Enter, come: Come, clock: Clock) -> None:
    come(13, "begun")
    come(4, "begun", "short_done")
    clock.forward(days=7)
    client = enter().client
    page = client.get(PAGES[0]).text.replace("\N{NO-BREAK SPACE}", " ")
    assert ">17<" in page
    assert ">4<" not in page
    assert page.count("moins de 5") >= 5
    rows = list(csv.reader(io.StringIO(client.get(PAGES[1]).content.decode("utf-8-sig")), delimiter=";"))
    assert rows[1] == ["2026-11-23", "17", *["moins de 5"] * 5]


def test_before_a_wave_the_page_says_how_many_are_missing_and_why_then_the_bands(house: House, enter: Enter) -> None:
    client = enter().client
    themes = house.flow.questionnaire.themes
    _waits(house, 12)
    page = client.get(PAGES[0]).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Il manque encore 6 à 10 entreprises" in page
    assert "Pourquoi attendre" in page
    _waits(house, LEAST - 12)
    page = client.get(PAGES[0]).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Vague 1 : 20 entreprises" in page
    assert "75 % ou plus" in page
    assert themes[0].title in page.replace("&#39;", "'")


def _waits(house: House, many: int) -> None:
    weak = {theme.id: True for theme in house.flow.questionnaire.themes} | {LEVEL: False}

    def work(tx: Connection) -> None:
        for _ in range(many):
            day = house.today()
            one = conversations.create(
                tx, house.store.keyring, snapshot=b"{}", flow="f", entry="direct", today=day, purge_on=day
            )
            waves.contribute(tx, house.store.keyring, one.id, one.key, "optique", weak, day)

    house.store.db.write(work)


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(house: House, enter: Enter) -> None:
    for start in "=+-@\t\r\n":
        assert harmless(f"{start}1+1") == f"'{start}1+1"
    assert harmless("  =1+1") == "'  =1+1"
    assert harmless("Lettre = 12") == "Lettre = 12"
    issue = '=HYPERLINK("http://mal.example";"gagné")'
    wanted = Campaign("-CODE", "optique", "branche", issue, house.today())
    house.store.db.write(lambda tx: campaigns.create(tx, wanted, ["optique"]))
    content = enter().client.get(PAGES[1]).content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(content), delimiter=";") for cell in row]
    assert f"'{issue}" in cells
    assert "'-CODE" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
