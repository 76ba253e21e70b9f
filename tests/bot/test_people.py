"""`autodiag consultant` and its like: a link for the right person, and clear refusals."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from access.tables import accounts
from bot.cli import app
from bot.house import House
from bot.web.app import create_app
from tests.web.conftest import client_of

pytestmark = pytest.mark.databases("sqlite", because="the rooms are tested on both")


def autodiag(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(words))
    return found.exit_code, found.output


def test_an_invitation_is_printed_once_and_opens_a_page(house: House) -> None:
    code, said = autodiag("consultant", "invite", "Alix  Durand", "--email", "ALIX@exemple.fr", "--firm", "Cabinet")
    assert code == 0
    address = re.search(r"^http://localhost:8000(/invitation/[\w-]{32})$", said, re.MULTILINE)
    assert address
    object.__setattr__(house, "now", lambda: datetime.now(UTC))
    assert "Bonjour Alix Durand" in client_of(create_app(house)).get(address[1]).text
    code, said = autodiag("consultant", "list")
    assert code == 0
    assert address[1][-32:] not in said
    for part in ("Alix Durand", "Cabinet", "alix@exemple.fr", "invitation ouverte jusqu'au"):
        assert part in said
    assert "Personne pour l'instant" in autodiag("federation", "list")[1]


def test_a_federation_has_a_branch(house: House) -> None:
    code, said = autodiag("federation", "invite", "opticiens", "Zoé")
    assert code == 2
    assert "horlogerie-bijouterie, chaussure" in said
    assert autodiag("federation", "invite", "autre", "Zoé")[0] == 2
    assert autodiag("federation", "invite", "optique", "Zoé")[0] == 0
    [row] = house.store.db.read(lambda tx: tx.execute(select(accounts)).all())
    assert (row.role, row.branch) == ("federation", "optique")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Alix", "--email", "alix"), "Il manque une partie de l'adresse"),
        (("Alix", "--email", "a@b.fr\nBcc: x@y.fr"), "pas d'espace"),
        (("",), "Le nom doit tenir"),
        (("x" * 81,), "Le nom doit tenir"),
        (("Al\x1b[31mix",), "Le nom doit tenir"),
        (("Alix", "--firm", "y" * 81), "L'entreprise doit tenir"),
    ],
)
def test_what_cannot_be_a_person_is_refused(house: House, words: tuple[str, ...], said: str) -> None:
    code, output = autodiag("consultant", "invite", *words)
    assert code == 2
    assert said in output
    assert not house.store.db.read(lambda tx: tx.execute(select(accounts)).all())


def test_the_same_address_is_not_invited_twice(house: House) -> None:
    autodiag("consultant", "invite", "Alix", "--email", "alix@exemple.fr")
    code, said = autodiag("consultant", "invite", "Alix", "--email", "Alix@Exemple.fr")
    assert code == 2
    named = re.search(r"autodiag consultant recover (\w+)", said)
    assert named
    code, said = autodiag("consultant", "recover", named[1])
    assert code == 0
    assert "/invitation/" in said
    assert autodiag("consultant", "revoke", named[1])[0] == 0
    assert "fermé le" in autodiag("consultant", "list")[1]
    assert autodiag("consultant", "revoke", named[1])[0] == 2
    assert "invitez à nouveau" in autodiag("consultant", "recover", named[1])[1]
    assert autodiag("consultant", "invite", "Alix", "--email", "alix@exemple.fr")[0] == 0


def test_a_name_of_another_role_is_nobody(house: House) -> None:
    said = autodiag("consultant", "invite", "Alix")[1]
    named = re.search(r"\((\w{24})\)", said)
    assert named
    for role in ("federation", "operator"):
        code, output = autodiag(role, "revoke", named[1])
        assert code == 2
        assert "Personne n'a l'identifiant" in output
    assert autodiag("consultant", "revoke", "")[0] == 2


def test_no_link_is_made_where_no_passkey_can_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODIAG_PUBLIC_URL", "http://192.168.1.3")
    code, said = autodiag("operator", "invite", "Olga")
    assert code == 2
    assert "adresse IP" in said
    assert not house.store.db.read(lambda tx: tx.execute(select(accounts)).all())
