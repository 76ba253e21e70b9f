"""Route × role × id: whoever may not, gets nothing, and the log says so without saying who."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from access import accounts
from bot.house import House
from bot.rooms import TABLES
from bot.web.app import ROUTES, create_app
from bot.web.space.guard import signed_in, theirs
from tests.access import matrix
from tests.access.conftest import Guest
from tests.access.matrix import INVENTED, LINES, Line
from tests.conftest import Clock
from tests.web.conftest import client_of

pytestmark = pytest.mark.databases("sqlite", because="who may take a route is not about rows")
Guests = Callable[..., Guest]
NAMES = ("Alix Secret", "Bob Secret", "Xena Secret", "Yann Secret", "Olga Secret", "Lunettes Secret", "Nadia Secret")


def sent(client: TestClient, line: Line, id_: str) -> Response:
    path, fields = line.names(id_)
    kind = {"json": fields} if line.script else {"data": fields}
    answer: Response = client.request(line.method, path, **({} if line.method == "GET" else kind))
    return answer


@pytest.fixture
def crowd(guest: Guests) -> list[Guest]:
    """Two consultants, two federations, one operator."""
    return [
        guest("consultant", NAMES[0]),
        guest("consultant", NAMES[1]),
        guest("federation", NAMES[2], branch="optique"),
        guest("federation", NAMES[3], branch="chaussure"),
        guest("operator", NAMES[4]),
    ]


def test_every_route_of_the_spaces_stands_in_the_matrix() -> None:
    served = {
        (method, route.path)
        for route in ROUTES
        if route.path.startswith("/espace") and "nowhere" not in route.path
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert served == {(line.method, line.path) for line in LINES}


def test_only_the_owner_with_the_role_gets_anything(house: House, crowd: list[Guest]) -> None:
    for line in LINES:
        for owner in (each for each in crowd if each.account and each.account.role in line.roles):
            assert owner.account
            own = line.make(house, owner.account) if line.make else ""
            for other in crowd:
                if other is owner or (not line.make and other.account and other.account.role in line.roles):
                    continue
                with capture_logs() as logged:
                    answer = sent(other.client, line, own)
                nothing(answer, logged, f"{line.method} {line.path} by {other.account}")
            if line.make:
                for invented in ("", *INVENTED):
                    with capture_logs() as logged:
                        answer = sent(owner.client, line, invented)
                    nothing(answer, logged, f"{line.method} {line.path} with {invented!r}")
            if not line.script:
                assert sent(owner.client, line, own).status_code < 400, f"{line.path}: its owner may"


def nothing(answer: Response, logged: Sequence[Mapping[str, Any]], what: str) -> None:
    """404, nobody's name, and a line in the log that names an opaque id at most."""
    assert answer.status_code == 404, what
    assert not [name for name in NAMES if name in answer.text], what
    said = [each for each in logged if each.get("event") in ("refused", "request")]
    assert said, what
    assert not [name for name in (*NAMES, "exemple.fr") if name in str(logged)], what


@pytest.mark.parametrize("why", ["nobody", "ended", "revoked", "invented"])
def test_nobody_signed_in_is_sent_to_the_door(
    house: House, guest: Guests, browser_of: Callable[[], TestClient], clock: Clock, why: str
) -> None:
    someone = guest("consultant", NAMES[0])
    client, account = someone.client, someone.account
    assert account
    ids = {line.path: line.make(house, account) if line.make and why != "revoked" else "" for line in LINES}
    match why:
        case "nobody":
            client = browser_of()
        case "ended":
            clock.forward(hours=8)
        case "revoked":
            house.store.db.write(lambda tx: accounts.revoke(tx, account.id, house.today()))
        case _:
            client.cookies.clear()
            client.cookies.set("autodiag-espace", "A" * 32)
    for line in LINES:
        for id_ in (ids[line.path], "invented"):
            answer = sent(client, line, id_)
            if line.method == "GET":
                assert answer.status_code == 303, line
                assert answer.headers["location"].startswith("/entrer?"), line
            else:
                assert answer.status_code == 403, line
            assert not [name for name in NAMES if name in answer.text], line


def test_the_guard_tells_a_foreign_role_and_a_foreign_id_apart_in_the_log_only(house: House, guest: Guests) -> None:
    """A page of some room, that belongs to one consultant."""

    async def page(request: Request) -> PlainTextResponse:
        who = await signed_in(request, "consultant")
        found = "le rendez-vous" if request.path_params["id"] == who.account.id else None
        return PlainTextResponse(theirs(request, who, found))

    app = create_app(house)
    app.router.routes.insert(0, Route("/espace/consultant/essai/{id}", page))
    alix, xena = guest("consultant", "Alix"), guest("federation", "Xena")
    assert alix.account
    assert xena.account
    seen: list[tuple[str, str, object]] = []
    for someone, id_ in ((alix, alix.account.id), (alix, xena.account.id), (xena, alix.account.id)):
        client = client_of(app)
        client.cookies = someone.client.cookies
        with capture_logs() as logged:
            answer = client.get(f"/espace/consultant/essai/{id_}")
        refused = [each for each in logged if each["event"] == "refused"]
        seen.append((str(answer.status_code), answer.text, [(each["because"], each["account"]) for each in refused]))
        assert all(set(each) <= {"event", "log_level", "route", "because", "account"} for each in refused)
    (ok, said, quiet), (id_code, id_page, by_id), (role_code, role_page, by_role) = seen
    assert (ok, said, quiet) == ("200", "le rendez-vous", [])
    assert (id_code, role_code) == ("404", "404")
    assert by_id == [("id", alix.account.id)]
    assert by_role == [("role", xena.account.id)]
    assert id_page.split("<main")[1] == role_page.split("<main")[1], "the pages tell nothing apart"


@pytest.mark.parametrize("path", ["/espace/", "/espace/rien", "/espace/cles/", "/espace/é"])
def test_an_address_that_leads_nowhere_is_not_told_from_one_that_does(
    guest: Guests, browser_of: Callable[[], TestClient], path: str
) -> None:
    with capture_logs() as logged:
        assert guest().client.get(path).status_code == 404
    assert [each["because"] for each in logged if each["event"] == "refused"] == ["id"]
    assert browser_of().get(path).headers["location"].startswith("/entrer?suite=")


def test_looking_writes_nothing(house: House, guest: Guests) -> None:
    someone = guest()
    before = everything(house)
    for path in ("/espace", "/espace/cles", "/entrer", "/invitation/x"):
        someone.client.get(path)
    someone.options("/entrer")
    someone.options("/espace/cles")
    assert everything(house) == before


def everything(house: House) -> list[Any]:
    """All rows of all tables."""
    return house.store.db.read(lambda tx: [tx.execute(select(table)).all() for table in TABLES.sorted_tables])


def test_the_matrix_names_real_things(house: House, guest: Guests) -> None:
    someone = guest()
    assert someone.account
    assert len(matrix.a_passkey(house, someone.account)) == 64
