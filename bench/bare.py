"""The bare route: what any turn must do, and nothing else. Run as a process: `python -m bench.bare URL PLAN`.

The same server stack (Starlette, gzip, uvicorn, uvloop, httptools), the same store engine with its settings and its
group commit; one SELECT, one INSERT and one UPDATE of as many bytes as a turn's, in one durable transaction; then a
page of as many bytes. No key, no cookie, no form, no template.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys

import uvicorn
from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text, insert, select, update
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bot.serve import event_loop
from store.engine import Database

metadata = MetaData()
rows = Table(
    "bare_rows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
log = Table(
    "bare_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)


def create_app(db: Database, plan: dict[str, str | int]) -> Starlette:
    """Routes: one for each kind of page, and a welcome."""
    data = os.urandom(int(plan["row"]))
    fact = os.urandom(int(plan["log"]))

    def turn(tx: Connection, name: str) -> int:
        found = tx.execute(select(rows).where(rows.c.id == name)).one_or_none()
        revision = found.revision + 1 if found else 1
        tx.execute(insert(log).values(id=name, revision=revision, data=fact))
        if found:
            tx.execute(update(rows).where(rows.c.id == name).values(revision=revision, data=data))
        else:
            tx.execute(insert(rows).values(id=name, revision=revision, data=data))
        return revision

    async def answer(request: Request) -> Response:
        await request.body()
        name = request.headers["x-name"]
        await db.submit(lambda tx: turn(tx, name))
        if request.headers["x-page"].startswith("api"):
            return JSONResponse(pages[request.headers["x-page"]])
        return HTMLResponse(pages[request.headers["x-page"]])

    async def keep_page(request: Request) -> Response:
        given = (await request.body()).decode()
        name = request.headers["x-page"]
        pages[name] = json.loads(given) if name.startswith("api") else given
        return Response(status_code=204)

    async def welcome(_: Request) -> Response:
        return Response("ok")

    pages: dict[str, object] = {}
    return Starlette(
        routes=[
            Route("/", welcome),
            Route("/turn", answer, methods=["POST"]),
            Route("/page", keep_page, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=500, compresslevel=6)],
    )


def main(url: str, plan: str) -> None:
    """Serve until told to stop."""
    db = Database(url)
    db.write(metadata.create_all)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(os.environ["AUTODIAG_PORT"])))
    config = uvicorn.Config(
        create_app(db, json.loads(plan)),
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    try:
        with asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(uvicorn.Server(config).serve(sockets=[listening]))
    finally:
        db.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
