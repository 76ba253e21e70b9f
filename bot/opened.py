"""The access log in the words of its manager: who opened what of their conversation, and when, in Paris."""

from __future__ import annotations

from access.openings import Opening, openings
from bot.house import House
from dialogue.calendar import PARIS


async def opened(house: House, conversation: str) -> tuple[Opening, ...]:
    """Every opening, the latest first."""
    return await house.store.db.query(lambda tx: openings(tx, house.store.keyring, conversation))


def told(house: House, found: tuple[Opening, ...], most: int | None = None) -> str:
    """What to say of them, nothing opened included; of the latest only when there are more than `most`."""
    shown = [(each, each.at.astimezone(PARIS)) for each in found[:most]]
    return house.words.say("openings", shown=shown, more=len(found) - len(shown))
