"""An open chat hears that the bot spoke first: told to look, never what; nothing depends on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.testclient import TestClient

from bot import open_chats, turn
from bot.house import House
from bot.open_chats import OpenChats
from bot.serve import Server
from bot.web import news
from bot.web.app import create_app
from dialogue.events import Commanded
from store import conversations, tables
from tests.web.conftest import listening, with_server
from tests.web.visitor import Visitor


@pytest.fixture
def live(house: House) -> Iterator[tuple[str, Server]]:
    """A server as `serve` runs it, without the worker, and its address."""
    with listening() as (port, address):
        app = create_app(with_server(house, public_url=address))
        server = Server(uvicorn.Config(app, log_level="error", access_log=False), house)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [port]})
        thread.start()
        while not server.started:
            threading.Event().wait(0.01)
        yield address, server
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive(), "an open stream keeps the server from stopping"


def begun(address: str) -> tuple[Visitor, TestClient]:
    client = httpx.Client(base_url=address, headers={"origin": address}, follow_redirects=True, timeout=5)
    visitor = Visitor(client)  # type: ignore[arg-type]
    visitor.answer()
    return visitor, client  # type: ignore[return-value]


@contextmanager
def stream(client: TestClient, seen: str = "", **headers: str) -> Iterator[Iterator[str]]:
    """The lines of the stream, opened as the page that shows this revision opens it."""
    address = f"/autodiag/nouvelles?t={seen}"
    with client.stream("GET", address, headers={name.replace("_", "-"): v for name, v in headers.items()}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        yield (line for line in answer.iter_lines() if line)


def apart(work: Coroutine[Any, Any, Any]) -> None:
    """In a thread of its own: a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, work).result()


def speak(house: House) -> str:
    """Something happens in the one conversation, elsewhere than in this page; its id."""
    name = house.store.db.read(lambda tx: tx.scalar(tables.conversations.select()))
    assert name
    apart(turn.take(house, door="api", incoming=f"x{name}", conversation=str(name), revision=None, event=ANSWERS))
    return str(name)


ANSWERS = Commanded("answers")


def told(house: House, name: str) -> None:
    house.open_chats.ring(name)


@pytest.mark.databases("sqlite", because="the row is read in the same way on both")
def test_a_page_is_told_to_look_with_the_revision_and_nothing_else(house: House, live: tuple[str, Server]) -> None:
    _, client = begun(live[0])
    with stream(client, seen="1") as lines:
        assert next(lines).startswith("retry: ")
        assert next(lines) == ":"
        name = speak(house)
        told(house, name)
        assert [next(lines), next(lines)] == ["id: 2", "data: 2"]
    with stream(client, seen="1") as lines:  # what was missed while nobody listened is told at once
        assert [next(lines), next(lines), next(lines)][1:] == ["id: 2", "data: 2"]
    with stream(client, seen="1", last_event_id="2") as lines:  # and once only, to a reader that comes back
        assert [next(lines), next(lines)][1] == ":"


@pytest.mark.databases("sqlite", because="the row is read in the same way on both")
def test_what_was_not_announced_is_told_a_little_later(
    house: House, live: tuple[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "BEAT", 0.05)
    _, client = begun(live[0])
    with stream(client, seen="1") as lines:
        speak(house)
        assert "data: 2" in (next(lines) for _ in range(50))


@pytest.mark.databases("sqlite", because="the row is read in the same way on both")
def test_an_erased_conversation_ends_its_streams_and_opens_none(house: House, live: tuple[str, Server]) -> None:
    _, client = begun(live[0])
    with stream(client, seen="1") as lines:
        assert [next(lines), next(lines)][1] == ":"
        name = house.store.db.read(lambda tx: tx.scalar(tables.conversations.select()))
        house.store.db.write(lambda tx: conversations.erase(tx, house.store.keyring, house.store.journal, str(name)))
        told(house, str(name))
        assert list(lines) == ["data: 0"]
    assert client.get("/autodiag/nouvelles?t=1").status_code == 204


@pytest.mark.databases("sqlite", because="nothing of it depends on the database")
def test_who_has_no_conversation_is_told_not_to_come_back(visitor: Visitor) -> None:
    for seen in ("", "1", "x" * 5000, "²"):
        assert visitor.client.get("/autodiag/nouvelles", params={"t": seen}).status_code == 204
    assert visitor.client.get("/integre/nouvelles").status_code == 404


@pytest.mark.databases("sqlite", because="nothing of it depends on the database")
def test_a_crowd_of_streams_is_refused_and_a_place_left_is_given_again(house: House, live: tuple[str, Server]) -> None:
    _, client = begun(live[0])
    with stream(client) as one, stream(client) as other, stream(client) as third, stream(client) as fourth:
        for lines in (one, other, third, fourth):
            assert [next(lines), next(lines)][1] == ":"
        assert len(house.open_chats) == open_chats.EACH
        assert client.get("/autodiag/nouvelles").status_code == 204
    for _ in range(100):
        if not len(house.open_chats):
            break
        threading.Event().wait(0.02)
    with stream(client) as lines:
        assert next(lines).startswith("retry: ")
    full = OpenChats(most=1)
    with full.listening("one"):
        assert not full.may_open("two")


@pytest.mark.databases("sqlite", because="nothing of it depends on the database")
def test_the_server_stops_at_once_under_open_streams(live: tuple[str, Server]) -> None:
    _, client = begun(live[0])
    with stream(client) as lines:
        assert [next(lines), next(lines)][1] == ":"
        live[1].should_exit = True
        assert list(lines) == []


@pytest.mark.databases("postgresql", because="on SQLite there is one process")
def test_what_one_process_announces_another_hears_even_after_its_connection_was_cut(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_chats, "AGAIN", 0.05)
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where starts_with(query, 'LISTEN')"

    async def story() -> None:
        hearing = asyncio.create_task(open_chats.hear_for_ever(house))
        with house.open_chats.listening("one") as ear, house.open_chats.listening("two") as other:
            assert await ear.wait(5)  # rung when it begins to hear
            for _ in range(2):
                other._rung.clear()
                await open_chats.announce(house, "one")
                async with asyncio.timeout(5):
                    await ear._rung.wait()
                assert not other._rung.is_set()
                ear._rung.clear()
                await house.store.db.submit(lambda tx: tx.exec_driver_sql(cut).all())
                async with asyncio.timeout(5):
                    await other._rung.wait()  # everybody looks again when it hears again
                ear._rung.clear()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)

    apart(story())


@pytest.fixture
def at_question(house: House, live: tuple[str, Server], browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the chat at its second question, in a phone of its own."""
    made: list[BrowserContext] = []

    def open_chat(*, script: bool = True) -> Page:
        size = {"width": 390, "height": 844}
        made.append(browser.new_context(base_url=live[0], viewport=size, java_script_enabled=script))  # type: ignore[arg-type]
        made[-1].set_default_timeout(5000)
        page = made[-1].new_page()
        page.goto("/")
        page.locator("main .choices button").first.click()
        page.wait_for_url("**/autodiag?t=1")
        return page

    yield open_chat
    for context in made:
        context.close()


def heard(house: House) -> None:
    """Something new, told to the page once it listens."""
    for _ in range(200):
        if len(house.open_chats):
            break
        threading.Event().wait(0.02)
    told(house, speak(house))


@pytest.mark.needs_chromium
def test_a_page_left_alone_shows_what_is_new_by_itself(house: House, at_question: Callable[..., Page]) -> None:
    page = at_question()
    page.evaluate("performance.now = () => 1e6")  # nobody has touched it for long
    heard(house)
    expect(page.locator("main h1, main h2").first).to_contain_text("Vos réponses")
    assert page.url.endswith("/autodiag?t=2")
    expect(page.locator("#news")).to_be_empty()


@pytest.mark.needs_chromium
def test_somebody_who_types_is_told_and_nothing_moves(house: House, at_question: Callable[..., Page]) -> None:
    page = at_question()
    field = page.locator("main input[type=text]").first
    field.fill("deux perso")
    page.evaluate("performance.now = () => 1e6")
    heard(house)
    notice = page.locator("#news")
    expect(notice).to_contain_text("Il y a du nouveau dans votre conversation.")
    expect(field).to_be_focused()
    expect(field).to_have_value("deux perso")
    assert notice.evaluate("each => each.getBoundingClientRect().bottom <= innerHeight")
    notice.get_by_role("button", name="Voir").click()
    expect(page.locator("main h1, main h2").first).to_contain_text("Vos réponses")
    expect(page.locator("main h1, main h2").first).to_be_focused()
    expect(notice).to_be_empty()


@pytest.mark.needs_chromium
def test_a_page_out_of_sight_listens_to_nothing_and_catches_up_when_seen(
    house: House, at_question: Callable[..., Page]
) -> None:
    page = at_question()
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += " dispatchEvent(new Event('visibilitychange')) }"
    page.evaluate(hide, True)
    for _ in range(200):
        if not len(house.open_chats):
            break
        threading.Event().wait(0.02)
    assert not len(house.open_chats)
    speak(house)
    page.evaluate(hide, False)
    expect(page.locator("#news")).to_contain_text("Il y a du nouveau")


@pytest.mark.needs_chromium
def test_without_script_it_is_there_at_the_next_page(house: House, at_question: Callable[..., Page]) -> None:
    page = at_question(script=False)
    speak(house)
    page.goto("/autodiag")
    expect(page.locator("main h1, main h2").first).to_contain_text("Vos réponses")
