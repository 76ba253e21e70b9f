"""A client of the API in tests: in memory, with its token, a new key for each event unless one is given."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bot.app import create_app
from bot.house import House

_keys = itertools.count()


@dataclass
class Caller:
    """An app that carries the Autodiag."""

    http: TestClient
    id: str = ""
    token: str = ""
    turn: dict[str, Any] = field(default_factory=dict)

    def begin(self, **given: Any) -> Caller:
        """A caller with a conversation begun."""
        begun = self.http.post("/api/v1/conversations", json=given)
        assert begun.status_code == 201, begun.text
        return Caller(self.http, **begun.json())

    @property
    def at(self) -> str:
        return f"/api/v1/conversations/{self.id}"

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}

    def send(self, event: dict[str, Any], *, key: str = "") -> httpx.Response:
        """Send one event; the turn is remembered."""
        headers = self.headers(**{"Idempotency-Key": key or f"k{next(_keys)}"})
        answer: httpx.Response = self.http.post(f"{self.at}/events", json=event, headers=headers)
        if isinstance(found := answer.json().get("turn"), dict):
            self.turn = found
        return answer

    def choose(self, choice: str = "", **how: Any) -> httpx.Response:
        """Answer the question asked, by its first choice or by this one."""
        asked = self.turn["question"]
        chosen = choice or asked["choices"][0]["id"]
        event = {"type": "choice", "node": asked["node"], "choice": chosen, "revision": self.turn["revision"]}
        return self.send(event, **how)

    def command(self, name: str, **said: Any) -> httpx.Response:
        return self.send({"type": "command", "name": name, **said})

    def get(self, what: str = "") -> httpx.Response:
        answer: httpx.Response = self.http.get(f"{self.at}{what}", headers=self.headers())
        return answer

    def to_result(self, choice: str = "") -> Caller:
        """Answer until nothing is asked."""
        while self.turn["question"]:
            assert self.choose(choice).status_code == 200
        return self


@pytest.fixture
def app(house: House) -> ASGIApp:
    return create_app(house)


@pytest.fixture
def caller(app: ASGIApp) -> Iterator[Caller]:
    with TestClient(app, client=("127.0.0.1", 4242), raise_server_exceptions=False) as http:
        yield Caller(http)


@pytest.fixture
def unhurried(house: House) -> House:
    """A house where one address may begin as many conversations as it likes."""
    server = house.settings.server.model_copy(update={"conversations_per_hour": 100_000})
    return replace(house, settings=house.settings.model_copy(update={"server": server}))


@pytest.fixture
def anyone(unhurried: House) -> Iterator[Caller]:
    """A caller whom nobody throttles."""
    with TestClient(create_app(unhurried), raise_server_exceptions=False) as http:
        yield Caller(http)
