"""The smallest world of access: people of each role, their devices, and pages asked for by script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from access import accounts, invitations
from access.accounts import Account, Person, Role
from bot.house import House
from bot.web.app import create_app
from tests.access.authenticator import Authenticator
from tests.web.conftest import client_of

BRANCH = "optique"


@dataclass
class Guest:
    """Somebody with a browser and a phone that keeps passkeys."""

    client: TestClient
    phone: Authenticator = field(default_factory=Authenticator)
    account: Account | None = None

    def post(self, path: str, sent: object) -> Response:
        answer: Response = self.client.post(path, json=sent)
        return answer

    def options(self, asked: str) -> dict[str, Any]:
        """What the page asks the device."""
        answer = self.post(f"{asked}/defi", {})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["options"]
        return found

    def make(self, asked: str, phone: Authenticator | None = None) -> Response:
        """Make a passkey, for an invitation or as a second one."""
        return self.post(f"{asked}/preuve", {"credential": (phone or self.phone).make(self.options(asked))})

    def enter(self, phone: Authenticator | None = None, onward: str = "") -> Response:
        """Show the passkey at the door."""
        shown = (phone or self.phone).show(self.options("/entrer"))
        return self.post("/entrer/preuve", {"credential": shown, "onward": onward})


def made(house: House, role: Role = "consultant", name: str = "Alix Durand", **more: str) -> Account:
    """An account that nobody has entered yet."""
    branch = more.pop("branch", BRANCH) if role == "federation" else None
    person = Person(name, more.get("email", "alix@exemple.fr"), more.get("firm", "Cabinet Exemple"))
    return house.store.db.write(
        lambda tx: accounts.create(tx, house.store.keyring, role, person, house.today(), branch=branch)
    )


def invited(house: House, account: Account) -> str:
    """The address of an invitation for this account."""
    token = house.store.db.write(lambda tx: invitations.invite(tx, house.store.keyring, account.id, house.now()))
    return f"/invitation/{token}"


@pytest.fixture
def browser_of(house: House) -> Callable[[], TestClient]:
    """Makes browsers, each with its own cookies, that follow no redirect by themselves."""
    app = create_app(house)

    def new() -> TestClient:
        client = client_of(app)
        client.follow_redirects = False
        return client

    return new


@pytest.fixture
def guest(house: House, browser_of: Callable[[], TestClient]) -> Callable[..., Guest]:
    """Makes somebody of a role, signed in."""

    def new(role: Role = "consultant", name: str = "Alix Durand", **more: str) -> Guest:
        someone = Guest(browser_of(), account=made(house, role, name, **more))
        assert someone.account
        assert someone.make(invited(house, someone.account)).status_code == 200
        return someone

    return new
