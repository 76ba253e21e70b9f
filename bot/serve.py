"""`autodiag serve`: one process that serves the web chat and does the work that is due, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
import uvicorn

from bot import worker
from bot.app import create_app
from bot.doers import doers
from bot.house import House, day_off
from bot.open_chats import hear_for_ever


class Server(uvicorn.Server):
    """Ends the streams of open chats before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self._house = house

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._house.open_chats.close()
        await super().shutdown(sockets)


class PortTaken(Exception):
    """Another program listens there; the message is a French sentence."""


def configure_logs(level: str) -> None:
    """Logs as JSON lines on standard error: what happened, never who, what was said, or a token."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


ALONE_LOOK_EVERY = 2.0
"""Seconds between two looks at the outbox of a worker alone: no bell rings there for what others enqueue."""


@asynccontextmanager
async def working(house: House, *, fetches: bool = True, look_every: float | None = None) -> AsyncIterator[None]:
    """The work beside HTTP: the outbox, and Telegram's messages fetched where nobody brings them."""
    if not house.settings.telegram.on:
        async with _beside(worker.work_for_ever(house, doers(house), look_every=look_every)):
            yield
        return
    from bot.telegram.door import door_of
    from bot.telegram.poll import poll

    door = door_of(house)
    fetching = [poll(door)] if fetches and house.settings.telegram.mode == "poll" else []
    try:
        async with _beside(
            worker.work_for_ever(house, doers(house), look_every=look_every), door.learn_name(), *fetching
        ):
            yield
    finally:
        await door.close()


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """These works while the rest goes on; then cancelled, the last first: the outbox is emptied by the first."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in reversed(tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _read_calendar(house: House) -> None:
    """Read the public holidays now, aside: the first turn would, for half a second, with the database held."""
    await asyncio.to_thread(day_off, house.today())


async def work(house: House, ready: Callable[[], None]) -> None:
    """Do the work of the outbox, and nothing else, until SIGINT or SIGTERM; then finish what is under way.

    `ready` is called once they are listened to.
    """
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    ready()
    async with working(house, fetches=False, look_every=ALONE_LOOK_EVERY):
        await told.wait()


async def serve(house: House, listening: socket.socket) -> None:
    """Serve on a socket already bound until SIGINT or SIGTERM, then finish what is under way."""
    server = house.settings.server
    config = uvicorn.Config(
        create_app(house),
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(server.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in server.trusted_proxies],
        timeout_graceful_shutdown=10,
    )
    house.ear.learn_meanwhile()
    try:
        async with working(house), _beside(hear_for_ever(house), _read_calendar(house)):
            await Server(config, house).serve(sockets=[listening])
    finally:
        house.ear.leave()


def event_loop() -> asyncio.AbstractEventLoop:
    """The fast loop, where it exists; uvicorn takes the one that runs it."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def listen(house: House) -> socket.socket:
    """Bind the address of the settings; raises PortTaken."""
    server = house.settings.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((server.host, server.port))
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"Le port {server.port} n'est pas libre sur {server.host} ({error.strerror}). Arrêtez l'autre programme, "
            "ou choisissez un autre port : AUTODIAG_PORT=8001 make run"
        ) from None
    return listening
