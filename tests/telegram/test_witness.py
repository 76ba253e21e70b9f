"""A witness from outside: the first exchanges against a Bot API that others wrote, npm's telegram-test-api.

It has no pictures, no limits and no refusals, so it only tells whether our own fake speaks the same language.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.content import Content
from bot.house import open_house
from bot.serve import working
from bot.settings import Settings
from tests.telegram.fake import TOKEN
from tests.telegram.talk import CHAT, at_telegram

PACKAGE = "telegram-test-api@4.2.1"
KEPT = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "autodiag-witness"


@pytest.fixture
def witness() -> Iterator[str]:
    """The address of the other Bot API."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed: no witness")
    if not (KEPT / "node_modules" / "telegram-test-api").is_dir():
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(KEPT), PACKAGE]
        try:
            subprocess.run(install, check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{PACKAGE} could not be installed: {type(error).__name__}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = Path(__file__).with_name("witness.js")
    environment = {**os.environ, "NODE_PATH": str(KEPT / "node_modules")}
    with subprocess.Popen([node, str(script), str(port)], env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            if b"ready" not in process.stdout.readline():
                pytest.skip(f"{PACKAGE} does not start here")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.witness
@pytest.mark.databases("sqlite", because="the witness knows nothing of the database")
def test_the_first_questions_as_others_see_them(settings: Settings, content: Content, witness: str) -> None:
    who = {"id": CHAT, "is_bot": False, "first_name": "Témoin", "username": "temoin"}
    where = {"id": CHAT, "type": "private", "first_name": "Témoin"}

    async def story() -> None:
        house = open_house(at_telegram(settings, witness), content=content)
        async with working(house), httpx.AsyncClient(base_url=witness, trust_env=False) as person:

            async def sent() -> list[dict[str, Any]]:
                history = (await person.post("/getUpdatesHistory", json={"token": TOKEN})).json()["result"]
                return [
                    each["message"] | {"id": each["messageId"]}
                    for each in history
                    if "chat_id" in each.get("message", {})
                ]

            async def sees(text: str) -> dict[str, Any]:
                until = time.monotonic() + 15
                while time.monotonic() < until:
                    for message in await sent():
                        if text in message["text"]:
                            return message
                    await asyncio.sleep(0.05)
                raise AssertionError(f"{text!r} never seen")

            said = {"botToken": TOKEN, "date": int(time.time()), "from": who, "chat": where, "text": "/start"}
            entities = [{"type": "bot_command", "offset": 0, "length": 6}]
            await person.post("/sendCommand", json={**said, "entities": entities})
            hello = await sees("Quel est votre métier")
            button = hello["reply_markup"]["inline_keyboard"][0][0]
            assert button["text"] == "Import-export"
            about = {"message_id": hello["id"], "date": int(time.time()), "chat": where}
            pressed = {"botToken": TOKEN, "from": who, "message": about, "data": button["callback_data"]}
            await person.post("/sendCallback", json=pressed)
            await sees("Combien de personnes")
        house.store.close()

    asyncio.run(asyncio.wait_for(story(), 30))
