"""Draws docs/pictures/telegram.png: a real exchange with the bot, as the tests' fake Bot API received it.

Needs what `make setup` installs, and Chromium. Run: .venv/bin/python -m scripts.picture_telegram
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import tempfile
from dataclasses import replace
from html import escape
from pathlib import Path

from bot.content import load_content
from bot.settings import load_settings
from tests.telegram.fake import Shown
from tests.telegram.talk import talking

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "telegram.png"
STYLE = """
body { margin: 0; padding: 20px; display: flex; gap: 20px; align-items: flex-start; background: #fff; width: 1180px;
  font: 15px/1.4 system-ui, sans-serif; color: #1d2b26; }
section { flex: 1; background: #dfe8e1; border-radius: 14px; padding: 14px; }
.bot { background: #fff; border-radius: 14px 14px 14px 3px; padding: 10px 13px; white-space: pre-line; }
.me { background: #d3efc4; border-radius: 14px 14px 3px 14px; padding: 8px 13px; width: fit-content; }
.me { margin: 0 0 10px auto; }
.row { display: flex; gap: 5px; margin-top: 5px; }
.row span { flex: 1; text-align: center; background: #5f7d6f; color: #fff; border-radius: 8px; padding: 6px; }
img { width: 100%; border-radius: 10px; margin-bottom: 8px; }
"""


async def exchange(folder: Path) -> list[tuple[str, Shown]]:
    """Plays a conversation on a real house; what was said to the bot, and what it showed then, three times."""
    os.environ |= {"AUTODIAG_DATA_DIR": str(folder / "data"), "AUTODIAG_KEY_FILE": str(folder / "key")}
    async with talking(load_settings(), load_content()) as talk:
        moments = [("/start", replace(await talk.says("/start")))]
        await talk.presses("Optique-lunetterie")
        await talk.presses("2 à 10")
        moments.append(("Non", replace(await talk.presses("Non"))))
        moments.append(("…", await talk.answers_all(lambda labels: labels[min(2, len(labels) - 1)])))
        return moments


def page(moments: list[tuple[str, Shown]]) -> str:
    """The exchange as a page, one panel a moment."""

    def key(button: dict[str, str]) -> str:
        return f"<span>{escape(button['text'])}</span>"

    panels = []
    for said, shown in moments:
        photo = f'<img src="data:image/png;base64,{base64.b64encode(shown.data).decode()}">' if shown.data else ""
        rows = "".join(f"<div class='row'>{' '.join(map(key, row))}</div>" for row in shown.buttons)
        panels.append(
            f'<section><p class="me">{said}</p><div class="bot">{photo}{escape(shown.text)}</div>{rows}</section>'
        )
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{' '.join(panels)}"


def main() -> None:
    """Play, draw, write the picture."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        drawn = page(asyncio.run(exchange(Path(folder))))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1220, "height": 400})
        tab.set_content(drawn)
        tab.screenshot(path=PICTURE, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
