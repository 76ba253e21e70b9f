"""Handing a message to a real SMTP server: what it says is told as done, later, never or maybe, and never wrongly."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bot.mail import post
from bot.mail.post import deliver
from bot.settings import Mail, Settings, load_settings
from bot.worker import Later, Never
from tests.mail.conftest import PASSWORD, SENDER, USER, Certificate, account, listening, mail_by

TO = "canari@boutique.example"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings()


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = SENDER, TO, "Essai", "<abc@programme.example>"
    made.set_content("Bonjour,\n.\n..\nÀ bientôt\n", cte="quoted-printable")
    return made


def outcome(settings: Settings, mail: Mail, attempts: int = 1) -> Any:
    """Sends one message; what became of it."""
    return asyncio.run(_outcome(settings, mail, attempts))


async def _outcome(settings: Settings, mail: Mail, attempts: int = 1) -> Any:
    try:
        await deliver(settings.model_copy(update={"mail": mail}), message(), attempts)
    except (Later, Never) as told:
        return told
    return "done"


@pytest.mark.parametrize("tls", [False, True])
def test_it_leaves_encrypted_and_signed_in_and_arrives_whole(
    settings: Settings, certificate: Certificate, tls: bool
) -> None:
    async def story() -> None:
        async with listening(certificate, tls=tls, auth_required=not tls) as server:
            how: dict[str, Any] = {"security": "tls"} if tls else account()
            assert await _outcome(settings, mail_by(server, certificate, **how)) == "done"
            assert server.accounts == ([] if tls else [(USER, PASSWORD)])
            assert tls or server.encrypted == [True]
            (got,) = server.kept
            assert got.get_content().replace("\r\n", "\n") == "Bonjour,\n.\n..\nÀ bientôt\n"

    asyncio.run(story())


def told(found: Any) -> tuple[str, bool]:
    if isinstance(found, Never):
        return f"never {found}", False
    return ("later " + found.reason, found.maybe) if isinstance(found, Later) else (found, False)


@pytest.mark.parametrize(
    ("says", "drops", "what", "maybe"),
    [
        ({"mail": "451 plus tard"}, "", "later sender_refused", False),
        ({"mail": f"550 {SENDER} interdit"}, "", "later sender_refused", False),
        ({"rcpt": f"450 {TO} plus tard"}, "", "later recipient_later", False),
        ({"rcpt": f"550 {TO} inconnu"}, "", "never recipient_refused", False),
        ({"data": "452 plein"}, "", "later message_later", False),
        ({"data": "554 refusé"}, "", "never message_refused", False),
        ({}, "mail", "later SMTPServerDisconnected", False),
        ({}, "rcpt", "later SMTPServerDisconnected", False),
        ({}, "data", "later SMTPServerDisconnected", True),
    ],
)
def test_each_answer_of_the_server_is_told_for_what_it_is(
    settings: Settings, says: dict[str, str], drops: str, what: str, maybe: bool
) -> None:
    """And the one rule: what is said not to have left was not kept by the server."""

    async def story() -> None:
        async with listening(None) as server:
            server.says, server.drops = says, drops
            found = await _outcome(settings, mail_by(server, None))
            assert told(found) == (what, maybe)
            assert bool(server.kept) == maybe
            server.says, server.drops = {}, ""
            assert await _outcome(settings, mail_by(server, None)) == "done"

    asyncio.run(story())


def test_a_server_too_slow_to_answer_may_have_kept_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with listening(None) as server:
            server.slow = 0.15
            monkeypatch.setattr(post, "HANDING", 0.05)
            assert told(await _outcome(settings, mail_by(server, None)))[1] is True

    asyncio.run(story())


def test_a_server_that_says_nothing_has_kept_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def story() -> None:
        monkeypatch.setattr(post, "BEFORE", 0.05)
        made = await asyncio.start_server(mute, "127.0.0.1", 0)
        mail = Mail(serveur="localhost", port=made.sockets[0].getsockname()[1], chiffrement="aucun", adresse=SENDER)
        found = await _outcome(settings, mail)
        assert isinstance(found, Later)
        assert not found.maybe
        made.close()

    asyncio.run(story())


def test_a_server_that_is_down_is_tried_less_and_less_often(settings: Settings) -> None:
    down = Mail(serveur="localhost", port=1, chiffrement="aucun", adresse=SENDER)
    waits = []
    for attempts in (1, 2, 4, 30):
        found = outcome(settings, down, attempts)
        assert isinstance(found, Later)
        assert not found.maybe
        waits.append(found.after or 0)
    assert waits == sorted(waits)
    assert 3 <= waits[0] <= 7
    assert waits[-1] <= post.SLOWEST * 1.25


def test_what_an_operator_must_mend_waits_for_them(settings: Settings, certificate: Certificate) -> None:
    async def story() -> None:
        async with listening(certificate, auth_required=True) as server:
            wrong = mail_by(server, certificate, **account() | {"password": type(account()["user"])("autre")})
            assert told(await _outcome(settings, wrong)) == ("later wrong_password", False)
            server.accounts.clear()
            stranger = mail_by(server, certificate, **account()).model_copy(update={"authority": None})
            assert told(await _outcome(settings, stranger))[0].startswith("later")
            assert not server.accounts, "no password goes to a server that nobody vouches for"
        async with listening(None) as plain:
            unsafe = mail_by(plain, None).model_copy(update={"security": "starttls", **account()})
            assert told(await _outcome(settings, unsafe))[0].startswith("later")
            assert not plain.accounts
            assert not plain.kept

    asyncio.run(story())


def test_nothing_told_repeats_the_address_or_the_server(settings: Settings) -> None:
    async def story() -> None:
        async with listening(None) as server:
            for step in ("mail", "rcpt", "data"):
                server.says = {step: f"550 {TO} {SENDER}"}
                found = await _outcome(settings, mail_by(server, None))
                assert "@" not in f"{found!r} {getattr(found, 'reason', '')}"
                assert found.__cause__ is None

    asyncio.run(story())


def test_for_developing_each_message_is_one_file_for_this_account_alone(settings: Settings, tmp_path: Path) -> None:
    mail = Mail(developpement_dossier=str(tmp_path / "courriels"))
    assert mail.on
    assert outcome(settings, mail) == outcome(settings, mail) == "done"
    (file,) = (tmp_path / "courriels").iterdir()
    assert file.suffix == ".eml"
    assert file.stat().st_mode & 0o077 == 0
    assert b"Subject: Essai" in file.read_bytes()
