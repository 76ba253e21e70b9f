"""Updates duplicated, reordered, redelivered, strange: taken once, and the same end as the clean run."""

from __future__ import annotations

import asyncio
import os
import random
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection
from telegram import Update

from bot.content import Content
from bot.house import House, open_house
from bot.settings import Settings
from bot.telegram import keys
from bot.telegram.door import Door, door_of
from bot.telegram.receive import receive
from bot.turn import Present, look
from dialogue.session import Session
from store import chats
from tests.telegram.fake import FakeTelegram
from tests.telegram.talk import at_telegram, talking

PERMUTATIONS = 1000
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "0"))
TOGETHER = 50


@pytest.fixture
def door(settings: Settings, content: Content, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door on a house whose outbox nobody empties."""
    house = open_house(at_telegram(settings, "http://127.0.0.1:9"), content=content)
    door = door_of(house)
    monkeypatch.setattr(door, "heard", lambda callback: None)
    yield door
    house.store.close()


def run(door: Door, work: Coroutine[Any, Any, Any]) -> Any:
    async def and_close() -> Any:
        try:
            return await work
        finally:
            await door.close()

    return asyncio.run(and_close())


async def deliver(door: Door, update: dict[str, Any]) -> None:
    await receive(door, parsed(door, update))


def parsed(door: Door, update: dict[str, Any]) -> Update:
    read = Update.de_json(update, door.post.bot)
    assert read is not None
    return read


async def present(door: Door, chat: int) -> Present:
    store, house = door.house.store, door.house
    token = chats.token(store.keyring, "telegram", chat)
    found = await store.db.query(lambda tx: chats.find(tx, store.keyring, token, house.today()))
    assert found is not None
    return await look(house, found[0].conversation)


def count(house: House, table: str) -> int:
    return int(house.store.db.read(lambda tx: tx.exec_driver_sql(f"select count(*) from {table}").scalar_one()))


async def a_press(door: Door, people: FakeTelegram, chat: int, luck: random.Random) -> dict[str, Any]:
    """A press that the present keyboard offers."""
    here = await present(door, chat)
    turn = here.turn(door.house)
    if turn.question and luck.random() < 0.8:
        option = luck.choice(turn.question.choices)
        key: keys.Key = keys.Pick(here.revision, turn.question.node, option.id)
    else:
        safe = [button for button in turn.buttons if button.name not in ("erase", "restart", "confirm")]
        button = luck.choice(safe)
        key = keys.Order(here.revision, button.name, button.node, button.word)
    return people.presses_data(chat, keys.write(key), 5)


@dataclass
class Run:
    """One clean run: what was sent, and where it led."""

    updates: list[dict[str, Any]]
    session: Session
    revision: int


async def clean(door: Door, chat: int, luck: random.Random, *, presses: int) -> Run:
    people = FakeTelegram()
    people._updates = iter(luck.sample(range(10**9), 100))  # type: ignore[assignment]
    updates = [people.says(chat, "/start")]
    await deliver(door, updates[0])
    for _ in range(presses):
        updates.append(await a_press(door, people, chat, luck))
        await deliver(door, updates[-1])
    here = await present(door, chat)
    return Run(updates, here.session, here.revision)


def moved(update: dict[str, Any], chat: int) -> dict[str, Any]:
    """The same update in another chat."""
    name = next(key for key in update if key != "update_id")
    content = dict(update[name])
    place = content if name == "message" else content["message"]
    place = {**place, "chat": {**place["chat"], "id": chat}}
    content = (
        {**content, **place} if name == "message" else {**content, "id": f"{content['id']}{chat}", "message": place}
    )
    return {"update_id": update["update_id"], name: content}


async def shuffled(door: Door, wanted: Run, chat: int, luck: random.Random) -> int:
    """Deliver it all in any order, some of it twice, again and again as Telegram does; how many deliveries."""
    mine = [parsed(door, moved(update, chat)) for update in wanted.updates]
    await receive(door, mine[0])
    deliveries, here = 1, await present(door, chat)
    for _ in range(len(mine)):
        pile = [*mine, luck.choice(mine)]
        luck.shuffle(pile)
        for update in pile:
            await receive(door, update)
            deliveries += 1
        here = await present(door, chat)
        if here.revision == wanted.revision:
            break
    assert (here.revision, here.session) == (wanted.revision, wanted.session)
    return deliveries


@pytest.mark.databases("sqlite", because="a thousand permutations take long enough on one")
def test_any_order_and_any_duplicates_end_as_the_clean_run(
    door: Door, record_property: Callable[[str, object], None]
) -> None:
    luck = random.Random(20261122)
    until = time.monotonic() + 60 * SOAK_MINUTES

    async def all_of_them() -> tuple[int, int]:
        done = deliveries = 0
        while done < PERMUTATIONS or time.monotonic() < until:
            wanted = await clean(door, 10_000_000 + done, luck, presses=luck.choice((2, 2, 2, 4)))
            names = range(20_000_000 + done, 20_000_000 + done + TOGETHER)
            deliveries += sum(await asyncio.gather(*(shuffled(door, wanted, chat, luck) for chat in names)))
            done += TOGETHER
        return done, deliveries

    done, deliveries = run(door, all_of_them())
    record_property("reached", f"{done} permutations, {deliveries} updates delivered")
    if SOAK_MINUTES:
        warnings.warn(f"soak: {done} permutations, {deliveries} updates delivered", stacklevel=1)
    assert done >= PERMUTATIONS


def test_typed_words_delivered_again_later_change_nothing(door: Door) -> None:
    luck = random.Random(3)
    people = FakeTelegram()

    async def story() -> None:
        for chat in range(40, 48):
            sent = [people.says(chat, "/start")]
            await deliver(door, sent[0])
            for text in ("optique-lunetterie", "pourquoi", "2 à 10", "bla", "retour", "11 à 49", "/reponses"):
                sent.append(people.says(chat, text))
                await deliver(door, sent[-1])
                before = await present(door, chat)
                for again in luck.choices(sent, k=3):
                    await deliver(door, again)
                assert await present(door, chat) == before
            assert (await present(door, chat)).session.answers == {"branche": "optique", "effectif": "11-49"}

    run(door, story())


def test_an_id_that_restarts_at_random_is_another_update(door: Door) -> None:
    people = FakeTelegram()

    async def story() -> None:
        sent = [
            people.says(7, "/start"),
            people.presses_data(7, "c|1|branche|optique", 5),
            people.presses_data(7, "c|2|effectif|1", 5),
            people.says(7, "retour"),
            people.says(7, "2 à 10"),
        ]
        for update in sent:
            await deliver(door, {**update, "update_id": 77})
        assert (await present(door, 7)).session.answers == {"branche": "optique", "effectif": "2-10"}

    run(door, story())


def test_two_devices_that_press_at_once_record_one_answer_and_the_other_is_told(door: Door) -> None:
    people = FakeTelegram()

    async def story() -> list[tuple[str, ...]]:
        await deliver(door, people.says(7, "/start"))
        pressed = [people.presses_data(7, f"c|1|branche|{choice}", 5) for choice in ("optique", "bricolage")]
        await asyncio.gather(*(deliver(door, update) for update in pressed))
        here = await present(door, 7)
        assert here.session.answers in ({"branche": "optique"}, {"branche": "bricolage"})
        assert here.revision == 2
        return await shows(door)

    assert run(door, story()) == [("telegram_hello",), (), ("stale",)]


def test_a_button_pressed_twice_says_nothing_more(door: Door) -> None:
    people = FakeTelegram()

    async def story() -> list[tuple[str, ...]]:
        await deliver(door, people.says(7, "/start"))
        for _ in range(2):
            await deliver(door, people.presses_data(7, "c|1|branche|optique", 5))
        return await shows(door)

    assert run(door, story()) == [("telegram_hello",), ()]


async def shows(door: Door) -> list[tuple[str, ...]]:
    """What the outbox holds, by the sentences said first."""
    from bot.telegram.show import _SHOW
    from store import conversations, outbox, tables

    def work(tx: Connection) -> list[tuple[str, ...]]:
        found = []
        shown = tables.outbox.c.kind.like("telegram.%")
        for row in tx.execute(tables.outbox.select().where(shown).order_by(tables.outbox.c.id)):
            held = conversations.hold(tx, door.house.store.keyring, row.conversation)
            assert held is not None
            show = _SHOW.validate_json(outbox.opened(held[0], outbox._job(row._mapping)))
            found.append(tuple(name for name, _ in show.said))
        return found

    return await door.house.store.db.submit(work)


@pytest.mark.parametrize(
    "content_of_it",
    [
        {"photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}], "caption": "canary-caption"},
        {"document": {"file_id": "a", "file_unique_id": "b", "file_name": "canary-name.pdf"}},
        {"voice": {"file_id": "a", "file_unique_id": "b", "duration": 1}},
        {"contact": {"phone_number": "+33600000000", "first_name": "Canary"}},
        {"location": {"latitude": 1.0, "longitude": 2.0}},
        {"edited": True, "text": "optique"},
        {"new_thing_of_2027": {"a": 1}},
    ],
)
def test_what_is_not_text_gets_a_sentence_and_is_never_stored(door: Door, content_of_it: dict[str, Any]) -> None:
    people = FakeTelegram()

    async def story() -> list[tuple[str, ...]]:
        await deliver(door, people.says(7, "/start"))
        await deliver(door, people.sends(7, **content_of_it))
        assert (await present(door, 7)).revision == 1
        return await shows(door)

    expected = "telegram_edited" if "edited" in content_of_it else "telegram_only_text"
    assert run(door, story()) == [("telegram_hello",), (expected,)]
    assert count(door.house, "facts") == 0


@pytest.mark.databases("sqlite", because="what Telegram is told does not depend on the database")
def test_groups_and_channels_are_left_after_a_word(settings: Settings, content: Content) -> None:
    async def story() -> None:
        async with talking(settings, content) as talk:
            talk.telegram.membership(-100, "member", "supergroup")
            talk.telegram.sends(-200, "group", text="/start")
            talk.telegram.sends(-300, "channel", text="bonjour")
            for group in (-100, -200):
                shown = await talk.telegram.sees(group, lambda shown: "tête-à-tête" in shown.text)
                assert not shown.buttons
            while sum(call.method == "leaveChat" for call in talk.telegram.calls) < 3:
                await asyncio.sleep(0.01)
            assert talk.telegram.chats[-300] == []
            for table in ("conversations", "ways", "chats", "inbox"):
                assert count(talk.house, table) == 0

    asyncio.run(asyncio.wait_for(story(), 20))


def test_a_key_of_another_time_shows_the_present_question(door: Door) -> None:
    people = FakeTelegram()

    async def story() -> list[tuple[str, ...]]:
        await deliver(door, people.says(7, "/start"))
        for data in ("", "zzz", "c|x|y|z", "k|1|unheard||", "c|1|branche", "c|99|branche|optique", "p|-3", "t|1|99"):
            await deliver(door, people.presses_data(7, data or "?", 5))
        return await shows(door)

    assert run(door, story()) == [("telegram_hello",), *[("stale",)] * 6, (), ()]
