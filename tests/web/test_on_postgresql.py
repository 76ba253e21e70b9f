"""One whole path in a browser on PostgreSQL; every other page in a browser is tested on SQLite only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect


@pytest.mark.needs_chromium
@pytest.mark.databases("postgresql", because="every other browser test runs on SQLite")
def test_the_short_path_from_the_first_button_to_the_result(phone: Callable[..., BrowserContext]) -> None:
    page = phone().new_page()
    page.goto("/")
    for _ in range(60):
        choice = page.locator('.choices button[name="choice"]').first
        if not choice.count():
            break
        before = page.locator("main").get_attribute("data-at")
        choice.click()
        page.wait_for_function("before => document.querySelector('main').dataset.at !== before", arg=before)
    expect(page).to_have_title("Votre résultat – Autodiag Cyberdiag")
    page.reload()
    expect(page.locator("main")).to_have_attribute("data-at", "result  0")
