"""The on-site diagnosis: kept in the visit's file, and shown to its manager beside the estimate.

One rule: it is written once the visit is done, under the lock of the conversation and sealed with its key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection

from bot.house import House
from bot.turn import happen
from bot.visit.changes import DOOR, held
from dialogue.events import Provided
from dialogue.expert import values_of
from dialogue.flow import AUTODIAG
from visits import bookings, files
from visits.bookings import Booking


def keep(house: House, tx: Connection, name: str, consultant: str, notes: Mapping[str, int]) -> Booking | None:
    """Note what was found, theme by theme; no note at all takes it back. None: no such visit, or it is not done."""
    booking = held(house, tx, name, consultant)
    if booking is None or booking.status != "booked" or booking.visit_on is None:
        return None
    key = bookings.key_of(tx, house.store.keyring, booking)
    if key is None or dict(notes) == kept(house, tx, booking):
        return booking
    plain = json.dumps(dict(notes)).encode() if notes else None
    files.keep(tx, key, booking.id, booking.conversation, "diagnosis", plain)
    if booking.conversation is not None:
        told = Provided(AUTODIAG, values=values_of(house.flow, notes))
        happen(house, tx, booking.conversation, told, DOOR)
    return booking


def kept(house: House, tx: Connection, booking: Booking) -> dict[str, int]:
    """What was noted of this visit, by theme."""
    key = bookings.key_of(tx, house.store.keyring, booking)
    plain = files.kept(tx, key, booking.id, "diagnosis") if key else None
    notes: dict[str, int] = json.loads(plain) if plain else {}
    return notes
