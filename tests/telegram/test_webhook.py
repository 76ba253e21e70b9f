"""POST /telegram as anybody on the Internet can call it, and as Telegram does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.app import create_app
from bot.content import Content
from bot.house import House, open_house
from bot.settings import Settings
from bot.telegram.door import door_of
from bot.telegram.webhook import LARGEST
from store.engine import Unavailable
from tests.telegram.fake import SECRET, FakeTelegram
from tests.telegram.talk import CHAT, at_telegram, talking

pytestmark = pytest.mark.databases("sqlite", because="the webhook's answers do not depend on the database")
HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
def house(settings: Settings, content: Content) -> Any:
    opened = open_house(at_telegram(settings, "http://127.0.0.1:9", "webhook"), content=content)
    yield opened
    opened.store.close()


def rows(house: House) -> int:
    tables = ("conversations", "inbox", "outbox", "ways", "chats", "facts")
    counts = " + ".join(f"(select count(*) from {table})" for table in tables)
    return int(house.store.db.read(lambda tx: tx.exec_driver_sql(f"select {counts}").scalar_one()))


def post(house: House, body: bytes, secret: str | None = SECRET) -> tuple[int, str]:
    headers = {} if secret is None else {HEADER: secret}
    answer = TestClient(create_app(house)).post("/telegram", content=body, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é" * 20])
def test_without_the_secret_nothing_is_read_and_nothing_written(
    house: House, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("the body was read before the secret"))
    body = b'{"update_id": 1, "message": {}}'
    headers = {} if secret is None else {HEADER.encode(): secret.encode()}
    answer = TestClient(create_app(house)).post("/telegram", content=body, headers=headers)
    assert answer.status_code == 401
    assert rows(house) == 0


def test_the_secret_is_compared_in_constant_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("bot.telegram.webhook.hmac.compare_digest", compare)
    assert post(house, b"{}", "wrong")[0] == 401
    assert compared == [(b"wrong", SECRET.encode())]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"update_id": true}', 400),
        (b'{"update_id": "1"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b" " * (LARGEST + 1), 413),
        (b'{"update_id": 1}', 200),
        (b'{"update_id": 1, "message": "hello"}', 200),
        (b'{"update_id": 1, "message": {"message_id": "x"}}', 200),
        (b'{"update_id": 1, "new_thing_of_2027": {}}', 200),
    ],
)
def test_bad_bodies_get_a_sentence_and_write_nothing(house: House, body: bytes, status: int) -> None:
    got, said = post(house, body)
    assert got == status
    assert said
    assert rows(house) == 0


def test_the_turn_is_committed_before_the_answer(house: House) -> None:
    update = FakeTelegram().says(CHAT, "/start")
    assert post(house, json.dumps(update).encode())[0] == 200
    assert rows(house) == 6  # a conversation, its way, its chat, the update, the answer to send, the reminder's timer


def test_what_could_not_be_saved_comes_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise Unavailable("disque plein")

    body = json.dumps(FakeTelegram().says(CHAT, "/start")).encode()
    with monkeypatch.context() as broken:
        broken.setattr(house.store.db, "submit", full)
        assert post(house, body)[0] == 503
    house.doors.clear()
    assert post(house, body)[0] == 200
    assert rows(house) == 6


def test_redelivered_until_it_is_taken(settings: Settings, content: Content) -> None:
    async def story() -> None:
        async with talking(settings, content, "webhook") as talk:
            await talk.says("/start")
            submit, left = talk.house.store.db.submit, [3]

            async def failing(work: Any) -> Any:
                if left[0]:
                    left[0] -= 1
                    raise Unavailable("occupée")
                return await submit(work)

            talk.house.store.db.submit = failing  # type: ignore[method-assign]
            await talk.presses("Optique-lunetterie")
            assert talk.telegram.redeliveries >= 1

    asyncio.run(asyncio.wait_for(story(), 20))


def test_without_a_token_the_door_is_not_there(settings: Settings, content: Content) -> None:
    house = open_house(settings, content=content)
    try:
        assert not settings.telegram.on
        assert post(house, b"{}")[0] in (404, 405)
    finally:
        house.store.close()


def test_by_polling_there_is_no_webhook(settings: Settings, content: Content) -> None:
    house = open_house(at_telegram(settings, "http://127.0.0.1:9", "poll"), content=content)
    try:
        assert post(house, b"{}")[0] in (404, 405)
        assert door_of(house).name == ""
    finally:
        house.store.close()
