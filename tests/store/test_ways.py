"""The ways back in: a token for 90 days from its last use, or a code to type within 15 minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from store import codes, ways
from store.codes import ALPHABET, Refusal, read_code

DAY = timedelta(days=1)


@pytest.fixture
def world(store: Any, begin: Any) -> Any:
    return store, begin(store).id


def _find(store: Any, token: str, today: Any) -> Any:
    found = store.db.write(lambda tx: ways.find(tx, store.keyring, token, today))
    return found and found.conversation


def _opens(store: Any, token: str, today: Any) -> bool:
    return store.db.read(lambda tx: ways.look_up(tx, store.keyring, token, today)) is not None


def _issue(store: Any, conversation: str, today: Any, kind: Any = "link", **how: Any) -> str:
    return store.db.write(lambda tx: ways.issue(tx, store.keyring, conversation, kind, today, **how))  # type: ignore[no-any-return]


def test_a_token_opens_its_conversation_and_is_nowhere_in_the_database(world: Any, place: Any, today: Any) -> None:
    store, conversation = world
    token = _issue(store, conversation, today)
    assert len(token) >= 22
    assert _find(store, token, today) == conversation
    assert token.encode() not in place.everything()


@pytest.mark.parametrize("token", ["", "x", "é" * 500, "\x00", "\ud800", "a" * 32])
def test_a_token_never_given_opens_nothing(world: Any, today: Any, token: str) -> None:
    store, _ = world
    assert _find(store, token, today) is None


def test_each_use_gives_ninety_more_days(world: Any, today: Any) -> None:
    store, conversation = world
    token = _issue(store, conversation, today)
    assert _find(store, token, today + 90 * DAY) == conversation
    assert _find(store, token, today + 180 * DAY) == conversation
    assert _find(store, token, today + 271 * DAY) is None


def test_looking_without_using_does_not_prolong_and_needs_no_writing(world: Any, today: Any) -> None:
    store, conversation = world
    token = _issue(store, conversation, today)
    look = store.db.read(lambda tx: ways.look_up(tx, store.keyring, token, today + 60 * DAY))
    assert look == ways.Way(conversation, today)
    assert _find(store, token, today + 91 * DAY) is None


def test_a_way_stays_open_past_the_last_milestone(world: Any, today: Any) -> None:
    store, conversation = world
    first = _issue(store, conversation, today, until=today + 200 * DAY)
    second = _issue(store, conversation, today)
    store.db.write(lambda tx: ways.extend(tx, conversation, today + 150 * DAY))
    _find(store, first, today + DAY)  # a use never shortens
    assert _opens(store, second, today + 150 * DAY)
    assert _opens(store, first, today + 200 * DAY)
    assert _find(store, first, today + 201 * DAY) is None
    assert store.db.write(lambda tx: ways.forget(tx, today + 151 * DAY)) == 1


def test_a_lost_device_is_shut_out_and_the_others_are_not(world: Any, today: Any) -> None:
    store, conversation = world
    lost, kept, link = (_issue(store, conversation, today, kind) for kind in ("device", "device", "link"))
    assert store.db.write(lambda tx: ways.revoke(tx, store.keyring, lost))
    assert [_find(store, token, today) for token in (lost, kept, link)] == [None, conversation, conversation]
    assert store.db.write(lambda tx: ways.revoke_all(tx, conversation, "device")) == 1
    assert _find(store, link, today) == conversation
    assert store.db.write(lambda tx: ways.revoke_all(tx, conversation)) == 1


def _code(store: Any, conversation: str, noon: Any) -> str:
    return store.db.write(lambda tx: codes.issue_code(tx, store.keyring, conversation, noon))  # type: ignore[no-any-return]


def _redeem(store: Any, typed: str, now: Any) -> Any:
    return store.db.write(lambda tx: codes.redeem(tx, store.keyring, typed, now))


def _wrong(code: str) -> str:
    return code[:-1] + next(sign for sign in ALPHABET if sign != code[-1])


def test_a_code_is_read_however_it_is_typed_and_works_once(world: Any, noon: Any) -> None:
    store, conversation = world
    code = _code(store, conversation, noon)
    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    assert not set("0O1ILU") & set(ALPHABET)
    typed = f" {code[:4].lower()} – {code[4:]}.\u00a0"
    assert _redeem(store, typed, noon) == conversation
    assert _redeem(store, code, noon) == Refusal("unknown")


@pytest.mark.parametrize("typed", ["", "ABC", "ABCDEFGHJ", "O0O0O0O0", "é" * 8, "²" * 8, "\x00" * 8, "A" * 10_000])
def test_what_cannot_be_a_code_is_unknown(world: Any, noon: Any, typed: str) -> None:
    store, _ = world
    assert read_code(typed) is None
    assert _redeem(store, typed, noon) == Refusal("unknown")


def test_five_wrong_tries_close_a_code_even_to_the_right_one(world: Any, noon: Any) -> None:
    store, conversation = world
    code = _code(store, conversation, noon)
    answers = [_redeem(store, _wrong(code), noon) for _ in range(5)]
    assert answers == [*(Refusal("wrong", left) for left in (4, 3, 2, 1)), Refusal("exhausted")]
    assert _redeem(store, code, noon) == Refusal("exhausted")


def test_four_wrong_tries_leave_one(world: Any, noon: Any) -> None:
    store, conversation = world
    code = _code(store, conversation, noon)
    for _ in range(4):
        _redeem(store, _wrong(code), noon)
    assert _redeem(store, code, noon) == conversation


def test_a_code_lasts_fifteen_minutes(world: Any, noon: Any) -> None:
    store, conversation = world
    code = _code(store, conversation, noon)
    assert _redeem(store, code, noon + timedelta(minutes=15)) == Refusal("expired")
    assert store.db.write(lambda tx: codes.forget(tx, noon + timedelta(minutes=15))) == 1
    code = _code(store, conversation, noon)
    assert _redeem(store, code, noon + timedelta(minutes=14, seconds=59)) == conversation


def test_a_new_code_replaces_the_one_before(world: Any, noon: Any) -> None:
    store, conversation = world
    first, second = _code(store, conversation, noon), _code(store, conversation, noon)
    assert isinstance(_redeem(store, first, noon), Refusal)
    assert _redeem(store, second, noon) == conversation


def test_live_codes_never_share_what_finds_them(store: Any, begin: Any, noon: Any, monkeypatch: Any) -> None:
    draws = iter("AAABBBBB" + "AAACCCCC" + "DDDCCCCC")
    monkeypatch.setattr("store.codes.secrets.choice", lambda _: next(draws))
    assert [_code(store, begin(store).id, noon) for _ in range(2)] == ["AAABBBBB", "DDDCCCCC"]


def test_a_token_drawn_again_by_its_caller_opens_the_same_way(world: Any, today: Any) -> None:
    store, conversation = world
    assert _issue(store, conversation, today, token="drawn" * 8) == "drawn" * 8
    assert _find(store, "drawn" * 8, today) == conversation


def test_a_mailed_way_opens_nothing_to_who_does_not_ask_for_it(world: Any, today: Any) -> None:
    store, conversation = world
    token = _issue(store, conversation, today, "mail")
    assert not _opens(store, token, today)
    assert _find(store, token, today) is None
    for kind in (None, "device", "link", "api", "telegram", "mail"):
        assert store.db.read(lambda tx, k=kind: ways.look_up(tx, store.keyring, token, today, k)) is None
    found = store.db.read(lambda tx: ways.look_up(tx, store.keyring, token, today, limited=True))
    assert found == ways.Way(conversation, today, limited=True)
    whole = _issue(store, conversation, today)
    assert store.db.read(lambda tx: ways.look_up(tx, store.keyring, whole, today, limited=True)) == ways.Way(
        conversation, today
    )


def test_a_mailed_way_ends_ninety_days_after_its_last_use_whatever_is_to_come(world: Any, today: Any) -> None:
    store, conversation = world
    token = _issue(store, conversation, today, "mail")
    store.db.write(lambda tx: ways.extend(tx, conversation, today + 365 * DAY))
    for later, opens in ((90 * DAY, True), (91 * DAY, False)):
        found = store.db.read(lambda tx, day=today + later: ways.look_up(tx, store.keyring, token, day, limited=True))
        assert (found is not None) == opens
