"""What should not have been sent: a clear sentence, the right status, nothing written, never a 500."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

import pytest
from httpx import Response
from sqlalchemy import func, select
from starlette.testclient import TestClient
from starlette.types import Message

from bot.house import House
from bot.web.app import create_app
from store import tables
from store.engine import Unavailable
from tests.web.conftest import client_of
from tests.web.visitor import Visitor

pytestmark = pytest.mark.databases("sqlite", because="what a door refuses never reaches the database")
FORM = "application/x-www-form-urlencoded"


def rows(house: House) -> dict[str, object]:
    """How much is written, and at which revision."""

    def count(table: object) -> object:
        return house.store.db.read(lambda tx: tx.scalar(select(func.count()).select_from(table)))  # type: ignore[arg-type]

    revisions = house.store.db.read(lambda tx: tx.scalars(select(tables.conversations.c.revision)).all())
    written = (tables.conversations, tables.facts, tables.inbox, tables.ways, tables.codes)
    return {table.name: count(table) for table in written} | {"revisions": revisions}


def says_no(page: Response, status: int) -> None:
    assert page.status_code == status
    assert 'role="alert"' in page.text.partition("<template")[0]
    assert "Traceback" not in page.text


@pytest.fixture
def midway(visitor: Visitor) -> Visitor:
    """Somebody at the second question."""
    visitor.answer()
    return visitor


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"node": "nulle-part", "choice": "oui"}, 422),
        ({"choice": "nulle-part"}, 422),
        ({"choice": "na"}, 422),
        ({"choice": "../../etc"}, 422),
        ({"choice": "x" * 65}, 422),
        ({"choice": ""}, 422),
        ({"command": "danser"}, 422),
        ({"command": "confirm"}, 409),
        ({"command": "edit", "node": "sau-frequence"}, 409),
        ({"command": "tutorial", "word": "nulle-part"}, 422),
        ({"text": ""}, 422),
        ({"text": "   "}, 422),
        ({"text": "a" * 10_000}, 422),
        ({"text": "été\x00"}, 422),
        ({"text": "a\x1bb"}, 422),
        ({"revision": "beaucoup", "choice": "2-10"}, 400),
        ({"id": "court", "choice": "2-10"}, 400),
        ({}, 400),
    ],
)
def test_a_form_that_makes_no_sense(house: House, midway: Visitor, fields: dict[str, str], status: int) -> None:
    before = rows(house)
    form = midway.choices()
    if "command" in fields or "text" in fields:
        form.fields.pop("node", None)
    says_no(midway.send(form, **fields), status)
    assert rows(house) == before


def test_a_choice_of_an_older_question(house: House, midway: Visitor) -> None:
    older = midway.choices()
    midway.answer(1)
    before = rows(house)
    page = midway.send(older, choice=older.buttons[0][1])
    says_no(page, 409)
    assert "Changer cette réponse" in page.text
    assert rows(house) == before


def test_the_same_choice_pressed_again_later_says_nothing(house: House, midway: Visitor) -> None:
    older = midway.choices()
    midway.answer(1)
    before = rows(house)
    older.fields["id"] = "z" * 24
    assert midway.send(older, choice=older.buttons[1][1]).status_code == 200
    assert rows(house) == before


def test_a_choice_without_its_revision(house: House, midway: Visitor) -> None:
    before, form = rows(house), midway.choices()
    del form.fields["revision"]
    says_no(midway.send(form, choice=form.buttons[0][1]), 400)
    assert rows(house) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"id=%FF%FE&choice=1", FORM, 400),
        ("id=é".encode(), FORM, 400),
        (b"id&&&==;", FORM, 400),
        (b"id=1&id=2", FORM, 400),
        (b"&".join(b"f%d=1" % n for n in range(50)), FORM, 400),
        (b"", FORM, 400),
        (b'{"id": 1}', "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"id=" + b"a" * 1_000_000, FORM, 413),
    ],
)
def test_a_body_that_is_not_one_of_our_forms(
    house: House, midway: Visitor, body: bytes, kind: str, status: int
) -> None:
    before = rows(house)
    for path in ("/autodiag", "/code", "/mon-lien", "/r/abcdefghijklmnopqrstuvwx"):
        says_no(midway.client.post(path, content=body, headers={"content-type": kind}), status)
    assert rows(house) == before


def test_a_body_without_end_is_not_read_to_its_end(visitor: Visitor) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"a" * 1024

    page = visitor.client.post("/autodiag", content=endless(), headers={"content-type": FORM})
    says_no(page, 413)


def played(house: House, messages: list[Message]) -> list[Message]:
    """What the server sends to somebody whose body comes as these messages, and then not at all."""
    sent: list[Message] = []
    headers = [(b"content-type", FORM.encode()), (b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")]
    scope = {"type": "http", "method": "POST", "path": "/autodiag", "query_string": b"", "headers": headers}

    async def receive() -> Message:
        return messages.pop(0) if messages else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(create_app(house)(scope, receive, send))
    return sent


def test_a_body_that_does_not_come_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.guard.SLOWEST", 0.05)
    start, *bodies = played(house, [{"type": "http.request", "body": b"id=1", "more_body": True}])
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert "trop de temps à arriver" in b"".join(each["body"] for each in bodies).decode()


def test_who_leaves_in_the_middle_of_a_body_is_no_fault(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    played(house, [{"type": "http.request", "body": b"id=1", "more_body": True}, {"type": "http.disconnect"}])
    logged = "".join(capsys.readouterr())
    assert "fault" not in logged
    assert "ClientDisconnect" not in logged


@pytest.mark.parametrize("cookie", ["", "faux", "a" * 40, "a" * 5000])
def test_a_wrong_token_is_told_how_to_come_back(house: House, midway: Visitor, cookie: str) -> None:
    form, before = midway.choices(), rows(house)
    midway.client.cookies.clear()
    midway.client.cookies.set("autodiag", cookie)
    page = midway.send(form, choice=form.buttons[0][1])
    says_no(page, 403)
    assert "/code" in page.text
    assert midway.open("/autodiag").status_code == 403
    assert midway.open("/mon-lien").status_code == 403
    assert midway.open("/vos-donnees.json").status_code == 403
    assert rows(house) == before


@pytest.mark.parametrize("token", ["x", "a" * 32, "a" * 3000, "%00", "..%2f..", "é"])
def test_a_wrong_return_link(house: House, visitor: Visitor, token: str) -> None:
    before = rows(house)
    page = visitor.open(f"/r/{token}")
    if page.status_code == 200:
        visitor.page = page
        page = visitor.client.post(f"/r/{token}", data={"id": "z" * 24})
        says_no(page, 403)
    assert page.status_code in (403, 404)
    assert rows(house) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://autre.example"},
        {"origin": "null"},
        {"origin": ""},
    ],
)
def test_a_form_from_another_site(house: House, midway: Visitor, headers: dict[str, str]) -> None:
    before, form = rows(house), midway.choices()
    page = midway.client.post("/autodiag", data={**form.fields, "choice": form.buttons[0][1]}, headers=headers)
    says_no(page, 403)
    assert rows(house) == before


def test_a_form_that_says_nothing_of_where_it_comes_from(house: House, midway: Visitor) -> None:
    before, form = rows(house), midway.choices()
    del midway.client.headers["origin"]
    says_no(midway.send(form, choice=form.buttons[0][1]), 403)
    assert rows(house) == before


def test_what_the_browser_says_of_the_site_goes_before_the_origin(midway: Visitor) -> None:
    form = midway.choices()
    headers = {"origin": "null", "sec-fetch-site": "same-origin"}
    data = {**form.fields, "choice": form.buttons[0][1]}
    assert midway.client.post("/autodiag", data=data, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nulle-part", 404),
        ("GET", "/tutoriels/nulle-part", 404),
        ("GET", "/affiches/wifi-separe", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/chat.js", 404),
        ("PUT", "/autodiag", 405),
        ("DELETE", "/vos-donnees", 405),
        ("POST", "/exemple", 405),
        ("POST", "/", 405),
    ],
)
def test_an_address_or_a_method_that_does_not_exist(visitor: Visitor, method: str, path: str, status: int) -> None:
    says_no(visitor.client.request(method, path), status)


def test_looking_writes_nothing(house: House, visitor: Visitor) -> None:
    paths = (
        "/",
        "/?c=abc&par=salon&metier=optique&essai=1",
        "/autodiag",
        "/exemple",
        "/mon-lien",
        "/r/abc",
        "/code",
        "/vos-donnees",
    )
    for path in paths:
        visitor.open(path)
    assert not rows(house)["conversations"]
    visitor.open("/")
    visitor.answer()
    before = rows(house)
    for path in (*paths, "/vos-donnees.json"):
        visitor.open(path)
    assert rows(house) == before


def test_a_link_that_lies_is_a_link_that_says_nothing(house: House, visitor: Visitor) -> None:
    assert visitor.open("/?c=%3Cscript%3E&par=lune&metier=alchimie&essai=oui").status_code == 200
    visitor.answer()
    kept = house.store.db.read(lambda tx: tx.execute(select(tables.conversations)).one())
    assert (kept.entry, kept.campaign, kept.trial) == ("direct", None, False)


def test_a_federation_s_link_is_remembered_and_its_trade_is_not_asked_again(house: House, visitor: Visitor) -> None:
    visitor.open("/?c=lettre-12&par=branche&metier=optique&essai=1")
    assert "Quel est votre métier" not in visitor.page.text
    visitor.answer(1)
    kept = house.store.db.read(lambda tx: tx.execute(select(tables.conversations)).one())
    assert (kept.entry, kept.campaign, kept.branch, kept.trial) == ("branche", "lettre-12", "optique", True)


def test_a_flood_of_beginnings_is_slowed_and_answers_are_not(house: House) -> None:
    few = house.settings.server.model_copy(update={"conversations_per_hour": 2})
    object.__setattr__(house, "settings", house.settings.model_copy(update={"server": few}))
    app = create_app(house)
    visitors = [Visitor(client_of(app)) for _ in range(3)]
    assert [each.answer().status_code for each in visitors] == [200, 200, 429]
    says_no(visitors[2].page, 429)
    for place in (1, 0, 0, 0, 0):
        assert visitors[0].answer(place).status_code == 200


def test_wrong_codes_are_slowed(visitor: Visitor) -> None:
    statuses = []
    for _ in range(22):
        visitor.open("/code")
        statuses.append(visitor.client.post("/code", data={"id": "z" * 24, "code": "ABCD2345"}).status_code)
    assert statuses[:20] == [403] * 20
    assert statuses[-1] == 429


def test_what_could_not_be_saved_says_so_and_can_be_sent_again(
    house: House, midway: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, before = midway.choices(), rows(house)

    async def full(work: object) -> None:
        raise Unavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.store.db, "submit", full)
        page = midway.send(form, choice=form.buttons[1][1])
    says_no(page, 503)
    assert "n'a pas été enregistrée" in page.text
    assert rows(house) == before
    again = re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
    assert midway.client.post("/autodiag", data=dict(again)).status_code == 200
    assert rows(house)["revisions"] == [2]


def test_a_fault_of_ours_is_a_calm_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canari-secret")

    monkeypatch.setattr("bot.turn.begin", broken)
    page = visitor.answer()
    says_no(page, 500)
    assert "canari-secret" not in page.text
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "canari-secret" not in logged.out + logged.err


def test_no_token_reaches_a_log(device: Callable[[], TestClient], capsys: pytest.CaptureFixture[str]) -> None:
    Visitor(device()).open("/r/canari-dans-une-adresse-bien-longue")
    logged = capsys.readouterr()
    assert "/r/{token}" in logged.out + logged.err
    assert "canari" not in logged.out + logged.err
