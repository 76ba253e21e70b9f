"""The mail part of config.yml: off as it comes, encrypted or refused, no secret in it; what the operator is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.house import House
from bot.mail.trial import try_out
from bot.settings import ROOT, SettingsError, load_settings
from store.addresses import BadAddress
from tests.mail.conftest import PASSWORD, USER, Certificate, account, listening, mail_by, with_mail

EXAMPLE = (ROOT / "config.yml").read_text(encoding="utf-8")
BEGINNING, SECTION, _ = EXAMPLE.partition("courriel:\n")
Write = Callable[..., Path]
SENDS = {"serveur": '"smtp.exemple.fr"', "adresse": '"autodiag@exemple.fr"'}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AUTODIAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The example, with these keys in its part about mail, and this public address."""

    def write(keys: dict[str, str], public: str = "http://localhost:8000") -> Path:
        file = tmp_path / "config.yml"
        lines = [*(f"  {name}: {value}" for name, value in keys.items()), ""]
        other = BEGINNING.replace(
            '  # adresse_publique: "https://autodiag.federation.example"', f'  adresse_publique: "{public}"'
        )
        file.write_text(other + SECTION + "\n".join(lines), encoding="utf-8")
        return file

    return write


def test_the_example_sends_nothing_and_says_so() -> None:
    mail = load_settings().mail
    assert not mail.on
    assert mail.told == "E-mail : fermé, aucun serveur d'envoi (courriel, dans config.yml)."


def test_a_server_and_a_sender_are_enough_and_the_account_comes_from_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTODIAG_SMTP_USER", USER)
    monkeypatch.setenv("AUTODIAG_SMTP_PASSWORD", PASSWORD)
    settings = load_settings(write(SENDS))
    assert settings.mail.on
    assert (settings.mail.port, settings.mail.security) == (587, "starttls")
    assert settings.mail.told == "E-mail : par smtp.exemple.fr, de autodiag@exemple.fr."
    assert settings.mail.password.get_secret_value() == PASSWORD
    assert PASSWORD not in f"{settings!r} {settings}"
    assert USER not in f"{settings!r} {settings}"


def test_for_developing_a_folder_beside_the_file(write: Write, tmp_path: Path) -> None:
    mail = load_settings(write({"developpement_dossier": '"courriels"'})).mail
    assert mail.on
    assert mail.folder == tmp_path / "courriels"
    assert "rien ne part" in mail.told


@pytest.mark.parametrize(
    ("keys", "public", "environment", "said"),
    [
        ({"serveur": '"smtp.exemple.fr"'}, "", {}, "il manque « adresse »"),
        ({**SENDS, "adresse": '"autodiag"'}, "", {}, "comme nom@exemple.fr"),
        ({**SENDS, "nom": '"Autodiag\\nBcc: x@y.fr"'}, "", {}, "sur une seule ligne"),
        ({**SENDS, "serveur": '"smtp exemple"'}, "", {}, "courriel.serveur"),
        ({**SENDS, "port": "0"}, "", {}, "hors limites"),
        ({**SENDS, "chiffrement": "ssl"}, "", {}, "accepte seulement"),
        ({**SENDS, "chiffrement": "aucun"}, "", {}, "passeraient en clair"),
        ({**SENDS, "serveur": "localhost", "chiffrement": "aucun"}, "", account, "passeraient en clair"),
        ({**SENDS, "mot_de_passe": '"secret"'}, "", {}, "AUTODIAG_SMTP_PASSWORD"),
        ({**SENDS, "password": '"secret"'}, "", {}, "AUTODIAG_SMTP_PASSWORD"),
        (SENDS, "", {"AUTODIAG_SMTP_PASSWORD": "secret"}, "ensemble, ou aucun des deux"),
        ({**SENDS, "autorite": '"/nulle/part.pem"'}, "", {}, "est introuvable"),
        ({**SENDS, "developpement_dossier": '"courriels"'}, "", {}, "Gardez l'un des deux"),
        ({"developpement_dossier": '"courriels"'}, "https://autodiag.exemple.fr", {}, "est pour développer"),
    ],
)
def test_what_would_send_in_clear_or_not_at_all_keeps_from_starting(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, str],
    public: str,
    environment: dict[str, str] | Callable[[], object],
    said: str,
) -> None:
    given = (
        environment if isinstance(environment, dict) else {"AUTODIAG_SMTP_USER": USER, "AUTODIAG_SMTP_PASSWORD": "x"}
    )
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(write(keys, public or "http://localhost:8000"))
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_of_this_machine_may_be_spoken_to_in_clear(write: Write) -> None:
    assert load_settings(write({**SENDS, "serveur": "localhost", "chiffrement": "aucun"})).mail.on


@pytest.mark.databases("sqlite", because="a trial writes nothing")
def test_the_operator_tries_and_is_told_what_came_of_it(house: House, certificate: Certificate) -> None:
    async def story() -> None:
        assert await try_out(house, "moi@exemple.fr") == (False, house.settings.mail.told)
        async with listening(certificate, auth_required=True) as box:
            on = with_mail(house, mail_by(box, certificate, **account()))
            left, sentence = await try_out(on, "moi@exemple.fr")
            assert left
            assert sentence.startswith("C'est parti. E-mail : par localhost")
            assert box.kept[0]["Subject"] == "Essai d'envoi de « Autodiag Cyberdiag »"
            for says, said in (
                ({"rcpt": "550 non"}, "vérifiez-la"),
                ({"mail": "550 non"}, "vérifiez « adresse »"),
                ({"data": "550 spam"}, "SPF, DKIM et DMARC"),
                ({"rcpt": "450 plus tard"}, "quelques minutes"),
            ):
                box.says = says
                assert (await try_out(on, "moi@exemple.fr"))[0] is False
                assert said in (await try_out(on, "moi@exemple.fr"))[1]
            box.says, box.drops = {}, "data"
            assert "On ne sait pas s'il est parti" in (await try_out(on, "moi@exemple.fr"))[1]
            wrong = with_mail(house, mail_by(box, certificate, **account() | {"user": account()["password"]}))
            assert "AUTODIAG_SMTP_USER" in (await try_out(wrong, "moi@exemple.fr"))[1]
        assert "ne répond pas" in (await try_out(on, "moi@exemple.fr"))[1]
        with pytest.raises(BadAddress):
            await try_out(on, "moi")

    asyncio.run(asyncio.wait_for(story(), 20))
