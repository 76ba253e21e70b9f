"""docs/api.md is true: its examples are played in order against the real application."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bot.api.problems import SAID
from dialogue.events import COMMANDS
from tests.api.conftest import Caller

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```http\n(.*?)```\n\n```(?:json|http) (\d+)\n(.*?)```", PAGE, re.DOTALL)


def alike(shown: Any, found: Any) -> bool:
    """Whether what the page shows is what came; `…` is something left out, or the rest of a list or object."""
    if shown == "…":
        return bool(found)
    if isinstance(shown, dict) and isinstance(found, dict):
        named = {name for name in shown if name != "…"}
        return (named == set(found) or ("…" in shown and named < set(found))) and all(
            alike(shown[name], found[name]) for name in named
        )
    if isinstance(shown, list) and isinstance(found, list):
        named_items = [each for each in shown if each != "…"]
        whole = len(shown) == len(found) or (shown[-1:] == ["…"] and len(found) >= len(named_items))
        return whole and all(alike(one, other) for one, other in zip(named_items, found, strict=False))
    return type(shown) is type(found) and bool(shown == found)


def test_the_examples_are_what_happens(caller: Caller, subtests: Any) -> None:
    assert len(EXAMPLES) == PAGE.count("```http\n") >= 9
    known: dict[str, str] = {}
    for request, status, shown in EXAMPLES:
        for name, value in known.items():
            request = request.replace(f"${name}", value)  # noqa: PLW2901
        head, _, body = request.partition("\n\n")
        first, *headers = head.strip().splitlines()
        method, path = first.split(" ")
        answer = caller.http.request(
            method, path, headers=dict(line.split(": ", 1) for line in headers), content=body.strip().encode()
        )
        with subtests.test(request=first):
            assert answer.status_code == int(status), answer.text
            assert alike(json.loads(shown), answer.json()) if shown else not answer.content, answer.text
        if answer.status_code == 201:
            known = {name.upper(): answer.json()[name] for name in ("id", "token")}


def test_the_tables_of_the_page_are_complete() -> None:
    codes = {code: status for code, (status, _, _) in SAID.items()}
    told = re.findall(r"^\| (\d{3}) \| (.*?) \|", PAGE, re.MULTILINE)
    assert {code: int(status) for status, names in told for code in re.findall(r"`(\w+)`", names)} == codes
    names = PAGE.partition("The names: ")[2].partition("A text or a command")[0]
    assert set(re.findall(r"`(\w+)`", names)) == set(COMMANDS)
