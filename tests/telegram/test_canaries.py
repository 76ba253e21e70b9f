"""A chat's number, its owner's name, what was typed, the token and the secret: nowhere on disk, nowhere in the logs."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
import structlog

from bot.content import Content
from bot.serve import configure_logs
from bot.settings import Settings
from tests.telegram.fake import FIRST_NAME, SECRET, TOKEN
from tests.telegram.talk import CHAT, talking

TYPED = "canary-typed-words"
CANARIES = (str(CHAT), FIRST_NAME, TYPED, TOKEN, TOKEN.partition(":")[2], SECRET)


@pytest.mark.databases("sqlite", because="it reads the database's own files")
@pytest.mark.parametrize("mode", ["poll", "webhook"])
def test_nothing_that_names_a_person_or_opens_the_bot_is_kept_or_logged(
    settings: Settings,
    content: Content,
    mode: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with talking(settings, content, mode) as talk:
            await talk.says("/start")
            await talk.presses("Optique-lunetterie")
            await talk.says(TYPED)
            talk.telegram.sends(CHAT, caption=TYPED, photo=[])
            talk.telegram.fault = lambda method, given: 500
            talk.telegram.says(CHAT, "/aide")
            await asyncio.sleep(0.2)
            talk.telegram.fault = lambda method, given: "drop"
            await asyncio.sleep(0.2)
            await talk.telegram.down()
            await asyncio.sleep(0.2)
            on_disk(tmp_path)
            assert TOKEN not in repr(talk.house.settings)
            assert SECRET not in repr(talk.house.settings)

    configure_logs("debug")
    try:
        with caplog.at_level(logging.DEBUG):
            asyncio.run(asyncio.wait_for(story(), 20))
    finally:
        structlog.reset_defaults()  # the stream that it writes to closes with this test
    on_disk(tmp_path)
    said = capfd.readouterr()
    logged = said.out + said.err
    assert "job_waits" in logged
    for canary in CANARIES:
        assert canary not in logged
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    for canary in CANARIES:
        assert canary not in ours


def on_disk(folder: Path) -> None:
    seen = 0
    for file in folder.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        seen += len(data)
        for canary in CANARIES:
            for form in (canary.encode(), canary.encode("utf-16-le"), canary.encode().hex().encode()):
                assert form not in data, f"{canary} in {file}"
        assert CHAT.to_bytes(8) not in data
    assert seen
