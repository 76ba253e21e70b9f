"""The web chat in tests: in memory for requests, on a real port for the browser."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from bot.house import House
from bot.web.app import create_app
from tests.web.visitor import Visitor


def client_of(app: ASGIApp, base_url: str = "http://localhost:8000") -> TestClient:
    """A client that names its own address with every form, as browsers do."""
    return TestClient(app, base_url=base_url, headers={"origin": base_url})


@pytest.fixture
def device(house: House) -> Iterator[Callable[[], TestClient]]:
    """Makes devices: clients of one server, each with its own cookies."""
    app = create_app(house)
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(client_of(app))


@pytest.fixture
def visitor(device: Callable[[], TestClient]) -> Visitor:
    """Somebody who has opened the welcome page."""
    return Visitor(device())


@contextmanager
def listening(host: str = "localhost") -> Iterator[tuple[socket.socket, str]]:
    """A port of this machine, and its address."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        port.listen(64)
        yield port, f"http://{host}:{port.getsockname()[1]}"


@contextmanager
def serving(app: ASGIApp, port: socket.socket) -> Iterator[None]:
    """A real server of this application on this port."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [port]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join()


def with_server(house: House, **changes: object) -> House:
    """The same house, with other settings of its server."""
    server = house.settings.server.model_copy(update=changes)
    return replace(house, settings=house.settings.model_copy(update={"server": server}))


@pytest.fixture
def served(house: House) -> Iterator[str]:
    """The address of a real server of this house."""
    with listening() as (port, address), serving(create_app(with_server(house, public_url=address)), port):
        yield address


Phone = Callable[..., BrowserContext]


@pytest.fixture
def phone(browser: Browser, served: str) -> Iterator[Phone]:
    """Makes phones: browser contexts 390 pixels wide, each with its own cookies."""
    made: list[BrowserContext] = []

    def new(*, width: int = 390, height: int = 844, script: bool = True, dark: bool = False) -> BrowserContext:
        context = browser.new_context(
            base_url=served,
            viewport={"width": width, "height": height},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(5000)
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()
