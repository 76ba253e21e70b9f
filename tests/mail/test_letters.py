"""From the outbox to a real SMTP server: what leaves, to whom, once, and what does not leave any more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot import turn, worker
from bot.entrance import who_limited
from bot.house import House
from bot.mail import desk
from bot.mail.letters import letter, letter_to
from bot.mail.send import DOERS
from dialogue.events import Clicked, Commanded
from dialogue.words import FOLDER
from store import contacts, outbox, phrases, tables
from store.contacts import REMINDERS
from tests.mail.conftest import SENDER, Certificate, Server, account, listening, mail_by, with_mail

ADDRESS = "Canari@boutique.example"
BOX = "canari@boutique.example"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrases._COST, "n", 2)


def playing(house: House, certificate: Certificate, story: Callable[[House, Server], Any], **server: object) -> None:
    """A story with this house and a server that wants TLS and an account."""

    async def play() -> None:
        async with listening(certificate, auth_required=True) as box:
            public = {"public_url": "https://autodiag.example"} | server
            await story(with_mail(house, mail_by(box, certificate, **account()), **public), box)

    asyncio.run(asyncio.wait_for(play(), 30))


async def begun(house: House) -> str:
    here, _ = await turn.begin(house, door="web", incoming=f"n{len(names(house))}" * 12)
    return here.conversation


def names(house: House) -> list[str]:
    return list(house.store.db.read(lambda tx: tx.scalars(select(tables.conversations.c.id)).all()))


async def work(house: House) -> None:
    while await worker.work_once(house, DOERS):
        pass


def states(house: House) -> list[tuple[str, str | None]]:
    jobs = tables.outbox
    wanted = select(jobs.c.state, jobs.c.reason).where(jobs.c.kind == "mail.send").order_by(jobs.c.id)
    return [tuple(row) for row in house.store.db.read(lambda tx: tx.execute(wanted).all())]


def link_in(text: str, kind: str) -> str:
    found = re.search(rf"https://autodiag\.example/{kind}/([A-Za-z0-9_-]+)\r?\n", text)
    assert found, text
    return found[1]


async def confirmed(house: House, box: Server, address: str = ADDRESS) -> str:
    """A conversation whose owner left an address and said yes."""
    made = await begun(house)
    assert await desk.leave(house, made, address, "192.0.2.1")
    await work(house)
    assert await desk.confirm(house, link_in(box.kept.pop().get_content(), "confirmer"))
    return made


async def write(house: House, conversation: str, **how: Any) -> bool:
    values: dict[str, Any] = {"minutes": 3, "last": 0, "visit": 0}

    def writing(tx: Connection) -> bool:
        return letter(house, tx, conversation, "unfinished", values, **how)

    return await house.store.db.submit(writing)


def test_an_address_is_asked_to_confirm_then_written_to(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        made = await begun(house)
        assert not await write(house, made)
        left = await desk.leave(house, made, f" {ADDRESS} ", "192.0.2.1")
        assert left
        assert len(left.phrase) == 4
        assert not await write(house, made), "not before its owner says yes"
        await work(house)
        (asked,) = box.kept
        assert asked["To"] == ADDRESS
        assert not set(left.phrase) & set(re.findall(r"\w+", asked.get_content())), "the phrase never leaves by mail"
        token = link_in(asked.get_content(), "confirmer")
        assert await desk.confirm(house, token)
        assert await write(house, made)
        await work(house)
        _, said = box.kept
        assert "3 minutes" in said.get_content()
        assert await who_limited(house, link_in(said.get_content(), "m")) == made
        assert states(house) == [("done", None)] * 2

    playing(house, certificate, story)


def test_what_every_mail_carries(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        made = await confirmed(house, box)
        await write(house, made)
        await work(house)
        (said,) = box.kept
        assert said["From"].addresses[0].addr_spec == SENDER
        assert said["From"].addresses[0].display_name == "L'Autodiag"
        assert said["Reply-To"].addresses[0].addr_spec == house.settings.contact.email
        assert said["Auto-Submitted"] == "auto-generated"
        assert said["Content-Language"] == "fr"
        assert said["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        stop = link_in(said.get_content(), "e")
        assert said["List-Unsubscribe"].strip() == f"<https://autodiag.example/e/{stop}>"
        assert re.fullmatch(r"<[0-9a-f]{32}@programme\.example>", said["Message-ID"])
        assert said.get_content_type() == "text/plain"
        assert not said.is_multipart()
        assert said["Subject"] == "Vous pouvez reprendre où vous en étiez"
        assert all(len(line) <= 998 for line in said.as_bytes().splitlines())
        assert await desk.stop(house, stop)
        assert not await write(house, made)

    playing(house, certificate, story)


def test_one_click_is_promised_over_https_only(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        await desk.leave(house, await begun(house), ADDRESS, "192.0.2.1")
        await work(house)
        assert box.kept[0]["List-Unsubscribe"].strip().startswith("<http://localhost:8000/e/")
        assert "List-Unsubscribe-Post" not in box.kept[0]

    playing(house, certificate, story, public_url="http://localhost:8000")


def test_a_letter_whose_reason_is_gone_does_not_leave(house: House, certificate: Certificate, clock: Any) -> None:
    async def story(house: House, box: Server) -> None:
        store = house.store
        hows = ("stopped", "taken-back", "replaced", "erased", "journal", "came-back", "quiet", "late", "still-true")
        made = {how: await confirmed(house, box, f"{how}@boutique.example") for how in hows}
        for how, each in made.items():
            hours = 1 if how == "late" else 3
            assert await write(house, each, expires_at=house.now() + timedelta(hours=hours))
        await desk.stop(house, contacts.stop_token(store.keyring, REMINDERS, "stopped@boutique.example"))
        await desk.take_back(house, made["taken-back"])
        await desk.leave(house, made["replaced"], "autre@boutique.example", "192.0.2.1")
        await turn.erase(house, made["erased"])
        store.journal.write(store.keyring, made["journal"])  # an erasure on disk whose transaction was lost
        for how, did in (("came-back", Clicked("branche", "optique")), ("quiet", Commanded("quiet"))):
            await turn.take(house, door="web", incoming=how * 4, conversation=made[how], revision=None, event=did)
        clock.forward(hours=2)
        await work(house)
        assert {message["To"] for message in box.kept} == {"autre@boutique.example", "still-true@boutique.example"}
        assert ["3 minutes" in message.get_content() for message in box.kept if "autre" in message["To"]] == [False]

    playing(house, certificate, story)


def test_a_mail_that_may_have_left_is_not_sent_again_and_the_operator_sees_it(
    house: House, certificate: Certificate
) -> None:
    async def story(house: House, box: Server) -> None:
        made = await confirmed(house, box)
        box.drops = "data"
        assert await write(house, made)
        await work(house)
        box.drops = ""
        await work(house)
        assert len(box.kept) == 1
        assert states(house)[-1] == (outbox.UNKNOWN, "SMTPServerDisconnected")
        assert await write(house, made), "and the next one goes"
        await work(house)
        assert len(box.kept) == 2
        assert len({message["Message-ID"] for message in box.kept}) == 2

    playing(house, certificate, story)


def test_after_an_outage_each_mail_leaves_once_and_in_order(house: House, certificate: Certificate, clock: Any) -> None:
    async def story(house: House, box: Server) -> None:
        made = await confirmed(house, box)
        box.says = {"rcpt": "450 plus tard"}
        for minutes in (5, 4, 3):
            values = {"minutes": minutes, "last": 0, "visit": 0}
            await house.store.db.submit(
                lambda tx, v=values: letter(house, tx, made, "unfinished", v)  # type: ignore[misc]
            )
        for _ in range(6):
            await work(house)
            clock.forward(minutes=30)
        assert not box.kept
        box.says = {}
        for _ in range(4):
            await work(house)
            clock.forward(minutes=20)
        assert [re.findall(r"(\d) minutes", message.get_content())[0] for message in box.kept] == ["5", "4", "3"]

    playing(house, certificate, story)


def test_a_recipient_refused_for_good_holds_nobody_up(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        first, second = await confirmed(house, box), await confirmed(house, box, "autre@boutique.example")
        await write(house, first)
        await write(house, second)
        box.says = {"rcpt": f"550 {BOX} inconnu"}
        await worker.work_once(house, DOERS)
        box.says = {}
        await work(house)
        assert [message["To"] for message in box.kept] == ["autre@boutique.example"]
        assert ("failed", "recipient_refused") in states(house)

    playing(house, certificate, story)


def test_said_once_is_not_said_twice(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        first, second = await confirmed(house, box), await confirmed(house, box, "autre@boutique.example")
        said = [await write(house, each, dedup="unfinished-1") for each in (first, first, second)]
        assert said == [True, False, True]
        await work(house)
        assert not await write(house, first, dedup="unfinished-1")
        ways = tables.ways
        kept = house.store.db.read(lambda tx: tx.scalars(select(ways.c.kind).where(ways.c.kind == "mail")).all())
        assert len(kept) == 2, "a letter that does not leave opens no way"

    playing(house, certificate, story)


def test_nobody_s_box_is_flooded_and_nothing_tells(house: House, certificate: Certificate, clock: Any) -> None:
    """Whoever leaves somebody else's address again and again, from where they want, sends three mails a day."""

    async def story(house: House, box: Server) -> None:
        writings = ("canari@gmail.example", "CANARI@gmail.example", "canari+x@gmail.example", "Canari+y@gmail.example")
        for place, address in enumerate(writings * 3):
            assert await desk.leave(house, await begun(house), address, f"192.0.2.{place}")
        await work(house)
        assert len(box.kept) == desk.A_BOX
        clock.forward(days=1)
        assert await desk.leave(house, await begun(house), writings[0], "192.0.2.1")
        await work(house)
        assert len(box.kept) == desk.A_BOX + 1
        assert await desk.stop(house, link_in(box.kept[0].get_content(), "e"))
        clock.forward(days=1)
        made = await begun(house)
        assert await desk.leave(house, made, writings[0], "192.0.2.1")
        await work(house)
        assert len(box.kept) == desk.A_BOX + 1, "never again to somebody who stopped"
        kept = await desk.kept(house, made)
        assert kept
        assert kept.confirmed_on is None

    playing(house, certificate, story)


def test_one_conversation_or_connection_cannot_ask_for_many(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        made = await begun(house)
        for place in range(desk.A_CONVERSATION):
            assert await desk.leave(house, made, f"c{place}@boutique.example", "192.0.2.1")
        with pytest.raises(desk.TooMany):
            await desk.leave(house, made, "de-trop@boutique.example", "192.0.2.1")
        for place in range(desk.A_CONNECTION - desk.A_CONVERSATION):
            conversation = made if place == 0 else await begun(house)
            if place:
                assert await desk.leave(house, conversation, f"d{place}@boutique.example", "192.0.2.1")
        assert await desk.leave(house, await begun(house), "e@boutique.example", "192.0.2.1")
        with pytest.raises(desk.TooMany):
            await desk.leave(house, await begun(house), "f@boutique.example", "192.0.2.1")
        assert await desk.leave(house, await begun(house), "f@boutique.example", "192.0.2.2")

    playing(house, certificate, story)


@pytest.mark.databases("sqlite", because="tests/store/test_outbox.py posts on both")
def test_to_somebody_without_a_conversation_once_and_not_once_they_stopped(
    house: House, certificate: Certificate
) -> None:
    async def story(house: House, box: Server) -> None:
        def writing(tx: Connection, dedup: str, purpose: str = "consultants") -> bool:
            return letter_to(house, tx, ADDRESS, "test", {}, purpose=purpose, dedup=dedup)

        async def say(*what: str) -> bool:
            return await house.store.db.submit(lambda tx: writing(tx, *what))

        assert [await say("un"), await say("un"), await say("deux")] == [True, False, True]
        sealed = house.store.db.read(lambda tx: tx.scalars(select(tables.outbox.c.payload)).all())
        assert not any(b"canari" in (each or b"").lower() for each in sealed)
        await worker.work_once(house, {"mail.send": DOERS["mail.send"]})
        assert await desk.stop(house, link_in(box.kept[0].get_content(), "e"))
        await work(house)
        assert len(box.kept) == 1
        assert not await say("trois")
        assert await say("trois", "federations")

    playing(house, certificate, story)


@pytest.mark.databases("sqlite", because="tests/store/test_contacts.py forgets on both")
def test_what_nobody_confirmed_is_forgotten_by_itself_and_so_are_the_counts(house: House, clock: Any) -> None:
    async def story() -> None:
        await work(house)
        await desk.leave(house, await begun(house), ADDRESS, "192.0.2.1")
        for hours, left in ((47, 1), (2, 0)):
            clock.forward(hours=hours)
            await work(house)
            kept = house.store.db.read(lambda tx: tx.execute(select(tables.contacts)).all())
            assert len(kept) == left
        assert not house.store.db.read(lambda tx: tx.execute(select(tables.daily)).all())

    asyncio.run(story())


def test_while_mail_is_off_nothing_is_put_in_the_outbox(house: House) -> None:
    async def story() -> None:
        made = await begun(house)
        await desk.leave(house, made, ADDRESS, "192.0.2.1")
        assert not await write(house, made)
        assert not await house.store.db.submit(
            lambda tx: letter_to(house, tx, ADDRESS, "test", {}, purpose="consultants", dedup="un")
        )
        assert not states(house)

    asyncio.run(story())


def test_no_template_of_a_mail_can_name_what_a_firm_answered() -> None:
    """They are given no session, no score, no theme: only what their writer passes, and these names."""
    allowed = {"programme", "contact", "texts", "link", "stop", "minutes", "last", "visit", "questions", "again"}
    allowed |= {"quand", "duree", "expert", "firme", "numero", "sur_place", "space"}  # when a visit is, and who comes
    allowed |= {"name", "role", "until"}  # of who is invited, who is no firm
    found = list(FOLDER.glob("mail_*.j2"))
    assert len(found) >= 7
    for template in found:
        text = template.read_text(encoding="utf-8")
        names = re.findall(r"\{[{%]\s*(?:if|elif|for \w+ in|not|\s)*\s*([a-z_]+)", text)
        assert set(names) - {"else", "endif", "include", "if"} <= allowed, template.name
        if template.stem != "mail_foot":
            assert '{% include "mail_foot.j2" %}' in text
            assert "\n" not in text.partition("Bonjour")[0].strip() or "{%" in text.partition("Bonjour")[0]
