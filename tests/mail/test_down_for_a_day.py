"""SMTP away for a simulated day: then every letter leaves once, in order, and none whose time has passed."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from bot.house import House
from bot.mail.letters import letter
from store import outbox, tables
from tests.conftest import Clock
from tests.mail.conftest import Certificate, account, listening, mail_by, with_mail
from tests.mail.test_letters import confirmed, work

LETTERS = (5, 4, 3)
PEOPLE = 3


def test_smtp_down_for_a_day_then_letters_leave_once_in_order_and_yesterday_s_do_not(
    house: House, certificate: Certificate, clock: Clock
) -> None:
    async def story() -> None:
        public = {"public_url": "https://autodiag.example"}
        async with listening(certificate, auth_required=True) as box:
            up = with_mail(house, mail_by(box, certificate, **account()), **public)
            people = [f"canari-{n}@boutique.example" for n in range(PEOPLE)]
            made = [await confirmed(up, box, address) for address in people]
        async with listening(certificate, auth_required=True) as box:
            down = with_mail(house, mail_by(box, certificate, **account()), **public)
        for conversation in made:  # nobody listens any more
            for minutes in LETTERS:
                await _put(down, conversation, minutes)
            await _put(down, conversation, 9, expires_at=clock() + timedelta(hours=12))
        for _ in range(24):
            await work(down)
            clock.forward(hours=1)
        async with listening(certificate, auth_required=True) as box:
            up = with_mail(house, mail_by(box, certificate, **account()), **public)
            for _ in range(30):
                await work(up)
                clock.forward(minutes=10)
            for address in people:
                mine = [message.get_content() for message in box.kept if message["To"] == address]
                assert [int(re.findall(r"(\d) minutes", text)[0]) for text in mine] == list(LETTERS)
            assert len(box.kept) == PEOPLE * len(LETTERS)
        jobs = tables.outbox
        wanted = select(jobs.c.state).where(jobs.c.kind == "mail.send", jobs.c.state != outbox.DONE)
        assert house.store.db.read(lambda tx: list(tx.scalars(wanted))) == [outbox.EXPIRED] * PEOPLE

    asyncio.run(asyncio.wait_for(story(), 60))


async def _put(house: House, conversation: str, minutes: int, **how: Any) -> None:
    values: dict[str, Any] = {"minutes": minutes, "last": 0, "visit": 0}

    def writing(tx: Connection) -> bool:
        return letter(house, tx, conversation, "unfinished", values, **how)

    assert await house.store.db.submit(writing)
