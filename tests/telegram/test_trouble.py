"""Telegram slow, down, refusing, or blocked by its reader: nothing is lost, and what waited leaves in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.content import Content
from bot.house import open_house
from bot.settings import Settings
from bot.telegram.pace import Pace
from store import chats
from tests.telegram.talk import CHAT, Talk, at_telegram, talking

pytestmark = pytest.mark.databases("sqlite", because="what Telegram is told does not depend on the database")
Story = Callable[[Talk], Awaitable[None]]


def play(settings: Settings, content: Content, story: Story, mode: str = "webhook", **pace: Any) -> None:
    async def all_of_it() -> None:
        async with asyncio.timeout(40), talking(settings, content, mode, **pace) as talk:
            await story(talk)
            await talk.settles()

    asyncio.run(all_of_it())


def failing(times: int, how: int | str, *methods: str) -> Callable[[str, dict[str, Any]], int | str | None]:
    """Fail the first calls of these methods this way."""
    left = [times]

    def fault(method: str, given: dict[str, Any]) -> int | str | None:
        if method not in methods or not left[0]:
            return None
        left[0] -= 1
        return how

    return fault


def test_down_then_back_nothing_is_lost_and_it_leaves_in_order(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        for chat in (CHAT, CHAT + 1):
            talk.telegram.says(chat, "/start")
            await talk.telegram.sees(chat, lambda shown: bool(shown.buttons))
        talk.telegram.presses(CHAT + 1, "Bricolage")
        await talk.telegram.sees(CHAT + 1, lambda shown: "Combien" in shown.text)
        await talk.settles()
        await talk.telegram.down()
        for text in ("optique-lunetterie", "2 à 10"):
            talk.telegram.says(CHAT, text)
        await asyncio.sleep(0.5)
        sessions = await talk.house.store.db.query(
            lambda tx: tx.exec_driver_sql("select revision from conversations order by revision").scalars().all()
        )
        assert sessions == [2, 3], "what was said while Telegram was down is recorded all the same"
        await talk.telegram.up()
        shown = await talk.telegram.sees(CHAT, lambda shown: "Quel est votre métier" not in shown.text)
        assert "Combien de personnes" not in shown.text, "the shows that waited leave as one, the last state"
        assert shown.buttons

    play(settings, content, story)


def test_a_document_and_a_question_that_waited_leave_in_that_order(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        await talk.presses("Optique-lunetterie")
        await talk.answers_all()
        await talk.settles()
        await talk.telegram.down()
        talk.telegram.presses(CHAT, "Mon résultat en PDF")
        talk.telegram.says(CHAT, "/reponses")
        await asyncio.sleep(0.4)
        before = len(talk.telegram.chats[CHAT])
        await talk.telegram.up()
        await talk.telegram.sees(CHAT, lambda shown: "Voici vos réponses" in shown.text)
        assert [shown.kind for shown in talk.telegram.chats[CHAT][before:]] == ["document", "text"]

    play(settings, content, story)


@pytest.mark.parametrize("how", [500, 502, "drop", 429])
def test_what_failed_is_sent_again_once(settings: Settings, content: Content, how: int | str) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        talk.telegram.fault = failing(2 if how != 429 else 1, how, "sendMessage", "editMessageText")
        await talk.presses("Optique-lunetterie")
        await talk.presses("2 à 10")
        assert len(talk.telegram.chats[CHAT]) == 2

    play(settings, content, story)


def test_an_answer_cut_after_the_sending_shows_the_question_twice_rather_than_never(
    settings: Settings, content: Content
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        talk.telegram.fault = failing(1, "cut", "sendMessage")
        await talk.presses("Optique-lunetterie")
        await talk.settles()
        shown = talk.telegram.chats[CHAT]
        assert [each.text for each in shown[1:]] == [shown[1].text] * 2
        await talk.presses("2 à 10")

    play(settings, content, story)


def test_a_message_deleted_by_its_reader_is_sent_anew(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        shown = await talk.presses("Optique-lunetterie")
        update = talk.telegram.presses(CHAT, "2 à 10")
        talk.telegram.chats[CHAT].remove(shown)
        again = await talk.telegram.sees(CHAT, lambda each: each.number > shown.number)
        assert again.buttons
        assert update["callback_query"]["message"]["message_id"] == shown.number

    play(settings, content, story)


@pytest.mark.parametrize("told", [True, False])
def test_blocked_stops_the_sending_and_keeps_the_conversation(settings: Settings, content: Content, told: bool) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        await talk.presses("Optique-lunetterie")
        talk.telegram.presses(CHAT, "2 à 10")
        if told:
            talk.telegram.membership(CHAT, "kicked")
        else:
            talk.telegram.blocked.add(CHAT)
        token = chats.token(talk.house.store.keyring, "telegram", CHAT)
        today = talk.house.today()
        for _ in range(200):
            found = await talk.house.store.db.query(lambda tx: chats.find(tx, talk.house.store.keyring, token, today))
            assert found
            if found[0].blocked:
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError("never seen as blocked")
        await talk.settles()
        calls = len(talk.telegram.calls)
        await asyncio.sleep(0.2)
        assert len(talk.telegram.calls) == calls
        assert (await talk.here()).session.answers["branche"] == "optique"
        talk.telegram.membership(CHAT, "member")
        shown = await talk.says("/start")
        assert "Rebonjour" in shown.text

    play(settings, content, story)


@pytest.mark.parametrize("mode", ["poll", "webhook"])
def test_an_update_that_nobody_can_read_does_not_close_the_door(
    settings: Settings, content: Content, mode: str
) -> None:
    async def story(talk: Talk) -> None:
        talk.telegram._put({"message": "not an object"})
        talk.telegram._put({"callback_query": {"id": "1"}})
        shown = await talk.says("/start")
        assert "Je suis le robot" in shown.text

    play(settings, content, story, mode)


def test_a_late_callback_is_not_an_error(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        talk.telegram.fault = lambda method, given: 400 if method == "answerCallbackQuery" else None
        await talk.presses("Optique-lunetterie")

    play(settings, content, story)


def test_one_chat_that_fails_does_not_hold_the_others(settings: Settings, content: Content) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        talk.telegram.fault = lambda method, given: 500 if given.get("chat_id") == str(CHAT + 1) else None
        talk.telegram.says(CHAT + 1, "/start")
        began = time.monotonic()
        await talk.presses("Optique-lunetterie")
        assert time.monotonic() - began < 1
        talk.telegram.fault = lambda method, given: None

    play(settings, content, story)


def test_a_process_that_dies_while_sending_leaves_it_to_the_next(settings: Settings, content: Content) -> None:
    async def story() -> None:
        async with talking(settings, content, "webhook") as talk:
            await talk.says("/start")
            await talk.settles()
            talk.telegram.fault = lambda method, given: 500
            talk.telegram.presses(CHAT, "Optique-lunetterie")
            await asyncio.sleep(0.3)
            await talk.telegram.down()
        house = open_house(at_telegram(settings, "http://127.0.0.1:9"), content=content)
        house.store.db.write(
            lambda tx: tx.exec_driver_sql(
                "update outbox set state = 'taken', next_at = '2999-01-01 00:00:00.000000' where state != 'done'"
            )
        )
        house.store.close()
        async with talking(settings, content) as talk:
            shown = await talk.telegram.sees(CHAT, lambda shown: bool(shown.buttons))
            assert "Combien de personnes" in shown.text

    asyncio.run(asyncio.wait_for(story(), 30))


def test_the_pace_of_telegram_is_kept_in_one_chat(settings: Settings, content: Content) -> None:
    """With Telegram's own second: five presses as fast as they can come."""

    async def story(talk: Talk) -> None:
        await talk.says("/start")
        began = time.monotonic()
        await talk.presses("Optique-lunetterie")
        first = time.monotonic() - began
        await talk.presses("2 à 10")
        assert time.monotonic() - began >= 1.8
        assert first < 1.2
        await asyncio.sleep(1.1)
        began = time.monotonic()
        await talk.presses("Pourquoi cette question ?")
        assert time.monotonic() - began < 1, "the reply to a press leaves in the same second"

    play(settings, content, story, gap=1.0)


@pytest.mark.parametrize("chats_at_once", [1, 40])
def test_the_pace_holds_however_many_ask_at_once(chats_at_once: int) -> None:
    async def story() -> float:
        pace = Pace(gap=0.0, a_second=100)

        async def send(chat: int) -> None:
            async with pace.message(chat):
                pass

        began = time.monotonic()
        await asyncio.gather(*(send(number % chats_at_once) for number in range(41)))
        return time.monotonic() - began

    assert asyncio.run(story()) >= 0.39


def test_the_pace_of_telegram_is_kept_in_all(settings: Settings, content: Content) -> None:
    """Sixty chats at once: the fake refuses the 31st message of any second, and must never have to."""

    async def story(talk: Talk) -> None:
        for chat in range(1000, 1060):
            talk.telegram.says(chat, "/start")
        for chat in range(1000, 1060):
            await talk.telegram.sees(chat, lambda shown: bool(shown.buttons), within=10)

    play(settings, content, story, a_second=30)
