"""The recovery phrase: four words, read with the mistakes people make, five tries, nothing kept that tells them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import phrases
from store.open import Store
from store.phrases import Refusal, Unread, draw, read_phrase

RIGHT = ("école", "médaille", "abeille", "zoologie")
WRONG = ("abeille", "école", "médaille", "zoologie")
LIST = tuple(phrases._list().values())


def hardened(store: Store, shop: Any, words: tuple[str, ...]) -> bytes:
    return phrases.harden(store.keyring, shop.id, words)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrases._COST, "n", 2)


def test_the_list_is_whole_and_four_letters_tell_its_words_apart() -> None:
    assert len(LIST) == len(set(LIST)) == 2048
    assert set(RIGHT) <= set(LIST)


@pytest.mark.parametrize(
    "typed",
    [
        "école médaille abeille zoologie",
        "ECOLE MEDAILLE ABEILLE ZOOLOGIE",
        "  ecole, medaille; abeille - zoologie. ",
        "1. école 2. médaille 3. abeille 4. zoologie",
        "e\u0301cole me\u0301daille abeille zoologie",
        "écolle médailles abeile zoologi",
    ],
)
def test_accents_case_separators_and_slips_are_forgiven(typed: str) -> None:
    assert read_phrase(typed) == RIGHT


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "les 4 mots"),
        ("école médaille abeille", "les 4 mots"),
        ("école médaille abeille zoologie zoologie", "les 4 mots"),
        ("école médaille xylophone zoologie", "le mot numéro 3"),
        ("\x00 \ud800 🙂 ---", "les 4 mots"),
    ],
)
def test_what_cannot_be_a_phrase_is_told_and_costs_no_try(typed: str, said: str) -> None:
    with pytest.raises(Unread) as caught:
        read_phrase(typed)
    assert said in str(caught.value)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(LIST), min_size=4, max_size=4), st.booleans())
def test_every_phrase_is_read_as_written_with_or_without_its_accents(words: list[str], plain: bool) -> None:
    typed = " ".join(words)
    assert read_phrase(phrases._plain(typed).upper() if plain else typed) == tuple(words)


def test_phrases_drawn_are_of_the_list_and_differ() -> None:
    drawn = {draw() for _ in range(50)}
    assert len(drawn) == 50
    assert all(set(words) <= set(LIST) and len(words) == 4 for words in drawn)


def test_the_right_words_in_the_right_order_open_and_nothing_of_them_is_kept(
    store: Store, place: Any, begin: Any
) -> None:
    shop, other = begin(store), begin(store)
    kept = hardened(store, shop, RIGHT)
    store.db.write(lambda tx: phrases.keep(tx, shop.id, kept))
    assert kept != hardened(store, other, RIGHT)
    assert store.db.write(lambda tx: phrases.check(tx, shop.id, hardened(store, shop, RIGHT))) is None
    wrong = hardened(store, shop, WRONG)
    assert store.db.write(lambda tx: phrases.check(tx, shop.id, wrong)) == Refusal("wrong", 4)
    assert store.db.write(lambda tx: phrases.check(tx, other.id, kept)) == Refusal("none")
    store.db.scrub()
    assert not any(word.encode() in place.everything() for word in RIGHT)


@pytest.mark.usefixtures("cheap")
def test_five_wrong_tries_close_it_and_a_new_one_opens(store: Store, begin: Any) -> None:
    shop = begin(store)
    right, wrong = hardened(store, shop, RIGHT), hardened(store, shop, WRONG)

    def check(tried: bytes) -> Any:
        return store.db.write(lambda tx: phrases.check(tx, shop.id, tried))

    store.db.write(lambda tx: phrases.keep(tx, shop.id, right))
    assert [check(wrong) for _ in range(4)] == [Refusal("wrong", left) for left in (4, 3, 2, 1)]
    assert check(right) is None
    assert [check(wrong) for _ in range(5)][-1] == Refusal("closed")
    assert check(right) == Refusal("closed")
    store.db.write(lambda tx: phrases.keep(tx, shop.id, right))
    assert check(right) is None
