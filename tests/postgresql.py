"""A private PostgreSQL for tests and measures: its own folder and socket, gone at the end.

PostgreSQL refuses to run as root: the server then runs as another account. Each test takes a fresh database, copied
from one already migrated (30 ms).
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from store import migrations
from store.engine import Database

TEMPLATE = "migrated"
_names = (f"test_{n}" for n in itertools.count(1))


class NotHere(Exception):
    """There is no PostgreSQL on this machine, or no account to run it; the message says what to do."""


class Server:
    """A running server; `folder` holds its socket; `control` runs pg_ctl on it."""

    def __init__(self, folder: Path, control: Callable[..., None]) -> None:
        self.folder, self._control = folder, control
        self._admin = self._connected()
        self._order(f"CREATE DATABASE {TEMPLATE}")
        empty = Database(self.url(TEMPLATE))
        migrations.upgrade(empty)
        empty.close()

    def url(self, database: str) -> str:
        """What AUTODIAG_DATABASE_URL wants."""
        return f"postgresql+psycopg://autodiag@/{database}?host={self.folder}"

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a fresh database, already migrated (`template0`: empty); dropped at the end."""
        name = next(_names)
        self.copy(template, name)
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def copy(self, source: str, name: str) -> None:
        """Make a database as `source` stands; nobody may be connected to it."""
        quickly = "STRATEGY file_copy" if self._admin.info.server_version >= 150_000 else ""
        self._order(f"CREATE DATABASE {name} TEMPLATE {source} {quickly}")

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self._order(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def files(self, name: str) -> list[Path]:
        """Where everything that this database holds stands on the disk, with the server's write-ahead log."""
        self._order("CHECKPOINT")
        oid = self._admin.execute("SELECT oid FROM pg_database WHERE datname = %s", [name]).fetchone()
        assert oid is not None
        place = self.folder / "d"
        return [file for folder in (place / "base" / str(oid[0]), place / "pg_wal") for file in folder.glob("[0-9]*")]

    def stop(self) -> None:
        """Cut everybody, as a power failure would, and answer nobody until `start`."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Answer again, having replayed its log."""
        self._control("start")
        self._admin = self._connected()

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True)

    def close(self) -> None:
        """Let go of the server, which goes on until `running` ends."""
        self._admin.close()

    def _order(self, sql: str) -> None:
        self._admin.execute(sql.encode())


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """A fresh server, on a socket only. `durable`: with fsync, for measures. Raises NotHere."""
    initdb, ctl, user = _tool("initdb"), _tool("pg_ctl"), _account()
    folder = Path(tempfile.mkdtemp(prefix="autodiag-pg-", dir="/tmp"))  # a socket's path must be short
    if user:
        shutil.chown(folder, user)

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    options = f"-k {folder} -c listen_addresses='' -c max_connections=200 -c fsync={'on' if durable else 'off'}"
    try:
        run(initdb, "-D", folder / "d", "-A", "trust", "-U", "autodiag", "-E", "UTF8", "--locale=C", "--no-sync")

        def control(*orders: str) -> None:
            run(ctl, "-D", folder / "d", "-o", options, "-l", folder / "log", "-w", *orders)

        control("start")
        try:
            server = Server(folder, control)
            yield server
            server.close()
        finally:
            control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tool(name: str) -> str:
    """Debian keeps initdb and pg_ctl out of the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise NotHere("PostgreSQL is not installed: apt install postgresql, or make test as root")
    return found


def _account() -> str | None:
    """The account to run it as, or None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()} & {"postgres", "nobody"}
    if not known:
        raise NotHere("PostgreSQL refuses to run as root, and there is no account postgres or nobody")
    return max(known)
