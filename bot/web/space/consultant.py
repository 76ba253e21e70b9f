"""What the consultant's pages share: who is there, a visit of theirs by its id, days and notes as they are typed.

One rule: a visit is looked for among those of the account that is signed in, whatever the address says.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request

from access.sign_ins import SignIn
from bot.house import House
from bot.web.form import Form
from bot.web.space.guard import signed_in
from visits import bookings
from visits.bookings import Booking
from visits.slots import PARIS

AGENDA: Final = "/espace/consultant"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class BadField(Exception):
    """What was typed can't be taken. `code`: of its sentence in sentences.html; `about`: what it names."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code)
        self.code, self.about = code, about


async def consultant(request: Request) -> SignIn:
    """The consultant who is signed in. Raises SignedOut or Problem 404."""
    return await signed_in(request, "consultant")


def named(tx: Connection, who: SignIn, name: str) -> Booking | None:
    """The visit with this id, whatever became of it, if it is this consultant's."""
    found = bookings.find(tx, name) if _ID.fullmatch(name) else None
    return found if found is not None and found.consultant == who.account.id else None


def readable(house: House, tx: Connection, who: SignIn, name: str) -> Booking | None:
    """The same, while its consultant may read it."""
    found = named(tx, who, name)
    stands = found is not None and found.status == "booked" and found.open_until() >= today(house)
    return found if stands else None


def today(house: House) -> date:
    """The day, in Paris."""
    return house.now().astimezone(PARIS).date()


def day_of(form: Form, field: str) -> date | None:
    """The day typed in this field, None where nothing was. Raises BadField."""
    given = form.fields.get(field, "").strip()
    if not given:
        return None
    try:
        return date.fromisoformat(given if _DAY.fullmatch(given) else "")
    except ValueError:
        raise BadField("day") from None


def number_of(form: Form, field: str, most: int, code: str, *, about: str = "") -> int | None:
    """The whole number typed in this field, from 0 to `most`; None where nothing was. Raises BadField."""
    given = form.fields.get(field, "").strip()
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", given) or int(given) > most:
        raise BadField(code, about)
    return int(given)
