"""What strangers send to the door of the spaces, and what may be read of it afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from access import ceremony, challenges, entry
from access import sign_ins as room
from access.accounts import Role
from access.refused import Refused
from access.site import NoPasskeysHere, Site, site_of
from access.tables import passkeys
from bot.house import House
from bot.rooms import TABLES
from bot.web.app import create_app
from tests.access.authenticator import Authenticator, text
from tests.access.conftest import Guest, invited, made
from tests.conftest import Clock
from tests.web.conftest import client_of, with_server

pytestmark = pytest.mark.databases("sqlite", because="most of this is not about rows; what is says so")
Browser = Callable[[], TestClient]
Guests = Callable[..., Guest]
SITE = Site("http://localhost:8000", "localhost", "Essai")
ADDRESSES = ("/entrer/defi", "/entrer/preuve", "/espace/cles/defi", "/espace/cles/preuve")


NOT_OURS: tuple[tuple[dict[str, str], bytes, int], ...] = (
    ({"origin": "https://evil.example"}, b"{}", 403),
    ({"origin": "null"}, b"{}", 403),
    ({"sec-fetch-site": "cross-site"}, b"{}", 403),
    ({"content-type": "text/plain"}, b"{}", 415),
    ({"content-type": "application/x-www-form-urlencoded"}, b"a=b", 415),
    ({}, b"", 400),
    ({}, b"[]", 400),
    ({}, b"{", 400),
    ({}, b"\xff", 400),
    ({}, b"[" * 10_000, 400),
    ({}, b"x" * 20_000, 413),
)


def test_what_is_not_ours_or_not_whole_is_refused(house: House, guest: Guests) -> None:
    someone = guest()
    link = invited(house, made(house, name="Bob"))
    before = everything(house)
    for address in (*ADDRESSES, f"{link}/defi", f"{link}/preuve"):
        for headers, body, status in NOT_OURS:
            sent = {"content-type": "application/json", **headers}
            answer = someone.client.post(address, content=body, headers=sent)
            assert answer.status_code == status, (address, headers, body[:20])
            assert status == 413 or answer.json()["phrase"].endswith(".")
        if address.endswith("preuve"):
            for credential in (None, {}, [1], {"response": None}, {"response": {"clientDataJSON": "e30"}}):
                assert someone.client.post(address, json={"credential": credential}).status_code == 400
    assert everything(house) == before


def a_challenge(house: House) -> bytes:
    return challenges.draw(house.store.keyring, "whatever", house.now())


def everything(house: House) -> list[Any]:
    return house.store.db.read(lambda tx: [tx.execute(select(table)).all() for table in TABLES.sorted_tables])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=40).map(text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
told = st.fixed_dictionaries(
    {},
    optional={
        "type": values | st.just("webauthn.get"),
        "challenge": values,
        "origin": values | st.just(SITE.origin),
        "crossOrigin": values,
        "tokenBinding": values,
    },
).map(lambda said: text(json.dumps(said).encode()))
responses = st.fixed_dictionaries(
    {},
    optional={
        "clientDataJSON": values | told,
        "attestationObject": values,
        "authenticatorData": values,
        "signature": values,
        "userHandle": values,
        "transports": values,
    },
)
credentials = st.fixed_dictionaries(
    {},
    optional={
        "id": values,
        "rawId": values,
        "type": values | st.just("public-key"),
        "response": responses | values,
        "authenticatorAttachment": values,
    },
)


def registered(credential: dict[str, Any]) -> ceremony.Made:
    return ceremony.made(SITE, ceremony.read(SITE, credential))


def proved(credential: dict[str, Any], public_key: bytes) -> int:
    return ceremony.shown(SITE, ceremony.read(SITE, credential), public_key)


@given(credentials)
def test_whatever_a_device_answers_is_a_refusal_or_a_proof(credential: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        registered(credential)
    with pytest.raises(Refused):
        proved(credential, b"no public key")


@given(st.sampled_from(["authenticatorData", "signature", "clientDataJSON"]), st.integers(0, 999), st.integers(1, 63))
def test_one_sign_changed_in_a_true_answer_is_refused(part: str, where: int, shift: int) -> None:
    device, options = Authenticator(), {"challenge": text(b"c" * 56), "user": {"id": "eA"}}
    made_one, true = registered(device.make(options)), device.show(options)
    assert proved(true, made_one.public_key) == 0
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    written = true["response"][part]
    place = where % (len(written) - 1)
    other = signs[(signs.index(written[place]) + shift) % len(signs)]
    true["response"][part] = written[:place] + other + written[place + 1 :]
    with pytest.raises(Refused):
        proved(true, made_one.public_key)


@pytest.mark.databases("sqlite", "postgresql", because="it is about who writes first")
def test_of_many_at_once_one_uses_the_invitation(house: House) -> None:
    account, keyring = made(house), house.store.keyring
    token = invited(house, account).removeprefix("/invitation/")
    gate, outcomes = threading.Barrier(6), []

    def join(place: int) -> None:
        new = ceremony.Made(bytes([place]) * 32, b"key", 0, "device")
        gate.wait()
        try:
            house.store.db.write(
                lambda tx: entry.joined(tx, keyring, token, new, "device", a_challenge(house), house.now())
            )
            outcomes.append("in")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=join, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["invitation_used"] * 5
    assert len(house.store.db.read(lambda tx: tx.execute(select(passkeys)).all())) == 1


@pytest.mark.databases("sqlite", "postgresql", because="it is about who writes first")
def test_of_many_at_once_a_person_keeps_two_passkeys(house: House, guest: Guests) -> None:
    someone, keyring = guest(), house.store.keyring
    token = someone.client.cookies["autodiag-espace"]
    who = house.store.db.read(lambda tx: room.look_up(tx, keyring, token, house.now()))
    assert who
    gate, outcomes = threading.Barrier(4), []

    def add(place: int) -> None:
        new = ceremony.Made(bytes([place]) * 32, b"key", 0, "device")
        gate.wait()
        try:
            house.store.db.write(lambda tx: entry.added(tx, keyring, who, new, "usb", a_challenge(house), house.now()))
            outcomes.append("added")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=add, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] + ["enough_keys"] * 3


def test_nothing_kept_or_logged_tells_a_name_or_opens_anything(house: House, browser_of: Browser) -> None:
    with capture_logs() as logged:
        someone = Guest(browser_of(), account=made(house, name="Alix Durand"))
        assert someone.account
        link = invited(house, someone.account)
        someone.client.get(link)
        someone.make(link)
        someone.enter()
        someone.client.get("/espace/cles")
    token = someone.client.cookies["autodiag-espace"]
    kept = repr(everything(house)) + repr(logged)
    for secret in ("Alix", "Durand", "exemple.fr", "Cabinet", link[-32:], token, repr(someone.phone.id)[2:-1]):
        assert secret not in kept


def test_the_cookie_is_locked(house: House) -> None:
    over = with_server(house, public_url="https://autodiag.example")
    client = client_of(create_app(over), "https://autodiag.example")
    phone = Authenticator("https://autodiag.example", "autodiag.example")
    someone = Guest(client, phone)
    answer = someone.make(invited(over, made(over)))
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-autodiag-espace=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Max-Age" not in cookie
    someone.options("/entrer")
    assert someone.enter().status_code == 200


def test_every_page_of_the_spaces_is_kept_by_no_one_and_runs_nothing_foreign(guest: Guests) -> None:
    someone = guest()
    for path in ("/espace", "/espace/cles", "/espace/rien", "/entrer", "/invitation/x"):
        page = someone.client.get(path)
        assert page.headers["cache-control"] == "no-store"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert " style=" not in page.text
        assert " onclick" not in page.text


@pytest.mark.parametrize("role", ["consultant", "federation", "operator"])
def test_a_name_is_shown_as_text(guest: Guests, role: Role) -> None:
    someone = guest(role, "<script>alert(1)</script> & « Alix »")
    page = someone.client.get("/espace").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://autodiag.example", "https://autodiag.example", "autodiag.example"),
        ("https://autodiag.example:443", "https://autodiag.example", "autodiag.example"),
        ("https://autodiag.example:8443", "https://autodiag.example:8443", "autodiag.example"),
        ("http://localhost:8000", "http://localhost:8000", "localhost"),
        ("https://fédération.example", "https://xn--fdration-b1ab.example", "xn--fdration-b1ab.example"),
    ],
)
def test_a_site_is_named_as_browsers_do(url: str, origin: str, host: str) -> None:
    assert site_of(url, "Essai") == Site(origin, host, "Essai")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://autodiag.example", "pas en https"),
        ("http://127.0.0.1:8000", "adresse IP"),
        ("https://192.168.1.2", "adresse IP"),
        ("https://[::1]:8000", "adresse IP"),
    ],
)
def test_an_address_where_no_passkey_can_be_made_says_why(house: House, url: str, said: str) -> None:
    with pytest.raises(NoPasskeysHere, match=said):
        site_of(url, "Essai")
    there = with_server(house, public_url=url)
    client = client_of(create_app(there), "http://localhost:8000")
    with capture_logs() as logged:
        page = client.get("/entrer")
    assert page.status_code == 503
    assert "pas encore ouvert" in page.text
    assert said in str(logged)


def test_what_ended_is_forgotten_by_itself(house: House, guest: Guests, clock: Clock) -> None:
    guest()
    clock.forward(days=40)
    house.store.db.write(lambda tx: entry.forget(tx, house.now()))
    left = {table.name for table, rows in zip(TABLES.sorted_tables, everything(house), strict=True) if rows}
    assert left & {"accounts", "passkeys", "sign_ins", "invitations", "spent_challenges"} == {"accounts", "passkeys"}
