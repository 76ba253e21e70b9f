"""An invitation by e-mail: to the person, once, with the link that the command printed too."""

from __future__ import annotations

import re

import pytest

from access import invitations
from bot import people
from bot.house import House
from store import contacts
from tests.mail.conftest import Certificate, Server
from tests.mail.test_letters import playing, states, work

pytestmark = pytest.mark.databases("sqlite", because="the outbox is tested on both")
ADDRESS = "alix@cabinet.example"
LINK = re.compile(r"^https://autodiag\.example/invitation/([\w-]{32})$", re.MULTILINE)


def token_in(text: str) -> str:
    found = LINK.search(text.replace("\r", ""))
    assert found, text
    return found[1]


def test_the_letter_holds_the_link_that_was_printed(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        said = people.invite(house, "consultant", "Alix Durand", email=ADDRESS)
        assert f"Elle part aussi par e-mail à {ADDRESS}." in said
        await work(house)
        [letter] = box.kept
        assert letter["To"] == ADDRESS
        assert letter["Subject"] == "Votre invitation dans « Autodiag Cyberdiag »"
        text = letter.get_content()
        assert "Bonjour Alix Durand" in text
        assert "La Fédération des commerces d'exemple vous ouvre votre espace d'expert" in text
        token = token_in(text)
        assert token == token_in("\n".join(said))
        now = house.now()
        found = house.store.db.read(lambda tx: invitations.look_up(tx, house.store.keyring, token, now))
        assert found.account.person.name == "Alix Durand"
        [name] = re.findall(r"\((\w{24})\)", said[0])
        people.recover(house, "consultant", name)
        await work(house)
        assert token_in(box.kept[1].get_content()) != token
        assert states(house) == [("done", None)] * 2

    playing(house, certificate, story)


def test_no_letter_without_an_address_or_to_who_stopped_them(house: House, certificate: Certificate) -> None:
    async def story(house: House, box: Server) -> None:
        store = house.store
        stop = contacts.stop_token(store.keyring, "invitations", ADDRESS)
        store.db.write(lambda tx: contacts.stop(tx, store.keyring, store.journal, stop))
        for said in (
            people.invite(house, "operator", "Olga"),
            people.invite(house, "federation", "Zoé", email=ADDRESS, branch="optique"),
        ):
            assert len(said) == 3
            assert token_in("\n".join(said))
        await work(house)
        assert not box.kept

    playing(house, certificate, story)
