"""What every answer carries, and what the first load weighs."""

from __future__ import annotations

import re

import pytest

from bot.house import House
from bot.web.app import create_app
from tests.web.conftest import client_of
from tests.web.visitor import Visitor

pytestmark = pytest.mark.databases("sqlite", because="headers do not depend on the database")
ALL = ("/", "/exemple", "/nulle-part", "/autodiag", "/healthz", "/tutoriels/wifi-separe", "/r/abc")


@pytest.mark.parametrize("path", ALL)
def test_every_answer_is_guarded(visitor: Visitor, path: str) -> None:
    headers = visitor.open(path).headers
    policy = headers["content-security-policy"]
    for rule in (
        "default-src 'none'",
        "script-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]


def test_no_page_needs_what_its_policy_forbids(visitor: Visitor) -> None:
    visitor.to_result()
    for path in (*ALL, "/mon-lien", "/vos-donnees", "/affiches/fiche-urgence", "/lexique"):
        page = visitor.open(path).text
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|https?://[^\"<> ]*\.(js|css|woff)", page), path


def test_personal_pages_are_not_kept_by_anyone(visitor: Visitor) -> None:
    visitor.answer()
    for path in ("/", "/autodiag", "/mon-lien", "/vos-donnees", "/vos-donnees.json", "/r/abc", "/code"):
        assert visitor.open(path).headers["cache-control"] == "no-store"


def test_the_cookie_is_locked(house: House) -> None:
    over_https = house.settings.server.model_copy(update={"public_url": "https://autodiag.example"})
    object.__setattr__(house, "settings", house.settings.model_copy(update={"server": over_https}))
    client = client_of(create_app(house), "https://autodiag.example")
    client.follow_redirects = False
    cookie = Visitor(client).answer().headers["set-cookie"]
    assert cookie.startswith("__Host-autodiag=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=7776000"):
        assert word in cookie
    assert "strict-transport-security" in client.get("/").headers


def test_the_first_load_weighs_little(visitor: Visitor) -> None:
    first = visitor.open("/")
    weight = int(first.headers["content-length"])
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', first.text):
        kept = visitor.open(path)
        assert "immutable" in kept.headers["cache-control"]
        weight += int(kept.headers["content-length"])
    assert weight <= 15_000


def test_one_answer_is_one_small_fragment(visitor: Visitor) -> None:
    form = visitor.choices()
    page = visitor.client.post(
        "/autodiag", data={**form.fields, "choice": form.buttons[0][1]}, headers={"x-requested-with": "fragment"}
    )
    assert page.status_code == 200
    assert page.text.lstrip().startswith("<main")
    assert int(page.headers["content-length"]) <= 3_000


def test_health(visitor: Visitor) -> None:
    assert visitor.open("/healthz").status_code == 200
    assert visitor.open("/readyz").status_code == 200
