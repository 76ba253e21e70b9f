"""What the bot says first, as letters: a letter for each kind of moment, and in none a word of what was answered."""

from __future__ import annotations

import asyncio
import email
import re
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot import turn, worker
from bot.house import House
from bot.mail import desk
from bot.mail.send import DOERS
from bot.mail.speak import tell
from bot.settings import Mail
from bot.turn import Present
from dialogue import engine
from dialogue.events import MARKS, Clicked, Commanded, Event, Marked, TimerFired
from dialogue.outreach import Say
from dialogue.present import label_of
from tests.mail.conftest import with_mail

pytestmark = pytest.mark.databases("sqlite", because="tests/mail/test_letters.py writes on both")
MOMENTS = {
    "inacheve-avant-visite": "rendez-vous approche",
    "inacheve-1": "Il vous reste",
    "inacheve-2": "dernier rappel",
    "visite-voulue-1": "Vous vouliez qu'un expert passe",
    "tutoriel": "Vous aviez ouvert un tutoriel",
    "enquete-trente-jours": "pour savoir ce qui vous a servi",
    "enquete-support": "3 questions, une minute",
    "enquete-support-relance": "Nous ne vous relancerons pas",
}
"""Moments of referential/outreach.yml, one of each kind at least, and words of their letters."""


@pytest.fixture
def posting(house: House, tmp_path: Path) -> House:
    return with_mail(house, Mail(developpement_dossier=str(tmp_path / "courriels")))


async def letters(house: House) -> list[str]:
    """What leaves now, subjects first."""
    while await worker.work_once(house, DOERS):
        pass
    folder = house.settings.mail.folder
    assert folder
    found = []
    for file in folder.glob("*.eml"):
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        found.append(f"{message['Subject']}\n{message.get_content()}")
        file.unlink()
    return found


async def does(house: House, here: Present, event: Event) -> Present:
    incoming = f"{here.conversation}{here.revision}"
    return await turn.take(
        house, door="web", incoming=incoming, conversation=here.conversation, revision=None, event=event
    )


async def a_firm(house: House, *, finished: bool) -> tuple[Present, set[str]]:
    """One that wants a visit, opened a tutorial, and may be written to; and the words of all it answered."""
    here, _ = await turn.begin(house, door="web", incoming=f"n{finished}" * 12, first=Clicked("branche", "optique"))
    answered = {"Optique-lunetterie"}
    while finished and (asked := engine.asking(here.flow, here.session)):
        choice = asked.question.choices[0].id
        answered.add(label_of(house.words, asked.question, choice))
        here = await does(house, here, Clicked(asked.question.id, choice, certain=True))
    here = await does(house, here, Commanded("book"))
    here = await does(house, here, Commanded("tutorial", word="double-code"))
    await desk.leave(house, here.conversation, f"canari-{finished}@boutique.example", "192.0.2.1")
    (asked_to_confirm,) = await letters(house)
    token = re.search(r"/confirmer/([\w-]+)", asked_to_confirm)
    assert token
    assert await desk.confirm(house, token[1])
    return here, answered


async def first_words(house: House, here: Present, moment: str) -> str:
    """The letter by which the bot speaks first, at this moment of the plan."""
    planned = here.flows.plan.by_id[moment]
    about = "double-code" if planned.kind == "tutorial" else ""

    def work(tx: Connection) -> bool:
        happened = turn.happen(house, tx, here.conversation, TimerFired(moment, about), "timer")
        assert happened
        return tell(house, tx, happened, Say(planned, about, house.now().replace(year=2030)))

    assert await house.store.db.submit(work)
    (said,) = await letters(house)
    return said


def test_each_moment_has_its_letter_and_none_tells_what_was_answered(posting: House) -> None:
    house = posting

    def note(tx: Connection, conversation: str) -> None:
        for mark in MARKS[:4]:
            turn.happen(house, tx, conversation, Marked(mark, house.now()), "timer")

    async def story() -> None:
        unfinished, _ = await a_firm(house, finished=False)
        finished, answered = await a_firm(house, finished=True)
        await house.store.db.submit(lambda tx: note(tx, finished.conversation))
        themes = {theme.title for theme in house.flow.questionnaire.themes}
        tutorials = {tutorial.title for tutorial in house.words.tutorials.values()}
        for moment, words in MOMENTS.items():
            here = unfinished if moment.startswith("inacheve") else finished
            said = await first_words(house, here, moment)
            assert words in said
            assert ("dernier rappel" in said) == (moment == "inacheve-2")
            for hidden in answered | themes | tutorials | {"faible", "satisfaisant", "sur 100"}:
                assert not re.search(rf"(?<!\w){re.escape(hidden)}(?!\w)", said), (moment, hidden)

    asyncio.run(asyncio.wait_for(story(), 60))


def test_without_an_address_there_is_nobody_to_tell(posting: House) -> None:
    async def story() -> None:
        here, _ = await turn.begin(posting, door="web", incoming="n" * 24, first=Clicked("branche", "optique"))
        planned = here.flows.plan.by_id["inacheve-1"]

        def work(tx: Connection) -> bool:
            happened = turn.happen(posting, tx, here.conversation, TimerFired("inacheve-1"), "timer")
            assert happened
            return tell(posting, tx, happened, Say(planned, "", posting.now()))

        assert not await posting.store.db.submit(work)

    asyncio.run(story())
