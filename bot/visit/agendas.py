"""Consultants' own calendars: read each hour, one job a consultant; and the feed of their visits.

One rule: what could not be read changes nothing but a code for its owner to see; no address of a calendar is logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from bot.house import House
from bot.visit.rules import host, rules
from bot.worker import Doer, Save, Sends, Writes
from store import outbox
from store.outbox import Job
from visits import bookings, consultants
from visits.calendars import Unreadable, busy
from visits.fetching import Fetcher
from visits.invitations import feed

EVERY, ONE = "visit.calendars", "visit.calendar"
HOUR = timedelta(hours=1)

log = structlog.get_logger("visits")


def read_all(house: House, tx: Connection, job: Job) -> None:
    """Ask for a reading of every calendar."""
    for each in consultants.working(tx, house.store.keyring):
        if each.has_calendar:
            read_soon(house, tx, each.id)


def read_soon(house: House, tx: Connection, consultant: str) -> None:
    """Ask for a reading of this consultant's calendar, now: its address was just given."""
    outbox.schedule(tx, kind=ONE, key=consultant, due_at=house.now())


def host_named(address: str) -> str:
    """The machine that a calendar's address names. Raises Unreadable where it is no address of a calendar."""
    return _FETCHER.host(address)


async def read(house: House, job: Job) -> Save | None:
    """Read one calendar, and keep when its owner is busy."""
    name = (job.dedup or "").removeprefix(f"{ONE}/")
    address = await house.store.db.query(lambda tx: _address(house, tx, name))
    if address is None:
        return None
    now, until = house.now(), house.now() + rules(house).horizon + timedelta(days=1)
    try:
        data = await asyncio.to_thread(_FETCHER.fetch, address)
        found = await asyncio.to_thread(busy, data, now, until, ours=host(house))
    except Unreadable as unreadable:
        code = unreadable.code
        log.warning("calendar_unread", reason=code)
        return lambda tx: consultants.calendar_failed(tx, name, code)
    return lambda tx: consultants.set_busy(tx, name, found, now)


def visits_feed(house: House, tx: Connection, secret: str) -> bytes | None:
    """The visits of whoever owns this secret, as a calendar; None if nobody does."""
    who = consultants.of_feed(tx, house.store.keyring, secret)
    if who is None:
        return None
    return feed(bookings.of_consultant(tx, who.id, house.today()), host(house), house.now())


def _address(house: House, tx: Connection, name: str) -> str | None:
    who = consultants.find(tx, house.store.keyring, name)
    return consultants.calendar(tx, who) if who and who.left_on is None else None


_FETCHER = Fetcher()
DOERS: Mapping[str, Doer] = {EVERY: Writes(read_all, every=HOUR), ONE: Sends(read, repeats=True)}
