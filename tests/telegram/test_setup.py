"""`autodiag telegram setup`, and the settings of the door."""

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import SecretStr

from bot.settings import Settings, SettingsError, load_settings
from bot.telegram.setup import MENU, SetupFailed, setup
from tests.telegram.fake import NAME, SECRET, TOKEN, FakeTelegram
from tests.telegram.talk import at_telegram

pytestmark = pytest.mark.databases("sqlite", because="nothing here touches a database")


def done(
    settings: Settings, mode: str, url: str = "https://autodiag.example", token: str = TOKEN
) -> tuple[list[str], FakeTelegram]:
    async def story() -> tuple[list[str], FakeTelegram]:
        telegram = FakeTelegram()
        await telegram.up()
        chosen = at_telegram(settings, telegram.address, mode)
        server = settings.server.model_copy(update={"public_url": url})
        bot = chosen.telegram.model_copy(update={"token": SecretStr(token)})
        try:
            said = await setup(chosen.model_copy(update={"server": server, "telegram": bot}))
        finally:
            await telegram.close()
        assert telegram.broken == []
        return said, telegram

    return asyncio.run(story())


def test_setup_by_webhook_gives_the_address_the_secret_and_the_menu(settings: Settings) -> None:
    said, telegram = done(settings, "webhook")
    assert NAME in said[0]
    assert "https://autodiag.example/telegram" in said[-1]
    assert SECRET not in "".join(said)
    hook = telegram.settings["setWebhook"]
    assert (hook["url"], hook["secret_token"]) == ("https://autodiag.example/telegram", SECRET)
    assert "callback_query" in json.loads(hook["allowed_updates"])
    assert [each["command"] for each in json.loads(telegram.settings["setMyCommands"]["commands"])] == list(MENU)


def test_setup_by_polling_takes_the_webhook_away(settings: Settings) -> None:
    said, telegram = done(settings, "poll")
    assert "deleteWebhook" in telegram.settings
    assert "setWebhook" not in telegram.settings
    assert said[-1].startswith("Mode poll")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"url": "http://autodiag.example"}, "https"), ({"token": "1234567:" + "x" * 30}, "ne connaît pas ce jeton")],
)
def test_setup_that_fails_says_why_without_the_token(
    settings: Settings, changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SetupFailed, match=sentence) as failed:
        done(settings, "webhook", **changes)
    assert changes.get("token", TOKEN) not in str(failed.value)


def test_the_menu_holds_the_commands_that_were_promised() -> None:
    promised = {"reprendre", "resultat", "tutoriels", "rdv", "reponses", "aide", "mesdonnees", "supprimer"}
    assert promised | {"privacy", "stop", "start"} <= set(MENU)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TOKEN", "un-faux-canari", "BotFather"),
        ("SECRET", "court-canari", "16 à 256"),
        ("MODE", "pigeon", "accepte seulement"),
        ("API", "pas une adresse", "adresse complète"),
    ],
)
def test_a_wrong_variable_stops_the_start_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"AUTODIAG_TELEGRAM_{name}", value)
    with pytest.raises(SettingsError, match=sentence) as refused:
        load_settings()
    assert "canari" not in str(refused.value)


def test_a_webhook_without_a_secret_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTODIAG_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("AUTODIAG_TELEGRAM_MODE", "webhook")
    with pytest.raises(SettingsError, match="AUTODIAG_TELEGRAM_SECRET"):
        load_settings()
    monkeypatch.setenv("AUTODIAG_TELEGRAM_SECRET", SECRET)
    settings = load_settings()
    assert settings.telegram.on
    assert TOKEN not in repr(settings)
    assert SECRET not in settings.model_dump_json()


def test_a_secret_in_the_file_is_refused() -> None:
    for name in ("token", "secret"):
        with pytest.raises(ValueError, match=f"AUTODIAG_TELEGRAM_{name.upper()}"):
            type(load_settings().telegram).model_validate({name: "x"})
