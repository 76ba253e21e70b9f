"""Who does each kind of job of the outbox, and by which door the bot speaks first: both registries, in sight."""

from __future__ import annotations

from sqlalchemy import Connection

from bot import outreach
from bot.house import House
from bot.mail.send import DOERS as MAIL
from bot.mail.speak import tell as write
from bot.open_chats import announce
from bot.outreach import Speaker
from bot.visit.agendas import DOERS as AGENDAS
from bot.visit.doers import DOERS as VISITS
from bot.worker import After, Doer, Writes
from store.outbox import Job


def doers(house: House) -> dict[str, Doer]:
    """What this process does of the outbox, by kind; the worker adds its own."""
    speaking = speakers(house)

    def reach(house: House, tx: Connection, job: Job) -> After | None:
        conversation = job.conversation or ""
        said = outreach.reach(house, tx, conversation, speaking)
        return (lambda: announce(house, conversation)) if said else None

    known: dict[str, Doer] = {outreach.REACH: Writes(reach), **MAIL, **VISITS, **AGENDAS}
    if house.settings.telegram.on:
        from bot.telegram.show import DOERS  # the library takes half a second: only where there is a bot

        known |= DOERS
    return known


def speakers(house: House) -> dict[str, Speaker]:
    """Who may tell a manager that something waits for them, by door, in the order in which they are tried."""
    known: dict[str, Speaker] = {"web": write} if house.settings.mail.on else {}
    if house.settings.telegram.on:
        from bot.telegram.show import tell

        known["telegram"] = tell
    return known
