"""Coming in: an invitation, a passkey, a sign-in, and everything that must not let anyone in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from httpx import Response
from starlette.testclient import TestClient

from access import accounts, invitations
from bot.house import House
from tests.access.authenticator import Authenticator, text
from tests.access.conftest import Guest, invited, made
from tests.conftest import Clock

pytestmark = pytest.mark.databases("sqlite", because="most of this is not about rows; what is says so")
BOTH = pytest.mark.databases("sqlite", "postgresql", because="it is about rows and who writes first")
Browser = Callable[[], TestClient]
Guests = Callable[..., Guest]


@BOTH
def test_an_invitation_lets_in_the_one_who_makes_a_passkey(house: House, browser_of: Browser) -> None:
    guest, link = Guest(browser_of()), invited(house, made(house))
    assert "Bonjour Alix Durand" in guest.client.get(link).text
    answer = guest.make(link)
    assert answer.json() == {"next": "/espace/cles"}
    assert "Bonjour Alix Durand" in guest.client.get("/espace").text


def test_opening_an_invitation_uses_nothing_up(house: House, browser_of: Browser) -> None:
    scanner, guest, link = browser_of(), Guest(browser_of()), invited(house, made(house))
    for _ in range(3):
        scanner.get(link)
        scanner.post(f"{link}/defi", json={})
    assert guest.make(link).status_code == 200


@BOTH
def test_an_invitation_serves_once(house: House, browser_of: Browser) -> None:
    link = invited(house, made(house))
    assert Guest(browser_of()).make(link).status_code == 200
    second = Guest(browser_of())
    page = second.client.get(link)
    assert page.status_code == 410
    assert "a déjà servi" in page.text
    assert second.post(f"{link}/defi", {}).json()["code"] == "invitation_used"


@BOTH
def test_of_two_tabs_the_first_wins_and_the_second_is_told(house: House, browser_of: Browser) -> None:
    guest, link = Guest(browser_of()), invited(house, made(house))
    other = Authenticator()
    first, second = guest.options(link), guest.options(link)
    assert guest.post(f"{link}/preuve", {"credential": guest.phone.make(first)}).status_code == 200
    late = guest.post(f"{link}/preuve", {"credential": other.make(second)})
    assert (late.status_code, late.json()["code"]) == (410, "invitation_used")
    assert guest.enter(other).json()["code"] == "unknown_key"


@pytest.mark.parametrize(("days", "opens"), [(6.99, True), (7, False)])
def test_an_invitation_lasts_seven_days(
    house: House, browser_of: Browser, clock: Clock, days: float, opens: bool
) -> None:
    guest, link = Guest(browser_of()), invited(house, made(house))
    clock.forward(days=days)
    page = guest.client.get(link)
    assert page.status_code == (200 if opens else 410)
    assert ("plus de 7 jours" in page.text) is not opens


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 200, "%00", "é" * 32])
def test_an_invented_invitation_is_a_calm_page(browser_of: Browser, token: str) -> None:
    page = browser_of().get(f"/invitation/{token}")
    assert page.status_code == 404
    assert "Traceback" not in page.text


def test_a_newer_invitation_replaces_the_older(house: House, browser_of: Browser) -> None:
    account = made(house)
    older, newer = invited(house, account), invited(house, account)
    assert browser_of().get(older).status_code == 404
    assert browser_of().get(newer).status_code == 200


def test_going_out_and_coming_back(guest: Guests) -> None:
    someone = guest()
    page = someone.client.post("/sortir", data={"id": "x" * 24})
    assert page.headers["location"] == "/entrer?dit=sorti"
    assert someone.client.get("/espace").headers["location"] == "/entrer?suite=/espace"
    assert someone.enter(onward="/espace/cles").json() == {"next": "/espace/cles"}
    assert someone.client.get("/espace").status_code == 200


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/espace/../x", "/autodiag", 7, None])
def test_nobody_is_sent_out_of_the_spaces(guest: Guests, onward: str) -> None:
    assert guest().enter(onward=onward).json() == {"next": "/espace"}


@BOTH
def test_a_proof_serves_once(guest: Guests, browser_of: Browser) -> None:
    someone = guest()
    proof = {"credential": someone.phone.show(someone.options("/entrer"))}
    assert someone.post("/entrer/preuve", proof).status_code == 200
    again = someone.post("/entrer/preuve", proof)
    assert (again.status_code, again.json()["code"]) == (409, "challenge_used")
    stolen = Guest(browser_of()).post("/entrer/preuve", proof)
    assert (stolen.status_code, stolen.json()["code"]) == (403, "challenge_foreign")


def test_a_challenge_is_for_one_browser_and_one_purpose(house: House, guest: Guests, browser_of: Browser) -> None:
    someone, other = guest(), Guest(browser_of())
    other.options("/entrer")
    shown = someone.phone.show(other.options("/entrer"))
    assert someone.post("/entrer/preuve", {"credential": shown}).json()["code"] == "challenge_foreign"
    link = invited(house, made(house, name="Bob"))
    for asked in ("/entrer", "/espace/cles"):
        told = {"challenge": someone.options(asked)["challenge"], "user": {"id": "eA"}}
        proof = {"credential": Authenticator().make(told)}
        assert someone.post(f"{link}/preuve", proof).json()["code"] == "challenge_foreign"


def test_a_challenge_lives_five_minutes_of_our_own_clock(guest: Guests, clock: Clock) -> None:
    someone = guest()
    options = someone.options("/entrer")
    clock.forward(minutes=4.9)
    assert someone.post("/entrer/preuve", {"credential": someone.phone.show(options)}).status_code == 200
    options = someone.options("/entrer")
    clock.forward(minutes=5)
    late = someone.post("/entrer/preuve", {"credential": someone.phone.show(options)})
    assert (late.status_code, late.json()["code"]) == (409, "challenge_expired")


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"origin": "https://autodiag.example.evil"}, "wrong_origin"),
        ({"host": "evil.example"}, "unreadable"),
        ({"verifies": False}, "unverified"),
    ],
)
def test_a_device_that_answers_for_another_site_or_asked_nobody(
    house: House, browser_of: Browser, guest: Guests, lie: dict[str, object], code: str
) -> None:
    link = invited(house, made(house, name="Bob"))
    liar = Guest(browser_of(), Authenticator(**lie))  # type: ignore[arg-type]
    assert liar.make(link).json()["code"] == code
    assert browser_of().get(link).status_code == 200, "the invitation still opens"
    someone = guest()
    for name, value in lie.items():
        setattr(someone.phone, name, value)
    assert someone.enter().json()["code"] == code


def test_a_signature_of_another_key_is_refused(guest: Guests) -> None:
    someone = guest()
    forger = Authenticator(id=someone.phone.id, user=someone.phone.user)
    assert someone.enter(forger).json()["code"] == "unreadable"


def test_a_passkey_said_to_be_another_persons_is_refused(guest: Guests) -> None:
    someone, other = guest(), guest(name="Bob")
    someone.phone.user = other.phone.user
    assert someone.enter().json()["code"] == "unknown_key"


@BOTH
def test_a_passkey_that_counts_must_go_up_or_is_blocked(guest: Guests, browser_of: Browser, clock: Clock) -> None:
    someone = guest()
    second = Authenticator(counts=True)
    assert someone.make("/espace/cles", second).status_code == 200
    for _ in range(2):
        assert someone.enter(second).status_code == 200
    thief = Guest(browser_of(), Authenticator(counts=True, id=second.id, key=second.key, user=second.user, count=1))
    answer = thief.enter()
    assert (answer.status_code, answer.json()["code"]) == (403, "copied_key")
    assert someone.client.get("/espace").status_code == 303, "the sign-in of that passkey ended"
    assert someone.enter(second).json()["code"] == "blocked_key"
    assert someone.enter().status_code == 200, "the other passkey still opens"
    assert "peut-être été copiée" in someone.client.get("/espace/cles").text


@BOTH
def test_a_lost_device_is_shut_out_as_soon_as_the_new_link_is_made(house: House, guest: Guests) -> None:
    someone = guest()
    account, lost = someone.account, someone.phone
    assert account
    keyring, now = house.store.keyring, house.now()
    token = house.store.db.write(lambda tx: invitations.recover(tx, keyring, account.id, now))
    assert someone.client.get("/espace").headers["location"].startswith("/entrer?dit=fini")
    assert someone.enter(lost).json()["code"] == "unknown_key"
    assert "anciennes clés" in someone.client.get(f"/invitation/{token}").text
    someone.phone = Authenticator()
    assert someone.make(f"/invitation/{token}").status_code == 200
    assert someone.client.get("/espace").status_code == 200


@BOTH
def test_an_account_revoked_is_out_by_the_next_page(house: House, guest: Guests) -> None:
    someone = guest()
    account = someone.account
    assert account
    link = invited(house, account)
    assert house.store.db.write(lambda tx: accounts.revoke(tx, account.id, house.today()))
    assert not house.store.db.write(lambda tx: accounts.revoke(tx, account.id, house.today()))
    assert someone.client.get("/espace").status_code == 303
    assert someone.client.get(link).status_code == 404
    assert someone.enter().json()["code"] == "unknown_key"


@pytest.mark.parametrize(("steps", "still"), [((29.9,), True), ((30,), False), ((20,) * 23, True), ((20,) * 24, False)])
def test_a_sign_in_ends_by_itself(guest: Guests, clock: Clock, steps: tuple[float, ...], still: bool) -> None:
    someone = guest()
    page = None
    for minutes in steps:
        clock.forward(minutes=minutes)
        page = someone.client.get("/espace")
    assert page
    assert page.status_code == (200 if still else 303)
    if not still:
        assert page.headers["location"] == "/entrer?dit=fini&suite=/espace"
        assert "8 heures au plus" in someone.client.get("/entrer?dit=fini").text


def test_a_form_sent_too_late_says_that_nothing_was_saved(guest: Guests, clock: Clock) -> None:
    someone = guest()
    clock.forward(hours=9)
    page = someone.client.post("/espace/cles", data={"id": "x" * 24, "faire": "partout"})
    assert page.status_code == 403
    assert "n'a pas été enregistré" in page.text
    again = someone.post("/espace/cles/defi", {})
    assert (again.status_code, again.json()["code"]) == (403, "ended")


def keys_of(someone: Guest) -> list[str]:
    """The passkeys that the page lets remove."""
    page = someone.client.get("/espace/cles").text
    return [part.split('"')[0] for part in page.split('name="cle" value="')[1:]]


def removed(someone: Guest, key: str) -> Response:
    data = {"id": "x" * 24, "faire": "retirer", "cle": key}
    answer: Response = someone.client.post("/espace/cles", data=data)
    return answer


@BOTH
def test_two_passkeys_at_most_and_never_none(guest: Guests) -> None:
    someone, second = guest(), Authenticator()
    assert "Une seconde clé" in someone.client.get("/espace/cles").text
    assert not keys_of(someone), "the only one can't be removed"
    assert someone.make("/espace/cles", second).status_code == 200
    assert someone.post("/espace/cles/defi", {}).json()["code"] == "enough_keys"
    shown, other = keys_of(someone)
    assert removed(someone, shown).headers["location"] == "/entrer?dit=sorti"
    assert someone.client.get("/espace").status_code == 303, "what that passkey opened ended with it"
    assert someone.enter().json()["code"] == "unknown_key"
    assert someone.enter(second).status_code == 200
    last = removed(someone, other)
    assert last.status_code == 409
    assert "votre seule clé" in last.text
    assert someone.enter(second).status_code == 200


def test_a_passkey_of_somebody_else_is_not_mine_to_remove(guest: Guests) -> None:
    someone, other = guest(), guest(name="Bob")
    other.make("/espace/cles", Authenticator())
    for key in (*keys_of(other), "", "00", "z" * 64, "0" * 64):
        assert removed(someone, key).status_code == 404
    assert len(keys_of(other)) == 2


def test_a_device_that_has_a_passkey_is_told_not_to_make_another(guest: Guests) -> None:
    someone = guest()
    [known] = someone.options("/espace/cles")["excludeCredentials"]
    assert known["id"] == text(someone.phone.id)
    assert someone.make("/espace/cles").json()["code"] == "known_key"


def test_changing_passkeys_asks_for_one_again_after_ten_minutes(guest: Guests, clock: Clock) -> None:
    someone = guest()
    clock.forward(minutes=10)
    assert "montrez d'abord" in someone.client.get("/espace/cles").text
    assert someone.post("/espace/cles/defi", {}).json()["code"] == "prove_again"
    assert someone.enter().status_code == 200
    assert someone.make("/espace/cles", Authenticator()).status_code == 200


@BOTH
def test_signing_out_everywhere(guest: Guests, browser_of: Browser) -> None:
    someone = guest()
    elsewhere = Guest(browser_of(), someone.phone)
    elsewhere.enter()
    page = someone.client.post("/espace/cles", data={"id": "x" * 24, "faire": "partout"})
    assert page.headers["location"] == "/entrer?dit=partout"
    assert elsewhere.client.get("/espace").status_code == 303
    assert someone.client.get("/espace").status_code == 303
