"""How the bot speaks first to who uses the web chat: a letter that says that a question waits, and its link.

What is due, and when, is `bot.outreach`'s; the words are dialogue/words/mail_KIND.j2, by the kind of the moment.
"""

from __future__ import annotations

from sqlalchemy import Connection

from bot.house import House
from bot.mail.letters import Value, letter
from bot.outreach import too_late
from bot.turn import Happened, Present
from dialogue.outreach import Say
from dialogue.present import minutes_left


def tell(house: House, tx: Connection, happened: Happened, said: Say) -> bool:
    """Write that something waits; False where no address was left for that."""
    values = _values(house, happened.after, said)
    conversation = happened.after.conversation
    return letter(house, tx, conversation, said.moment.kind, values, expires_at=too_late(house, said))


def _values(house: House, here: Present, said: Say) -> dict[str, Value]:
    moment = said.moment
    match moment.kind:
        case "unfinished":
            days = [each.days for each in here.flows.plan.moments if each.kind == moment.kind]
            visit = moment.since == "appointment"
            return {
                "minutes": max(1, minutes_left(here.flow, here.session)),
                "visit": visit,
                "last": not visit and moment.days == max(days),
            }
        case "survey":
            asked = here.turn(house).question
            left = asked.progress.total - asked.progress.done if asked else 1
            return {"questions": left, "again": bool(moment.reminder_of)}
        case "visit" | "place" | "tutorial":
            return {}
