"""What is not taken: a French sentence, a code, a right status, nothing written, and no secret told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bot import turn
from bot.api.app import LARGEST
from bot.api.problems import SAID
from bot.entrance import open_way
from bot.house import House
from store.engine import Unavailable
from tests.api.conftest import Caller

NEW = "/api/v1/conversations"
JSON = {"Content-Type": "application/json"}


def rows(house: House) -> dict[str, int]:
    def count(tx: Connection) -> dict[str, int]:
        names = ("conversations", "facts", "inbox", "ways", "tallies")
        return {name: int(tx.exec_driver_sql(f"select count(*) from {name}").scalar_one()) for name in names}

    return house.store.db.read(count)


def is_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert set(found) - {"turn"} == {"type", "title", "status", "detail", "code"}
    assert found["status"] == status
    assert len(found["detail"]) > 15
    assert "{" not in found["detail"]


UNBEGUN: list[tuple[bytes, int, str, str]] = [
    (b"{", 400, "bad_json", ""),
    (b'{"campaign": "\xff"}', 400, "bad_json", "UTF-8"),
    (b'{"campaign": "\\ud800"}', 400, "bad_json", ""),
    (b"[" * 16_000, 400, "bad_json", ""),
    (b"[]", 422, "invalid", "objet"),
    (b'{"profil": {}}', 422, "invalid", "« profil »"),
    (b'{"trial": "oui"}', 422, "invalid", "« trial »"),
    (b'{"trial": 1}', 422, "invalid", "« trial »"),
    (b'{"campaign": ""}', 422, "invalid", "« campaign »"),
    (b'{"campaign": "a b"}', 422, "invalid", "« campaign »"),
    (b'{"campaign": "abc\\n"}', 422, "invalid", "« campaign »"),
    (json.dumps({"campaign": "a" * 65}).encode(), 422, "invalid", "64"),
    (b'{"profile": {"metier": "optique"}}', 422, "unknown_node", "« profile.metier »"),
    (b'{"profile": {"branche": "plombier"}}', 422, "unknown_choice", "« plombier »"),
    (b'{"profile": {"branche": "nsp"}}', 422, "unknown_choice", "« nsp »"),
    (b'{"profile": {"branche": ["optique"]}}', 422, "invalid", "« profile.branche »"),
]


def test_a_conversation_that_cannot_be_begun_is_not(caller: Caller, house: House, subtests: pytest.Subtests) -> None:
    for body, status, code, named in UNBEGUN:
        with subtests.test(body=body[:40]):
            answer = caller.http.post(NEW, content=body, headers=JSON)
            is_problem(answer, status, code)
            assert named in answer.json()["detail"]
    assert rows(house)["conversations"] == 0


def test_a_beginning_needs_no_body_and_a_form_is_not_json(caller: Caller) -> None:
    assert caller.http.post(NEW).status_code == 201
    is_problem(caller.http.post(NEW, data={"trial": "true"}), 415, "not_json")
    is_problem(caller.http.post(NEW, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "not_json")


CHOICE = {"type": "choice", "node": "branche", "choice": "optique", "revision": 1}


UNTAKEN: list[tuple[dict[str, Any], int, str, str]] = [
    ({}, 422, "invalid", "« type »"),
    ({"type": "menu"}, 422, "invalid", "« type »"),
    ({**CHOICE, "revision": "1"}, 422, "invalid", "revision"),
    ({**CHOICE, "revision": 1.5}, 422, "invalid", "revision"),
    ({**CHOICE, "revision": True}, 422, "invalid", "revision"),
    ({**CHOICE, "revision": 10**30}, 422, "invalid", "revision"),
    ({**CHOICE, "sure": True}, 422, "invalid", "sure"),
    ({name: value for name, value in CHOICE.items() if name != "revision"}, 422, "invalid", "revision"),
    ({**CHOICE, "node": "nulle-part"}, 422, "unknown_node", "« nulle-part »"),
    ({**CHOICE, "choice": "plombier"}, 422, "unknown_choice", "« branche »"),
    ({**CHOICE, "choice": "na"}, 422, "na_refused", "« branche »"),
    ({**CHOICE, "node": "effectif", "choice": "1"}, 409, "not_asked", ""),
    ({**CHOICE, "revision": 7}, 409, "stale", ""),
    ({"type": "text", "text": ""}, 422, "invalid", "text"),
    ({"type": "text", "text": "a" * 1_001}, 422, "invalid", "1000"),
    ({"type": "command", "name": "sudo"}, 422, "invalid", "accepte seulement"),
    ({"type": "command", "name": "edit", "node": "nulle-part"}, 422, "unknown_node", "« nulle-part »"),
    ({"type": "command", "name": "tutorial", "word": "rien"}, 422, "unknown_tutorial", "« rien »"),
    ({"type": "command", "name": "next"}, 422, "unknown_tutorial", ""),
    ({"type": "command", "name": "confirm"}, 409, "nothing_to_confirm", ""),
]


def test_an_event_that_cannot_be_taken_leaves_no_trace(caller: Caller, house: House, subtests: pytest.Subtests) -> None:
    shop = caller.begin()
    before, present = rows(house), shop.get().json()
    for event, status, code, named in UNTAKEN:
        with subtests.test(event=event):
            answer = shop.send(event)
            is_problem(answer, status, code)
            assert named in answer.json()["detail"]
            assert (rows(house), shop.get().json()) == (before, present)
            assert answer.json().get("turn") == (present["turn"] if status == 409 else None)


def test_an_event_without_a_usable_key_is_refused(caller: Caller) -> None:
    shop = caller.begin()
    headers = [(b"Authorization", f"Bearer {shop.token}".encode())]
    for key in ("", "a" * 101, "é", "a b", "a\tb"):
        given = [*headers, (b"Idempotency-Key", key.encode("latin-1"))]
        is_problem(shop.http.post(f"{shop.at}/events", json=CHOICE, headers=given), 422, "key_missing")
    is_problem(shop.http.post(f"{shop.at}/events", json=CHOICE, headers=headers), 422, "key_missing")


def _everything(caller: Caller, conversation: str, headers: dict[str, str]) -> Iterator[Any]:
    at = f"{NEW}/{conversation}"
    yield caller.http.post(f"{at}/events", json=CHOICE, headers={"Idempotency-Key": "k", **headers})
    yield caller.http.get(at, headers=headers)
    yield caller.http.get(f"{at}/result", headers=headers)
    yield caller.http.delete(at, headers=headers)


def test_without_a_token_nothing_answers(caller: Caller) -> None:
    shop = caller.begin()
    for header in ("", "Bearer", "Bearer ", f"Basic {shop.token}", shop.token, f"Bearer {shop.token} x"):
        for answer in _everything(caller, shop.id, {"Authorization": header}):
            is_problem(answer, 401, "no_token")
            assert answer.headers["www-authenticate"] == "Bearer"
    by_address = caller.http.get(f"{shop.at}?token={shop.token}&access_token={shop.token}")
    is_problem(by_address, 401, "no_token")


def test_unknown_and_foreign_look_the_same_and_touch_nothing(caller: Caller, house: House) -> None:
    mine, other = caller.begin(), caller.begin()
    before = rows(house)
    seen = set()
    for conversation, token in (
        (other.id, mine.token),
        ("0" * 32, mine.token),
        ("0" * 32, "never-given"),
        (mine.id, "never-given"),
        (mine.id, mine.token + "x"),
        ("%20", mine.token),
        ("%00", mine.token),
        ("é", mine.token),
        ("", mine.token),
        (mine.id.upper(), mine.token),
    ):
        for answer in _everything(caller, conversation, {"Authorization": f"Bearer {token}"}):
            if not (conversation == "" and answer.request.url.path.endswith("conversations/")):
                is_problem(answer, 404, "not_found")
            seen.add(answer.text)
    assert len(seen) == 1
    assert rows(house) == before


def test_a_browsers_or_a_links_token_does_not_open_the_api(caller: Caller, house: House) -> None:
    shop = caller.begin()
    for kind in ("device", "link"):
        other = asyncio.run(open_way(house, shop.id, kind))
        for answer in _everything(caller, shop.id, {"Authorization": f"Bearer {other}"}):
            is_problem(answer, 404, "not_found")
    assert shop.get().status_code == 200


def test_what_is_not_there_and_what_is_not_done_are_problems_too(caller: Caller) -> None:
    shop = caller.begin()
    for path in ("/api/v1", "/api/v1/", f"{NEW}/", f"{shop.at}/", "/api/v1/docs", f"{shop.at}/events/1"):
        is_problem(caller.http.get(path, headers=shop.headers(), follow_redirects=False), 404, "not_found")
    for method, path, allowed in (
        ("GET", NEW, "POST"),
        ("PUT", shop.at, "DELETE, GET"),
        ("PATCH", f"{shop.at}/events", "POST"),
        ("POST", f"{shop.at}/result", "GET"),
        ("HEAD", f"{shop.at}/result", "GET"),
    ):
        answer = caller.http.request(method, path, headers=shop.headers())
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    is_problem(caller.http.put(shop.at), 405, "wrong_method")


def test_a_long_body_is_refused_before_it_is_read(caller: Caller) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1_000):
            read += 4_096
            yield b" " * 4_096

    is_problem(caller.http.post(NEW, content=b" " * (LARGEST + 1), headers=JSON), 413, "too_big")
    is_problem(caller.http.post(NEW, content=endless(), headers=JSON), 413, "too_big")
    assert caller.http.post(NEW, content=b"{}".ljust(LARGEST), headers=JSON).status_code == 201
    for said in ("-1", "x", "9" * 5_000):
        is_problem(caller.http.post(NEW, content=b"{}", headers={**JSON, "Content-Length": said}), 413, "too_big")


async def _send_bytes(app: ASGIApp, chunks: int) -> tuple[int, int]:
    """The status of a body in chunks, and how many were read."""
    asked, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 4_096, "more_body": asked < chunks}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "method": "POST",
        "path": NEW,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    return status, asked


def test_no_more_of_a_body_is_read_than_the_limit(app: ASGIApp) -> None:
    assert asyncio.run(_send_bytes(app, 1_000)) == (413, 5)


def test_one_address_begins_so_many_conversations_an_hour(app: ASGIApp, house: House) -> None:
    limit = house.settings.server.conversations_per_hour
    with TestClient(app, client=("203.0.113.7", 1)) as http:
        assert http.post(NEW, json={"profile": {"x": "y"}}).status_code == 422  # a mistake is not a beginning
        statuses = [http.post(NEW, json={"trial": True}).status_code for _ in range(limit)]
        late = http.post(NEW, json={})
    assert set(statuses) == {201}
    is_problem(late, 429, "too_many")
    assert 1 <= int(late.headers["retry-after"]) <= 3_600
    with TestClient(app, client=("203.0.113.8", 1)) as http:
        assert http.post(NEW).status_code == 201


def test_what_could_not_be_saved_says_send_it_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = caller.begin()

    def full(*_: object) -> None:
        raise Unavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(turn, "_apply", full)
        answer = shop.choose("optique", key="again")
        is_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "5"
    assert shop.get().json()["answers"] == {}
    assert shop.choose("optique", key="again").json()["outcome"] == "taken"


def test_a_fault_of_ours_is_calm_and_its_log_tells_no_secret(
    caller: Caller, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = caller.begin()

    def broken(*_: object) -> None:
        raise RuntimeError(f"optique {shop.token}")

    monkeypatch.setattr(turn, "_apply", broken)
    with structlog.testing.capture_logs() as logs:
        is_problem(shop.choose("optique"), 500, "fault")
    assert [line["event"] for line in logs] == ["fault"]
    assert logs[0]["fault"] == "RuntimeError"
    said = json.dumps(logs)
    assert all(secret not in said for secret in (shop.token, shop.id, "optique"))


@pytest.mark.databases("sqlite", because="reads the files of the database")
def test_a_token_is_only_kept_as_a_keyed_hash(caller: Caller, house: House) -> None:
    shop = caller.begin()
    shop.choose()
    assert len(shop.token) >= 32
    files = [file.read_bytes() for file in house.settings.storage.data_dir.rglob("*") if file.is_file()]
    assert files
    assert all(shop.token.encode() not in content for content in files)


def test_every_problem_has_its_sentence_and_its_status() -> None:
    for code, (status, title, sentence) in SAID.items():
        assert 400 <= status < 600, code
        assert title, code
        assert sentence.endswith("."), code


def test_a_token_answers_until_ninety_days_of_silence(caller: Caller, clock: Any) -> None:
    shop = caller.begin()
    clock.forward(days=80)
    shop.command("why")
    clock.forward(days=80)
    assert shop.get().status_code == 200
    clock.forward(days=11)
    assert shop.get().status_code == 404
