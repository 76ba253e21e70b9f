"""The operator's figures: totals that outlive conversations, no trial, no firm, and not for everybody."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from rich.console import Console
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from typer.testing import CliRunner

from bot import stats
from bot.app import create_app
from bot.cli import app as command_line
from bot.house import House
from bot.metrics import Metrics
from bot.turn import begin
from tests.api.conftest import Caller
from tests.conftest import Clock


def figures(house: House) -> dict[str, float]:
    """The metrics as Prometheus reads them now, but those of time."""
    page = asyncio.run(Metrics(house, fresh_for=0).page("GET"))
    lines = bytes(page.body).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line and line[0] != "#"}


def played(caller: Caller) -> None:
    """One who finishes the short path, does a tutorial twice and starts again; one who stops at the third question."""
    finisher = caller.begin(profile={"branche": "optique"}, campaign="lettre-12").to_result()
    tutorial = next(button["word"] for button in finisher.turn["buttons"] if button["name"] == "tutorial")
    for _ in range(2):
        finisher.command("done", word=tutorial)
    finisher.command("restart")
    finisher.command("confirm")
    finisher.to_result("nsp")
    stopper = caller.begin()
    for _ in range(2):
        stopper.choose()
    stopper.command("answers")
    caller.begin(trial=True).to_result()


def test_milestones_are_counted_once_and_never_for_a_trial(caller: Caller, house: House) -> None:
    played(caller)
    found = figures(house)
    assert found['autodiag_conversations_begun_total{door="api"}'] == 2
    assert found['autodiag_restarted_total{door="api"}'] == 1
    assert found['autodiag_short_path_done_total{door="api"}'] == 2
    assert found['autodiag_tutorials_done_total{door="api"}'] == 1
    assert found['autodiag_done_total{door="api"}'] == 0
    assert found["autodiag_outbox_due"] == 0


def test_many_who_begin_at_once_are_all_counted(house: House) -> None:
    async def many() -> None:
        await asyncio.gather(*(begin(house, door="api", incoming=f"unguessable-{n}") for n in range(24)))

    asyncio.run(many())
    assert figures(house)['autodiag_conversations_begun_total{door="api"}'] == 24


def test_totals_outlive_what_is_erased_and_a_restart_of_the_process(caller: Caller, house: House) -> None:
    shop = caller.begin().to_result()
    before = {name: n for name, n in figures(house).items() if name.endswith('_total{door="api"}')}
    assert shop.http.delete(shop.at, headers=shop.headers()).status_code == 204
    again = replace(house, watchers=[], doors={})
    assert {name: n for name, n in figures(again).items() if name.endswith('_total{door="api"}')} == before
    assert sum(before.values()) == 2


def test_the_abandoned_are_counted_by_theme_after_fourteen_days_of_silence(
    caller: Caller, house: House, clock: Clock
) -> None:
    played(caller)
    theme = 'autodiag_abandoned{theme="pilotage"}'
    clock.forward(days=13)
    assert figures(house)[theme] == 0
    clock.forward(days=1)
    left = {name: n for name, n in figures(house).items() if name.startswith("autodiag_abandoned") and n}
    assert left == {theme: 1}


def test_turns_are_counted_by_door_and_outcome(caller: Caller) -> None:
    shop = caller.begin()
    shop.choose(key="a")
    shop.choose(key="a")
    shop.send({"type": "choice", "node": "branche", "choice": "optique", "revision": 1})
    shop.command("confirm")
    Caller(shop.http, shop.id, "wrong").send({"type": "command", "name": "why"})
    text = caller.http.get("/metrics").text
    outcomes = dict(re.findall(r'autodiag_turns_total\{door="api",outcome="(\w+)"\} (\d+)', text))
    assert outcomes == {"begun": "1", "taken": "1", "seen": "1", "stale": "1", "refused": "1", "gone": "1"}
    assert 'autodiag_turn_seconds_count{door="api"} 6.0' in text


def test_nothing_in_the_figures_names_a_firm_or_an_answer(caller: Caller, house: House) -> None:
    played(caller)
    text = caller.http.get("/metrics").text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {"door", "outcome", "le", "theme", "state"}
    for secret in ("optique", "lettre", "nsp", "import"):
        assert secret not in text
    assert set(re.findall(r'theme="([^"]*)"', text)) == set(stats.places(house.flow))


@pytest.mark.databases("sqlite", because="no database is read")
def test_the_figures_are_for_this_machine_unless_the_settings_say_otherwise(app: ASGIApp, house: House) -> None:
    def status(client: str, asked: ASGIApp = app, headers: dict[str, str] | None = None) -> int:
        with TestClient(asked, client=(client, 1), headers=headers) as http:
            return int(http.get("/metrics").status_code)

    def with_server(**settings: Any) -> ASGIApp:
        server = house.settings.server.model_copy(update=settings)
        return create_app(replace(house, settings=house.settings.model_copy(update={"server": server})))

    assert [status(one) for one in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")] == [200] * 4
    assert [status(one) for one in ("10.0.0.2", "::ffff:10.0.0.2", "2001:db8::1", "testclient", "")] == [404] * 5
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert status("127.0.0.1", headers={header: "203.0.113.9"}) == 404
    elsewhere = with_server(metrics_open_to=(ip_network("10.0.0.0/24"),))
    assert [status(one, elsewhere) for one in ("10.0.0.2", "127.0.0.1")] == [200, 404]
    trusting = with_server(trusted_proxies=(ip_network("127.0.0.1/32"),))
    assert status("127.0.0.1", trusting, {"X-Forwarded-For": "203.0.113.9"}) == 200
    nobody = with_server(metrics_open_to=())
    assert status("127.0.0.1", nobody) == 404
    with TestClient(app, client=("127.0.0.1", 1)) as http:
        assert http.post("/metrics").status_code == 405


def test_the_database_is_not_asked_at_each_reading(caller: Caller) -> None:
    begun = r'autodiag_conversations_begun_total\{door="api"\} (\d+)'
    caller.begin()
    assert re.findall(begun, caller.http.get("/metrics").text) == ["1"]
    caller.begin()
    assert re.findall(begun, caller.http.get("/metrics").text) == ["1"]


def test_the_operator_reads_completion_by_door_and_by_step(
    caller: Caller, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(caller)
    printed = Console(width=160, record=True)
    printed.print(stats.table(house.store.db.read(lambda tx: stats.read(tx, house.now())), house.flow))
    lines = [re.split(r"\s*[│┃]\s*", line.strip("│┃ ")) for line in printed.export_text().splitlines()]
    cells = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines}
    assert cells["api"] == ["2", "1", "2", "67 %", "0", "0 %", "1"]
    assert cells["Toutes"] == cells["api"]
    assert cells["Vous et votre entreprise"][:2] == ["2", "100 %"]
    themes = [house.flow.section[place].title for place in stats.places(house.flow)]
    assert cells[themes[1]] == ["2", "100 %", "1", "0"]
    assert cells[themes[2]] == ["1", "50 %", "0", "0"]
    assert cells["Premier résultat vu"][:2] == ["1", "50 %"]


def test_the_command_prints_the_tables(caller: Caller, house: House) -> None:
    caller.begin()
    found = CliRunner().invoke(command_line, ["stats"], env={"COLUMNS": "160"})
    assert found.exit_code == 0, found.output
    assert "Premier résultat" in found.stdout
    assert "Abandonnées là (14 j)" in found.stdout
