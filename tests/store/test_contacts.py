"""Addresses left for a purpose: confirmed before use, taken back, stopped for good, even by a backup restored later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from store import contacts, conversations
from store.contacts import REMINDERS
from store.open import Store

ADDRESS = "Marie.Canari@boutique.example"


def leave(store: Store, conversation: Any, now: Any, address: str = ADDRESS) -> Any:
    return store.db.write(
        lambda tx: contacts.leave(
            tx, store.keyring, store.journal, conversation.key, conversation.id, REMINDERS, address, now
        )
    )


def confirm(store: Store, token: str, now: Any) -> Any:
    return store.db.write(lambda tx: contacts.confirm(tx, store.keyring, token, now))


def of(store: Store, conversation: Any, now: Any) -> Any:
    return store.db.read(lambda tx: contacts.of(tx, conversation.id, REMINDERS, now))


def stop(store: Store, address: str = ADDRESS) -> Any:
    token = contacts.stop_token(store.keyring, REMINDERS, address)
    return store.db.write(lambda tx: contacts.stop(tx, store.keyring, store.journal, token))


def stopped(store: Store, address: str = ADDRESS) -> Any:
    return store.db.read(lambda tx: contacts.stopped(tx, store.keyring, REMINDERS, address))


def test_an_address_waits_for_its_owner_and_is_nowhere_in_clear(
    store: Store, place: Any, begin: Any, noon: Any
) -> None:
    shop = begin(store)
    token = leave(store, shop, noon)
    assert of(store, shop, noon).confirmed_on is None
    assert confirm(store, token, noon).confirmed_on == noon.date()
    found = of(store, shop, noon)
    assert found.confirmed_on == noon.date()
    assert found.address(shop.key) == ADDRESS
    assert confirm(store, token, noon) == found
    store.db.scrub()
    everything = place.everything()
    for form in (ADDRESS.encode(), ADDRESS.lower().encode(), b"boutique.example", token.encode()):
        assert form not in everything


def test_without_a_yes_in_time_it_is_forgotten(store: Store, begin: Any, noon: Any) -> None:
    shop, late = begin(store), noon + contacts.TO_CONFIRM
    token = leave(store, shop, noon)
    assert confirm(store, token, late) is None
    assert of(store, shop, late) is None
    assert of(store, shop, late - timedelta(seconds=1)) is not None
    assert store.db.write(lambda tx: contacts.forget(tx, late)) == 1
    assert store.db.write(lambda tx: contacts.forget(tx, late)) == 0


def test_a_yes_stays_and_its_link_ends(store: Store, begin: Any, noon: Any) -> None:
    shop, late = begin(store), noon + contacts.TO_CONFIRM
    token = leave(store, shop, noon)
    confirm(store, token, noon)
    assert store.db.write(lambda tx: contacts.forget(tx, late)) == 0
    assert of(store, shop, late).confirmed_on == noon.date()
    assert confirm(store, token, noon) is None


def test_another_address_takes_the_place_of_the_first_and_needs_its_own_yes(
    store: Store, begin: Any, noon: Any
) -> None:
    shop = begin(store)
    first = leave(store, shop, noon)
    second = leave(store, shop, noon, "autre@boutique.example")
    assert confirm(store, first, noon) is None
    assert of(store, shop, noon).confirmed_on is None
    assert confirm(store, second, noon).address(shop.key) == "autre@boutique.example"


@pytest.mark.parametrize("token", ["", "x", "é" * 32, "A" * 32, "A" * 33, "\ud800" * 32, "=" * 32])
def test_tokens_that_are_not_ours_stop_nobody(store: Store, begin: Any, noon: Any, token: str) -> None:
    confirm(store, leave(store, (shop := begin(store)), noon), noon)
    assert not store.db.write(lambda tx: contacts.stop(tx, store.keyring, store.journal, token))
    assert confirm(store, token, noon) is None
    assert of(store, shop, noon) is not None
    assert not store.journal.path.exists()


def test_to_stop_is_for_good_whatever_the_conversation_or_the_writing(store: Store, begin: Any, noon: Any) -> None:
    first, second = begin(store), begin(store)
    for shop in (first, second):
        confirm(store, leave(store, shop, noon), noon)
    assert stop(store)
    assert stop(store)
    assert stopped(store, ADDRESS.upper())
    assert not stopped(store, "autre@boutique.example")
    assert not store.db.read(lambda tx: contacts.stopped(tx, store.keyring, "visit", ADDRESS))
    assert of(store, first, noon) is None
    assert of(store, second, noon) is None


def test_nothing_tells_that_an_address_is_stopped_and_nothing_confirms_it(store: Store, begin: Any, noon: Any) -> None:
    shop = begin(store)
    stop(store)
    assert leave(store, shop, noon, ADDRESS.lower()) is None
    assert of(store, shop, noon).confirmed_on is None
    assert confirm(store, "", noon) is None
    assert store.db.write(lambda tx: contacts.forget(tx, noon + contacts.TO_CONFIRM)) == 1


def test_erasing_the_conversation_takes_its_address(store: Store, begin: Any, noon: Any) -> None:
    shop = begin(store)
    token = leave(store, shop, noon)
    store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, shop.id))
    assert of(store, shop, noon) is None
    assert confirm(store, token, noon) is None
    assert not stopped(store)


def test_a_restored_backup_does_not_bring_an_address_back(place: Any, begin: Any, noon: Any) -> None:
    store = place.open()
    shops = {how: begin(store) for how in ("stopped", "taken-back", "replaced", "erased", "left as it is")}
    for how, shop in shops.items():
        confirm(store, leave(store, shop, noon, f"{how.split()[0]}@boutique.example"), noon)
    store.close()
    with place.backed_up() as restore:
        store = place.open()
        stop(store, "stopped@boutique.example")
        back = shops["taken-back"].id
        store.db.write(lambda tx: contacts.take_back(tx, store.keyring, store.journal, back, REMINDERS))
        leave(store, shops["replaced"], noon, "nouvelle@boutique.example")
        store.db.write(lambda tx: conversations.erase(tx, store.keyring, store.journal, shops["erased"].id))
        store.close()
        restore()
        store = place.open()
        assert [how for how, shop in shops.items() if of(store, shop, noon)] == ["left as it is"]
        assert stopped(store, "stopped@boutique.example")
        assert not stopped(store, "taken-back@boutique.example")
        store.close()


def test_a_cut_line_of_the_journal_stops_nobody_and_breaks_nothing(place: Any, begin: Any, noon: Any) -> None:
    store = place.open()
    shop = begin(store)
    confirm(store, leave(store, shop, noon), noon)
    store.journal.add(b"stopped-abc\xff")
    store.journal.add(b"taken-back-")
    store.close()
    store = place.open()
    assert of(store, shop, noon) is not None
    store.close()
