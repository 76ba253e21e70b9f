"""The bot speaks first in Telegram: a new message at its hour, the old buttons gone, silence for who asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.content import Content
from bot.settings import Settings
from tests.conftest import Clock
from tests.telegram.talk import Talk, talking

pytestmark = pytest.mark.databases("sqlite", because="what Telegram is told does not depend on the database")


def play(settings: Settings, content: Content, clock: Clock, story: Callable[[Talk], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with asyncio.timeout(40), talking(settings, content, "webhook", now=clock) as talk:
            await story(talk)
            await talk.settles()

    asyncio.run(all_of_it())


def passes(talk: Talk, clock: Clock, **by: float) -> None:
    """Time passes, and the worker looks."""
    clock.forward(**by)
    talk.house.bell.ring()


def test_an_unfinished_autodiag_is_recalled_in_a_new_message(
    settings: Settings, content: Content, clock: Clock
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        left = await talk.presses("Optique-lunetterie")
        passes(talk, clock, days=1, hours=1)
        shown = await talk.telegram.sees(talk.chat, lambda shown: "Nous en étions là" in shown.text)
        assert shown.number > left.number
        assert left.text.splitlines()[-1] in shown.text, "the same question"
        assert next(each for each in talk.telegram.chats[talk.chat] if each.number == left.number).buttons == []
        shown = await talk.presses("Ne plus me relancer")
        assert "je ne vous écrirai plus de moi-même" in shown.text
        passes(talk, clock, days=30)
        await talk.settles()
        assert talk.telegram.last(talk.chat).number == shown.number

    play(settings, content, clock, story)


def test_the_survey_is_answered_with_buttons_and_typed_words(
    settings: Settings, content: Content, clock: Clock
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        shown = await talk.answers_all()
        assert "faciles à comprendre" in shown.text
        shown = await talk.presses("Plutôt oui")
        assert "Merci pour votre réponse" in shown.text
        passes(talk, clock, days=31)
        shown = await talk.telegram.sees(talk.chat, lambda shown: "suivi au moins un tutoriel" in shown.text)
        shown = await talk.presses("Pas encore")
        shown = await talk.presses("Plutôt oui")
        assert "Pourquoi ?" in shown.text
        shown = await talk.says("Simple, et pas moralisateur.")
        assert "Votre avis sert" in shown.text
        assert (await talk.here()).held.others["survey"].answers["sat-pourquoi"] == "Simple, et pas moralisateur."
        shown = await talk.presses("Continuer")
        assert "Votre niveau estimé" in shown.text

    play(settings, content, clock, story)


def test_what_could_not_leave_before_the_evening_is_not_sent_the_next_day(
    settings: Settings, content: Content, clock: Clock
) -> None:
    async def story(talk: Talk) -> None:
        await talk.says("/start")
        left = await talk.presses("Optique-lunetterie")
        await talk.settles()
        talk.telegram.fault = lambda method, given: 500
        passes(talk, clock, days=1, hours=1)
        await asyncio.sleep(0.2)
        clock.forward(hours=20)
        talk.telegram.fault = lambda method, given: None
        talk.house.bell.ring()
        await talk.settles()
        assert talk.telegram.last(talk.chat).number == left.number
        shown = await talk.says("/reprendre")
        assert "Combien de personnes" in shown.text

    play(settings, content, clock, story)
