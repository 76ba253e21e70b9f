"""The rooms, the pins and the scripts agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS = [name.strip("()") for name in PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]]


def test_every_room_that_exists_is_held_by_the_contracts_and_installed() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "scripts", "tests"}
    assert rooms <= set(LAYERS), "put the new room in its place in the layers of pyproject.toml"
    assert rooms == set(PROJECT["tool"]["importlinter"]["root_packages"])
    assert rooms <= set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    groups = PROJECT["dependency-groups"]
    for lock, wanted in (
        ("installer", groups["installer"]),
        ("run", [*PROJECT["project"]["dependencies"], *groups["build"]]),
        ("test", [*PROJECT["project"]["dependencies"], *groups["build"], *groups["test"]]),
    ):
        text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8").lower()
        pins = {line.split(" ")[0] for line in text.splitlines() if "==" in line}
        for pin in wanted:
            plain = re.sub(r"\[.*\]", "", pin.split(";")[0].strip().lower())
            assert plain in {re.sub(r"\[.*\]", "", held) for held in pins}, f"{pin}: run `make lock`"


def test_the_locks_name_no_address_and_hash_everything() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert all("--hash=sha256:" in part for part in re.split(r"\n(?=[a-z])", text)[1:])
