"""The database: one transaction a work, committed before it returns.

On SQLite one thread writes for the asynchronous server, and works that wait together share one COMMIT; readers
never block it. On PostgreSQL a few threads do. A work is a function of an open transaction: it commits nothing
itself, does no slow thing, and returns plain values. What could not be saved surfaces as Unavailable.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text

from store import faults

T = TypeVar("T")
Work = Callable[[Connection], T]

PATIENCE = 10.0  # seconds a writer waits for its turn
_TOGETHER = 64  # works in one COMMIT at most
_THREADS = 8
_CLOSED = "La base est fermée : rien n'a été enregistré."

_SQLITE_NOT_SAVED = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class Unavailable(Exception):
    """Not saved, try again: disk full, locked, connection lost, I/O error. The database is usable afterwards.

    If the connection broke during COMMIT itself the work may have been saved: a retry must carry the same inbox id.
    """


class AlreadyOwned(Exception):
    """Another process serves this database; the message is a French sentence for the operator."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work[Any]
    future: Future[Any] = field(default_factory=Future)


class Database:
    """One SQLite file or one PostgreSQL database. Opening it does no I/O until the first work."""

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        parsed = make_url(url)
        self.url = parsed
        self.patience = patience
        self.path: Path | None = None
        if parsed.get_backend_name() == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise ValueError("Donnez un fichier à la base SQLite, par exemple sqlite:////var/lib/autodiag/base.db")
            self.path = Path(parsed.database)
            self.writer = _sqlite_engine(url, self.path, patience, begin="BEGIN IMMEDIATE", only_reads=False)
            self.reader = _sqlite_engine(url, self.path, patience, begin="BEGIN", only_reads=True)
        else:
            self.writer = _postgresql_engine(url, patience)
            self.reader = self.writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        faults.watch(self.writer)
        self._turnstile = threading.Lock()
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._threads = ThreadPoolExecutor(_THREADS, "store")
        self._owner: int | None = None
        self._closed = False

    @property
    def is_sqlite(self) -> bool:
        return self.path is not None

    def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and commit it before returning. Blocks: not for the event loop's thread."""
        with self._transaction() as tx:
            return work(tx)

    def read(self, work: Work[T]) -> T:
        """Run `work` on one consistent view of the database; writing in it is an error."""
        with _plainly(), self.reader.begin() as tx:
            return work(tx)

    async def submit(self, work: Work[T]) -> T:
        """`write` for an asynchronous caller, resumed only after COMMIT."""
        if self._closed:
            raise Unavailable(_CLOSED)
        if not self.is_sqlite:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self.write, work)
        waiting = _Waiting(work)
        self._start_writing()
        self._waiting.put(waiting)
        result: T = await asyncio.wrap_future(waiting.future)
        return result

    async def query(self, work: Work[T]) -> T:
        """`read` for an asynchronous caller."""
        if self._closed:
            raise Unavailable(_CLOSED)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read, work)

    def own(self) -> None:
        """Take the lock of the one process that serves this SQLite file, until close. Raises AlreadyOwned.

        PostgreSQL has no such owner: any number of processes serve it.
        """
        if self.path is None or self._owner is not None:
            return
        _touch(self.path)
        lock = os.open(f"{self.path}.owner", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(lock, 20).decode(errors="replace").strip() or "inconnu"
            os.close(lock)
            raise AlreadyOwned(
                f"Autodiag sert déjà cette base ({self.path}), dans le processus {pid}. "
                "Arrêtez-le avant d'en lancer un autre, ou donnez une autre base à celui-ci."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._owner = lock

    def scrub(self, *, wholly: bool = False) -> bool:
        """Make what was erased leave the disk; call it after an erasure, outside any transaction.

        SQLite: the write-ahead log; False if a long reader was in the way: call it again later. PostgreSQL: the pages
        of the table that holds the keys are tidied, or with `wholly` written anew, which keeps everybody out meanwhile.
        """
        if not self.is_sqlite:
            how = "FULL" if wholly else "SKIP_LOCKED"
            with _plainly(), self.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f"VACUUM ({how}) conversations"))
            return True
        with _plainly(), self._turn(), self.writer.connect() as connection:
            raw = _sqlite(connection)
            return raw is None or raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """One transaction in which tables may be rebuilt: on SQLite without foreign keys, so that nothing cascades."""
        with _plainly(), self._turn(), self.writer.connect() as connection:
            raw = _sqlite(connection)
            if raw is not None:
                raw.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
            finally:
                if raw is not None:
                    raw.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Finish what waits, close every connection, release ownership."""
        self._closed = True
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
        while not self._waiting.empty():
            late = self._waiting.get()
            if late is not None and late.future.set_running_or_notify_cancel():
                late.future.set_exception(Unavailable(_CLOSED))
        self._threads.shutdown()
        self.reader.dispose()
        self.writer.dispose()
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On SQLite, threads of this process queue here rather than in the database's busy handler."""
        if not self.is_sqlite:
            yield
            return
        if not self._turnstile.acquire(timeout=self.patience):
            raise Unavailable("La base est occupée. Rien n'a été enregistré : réessayez.")
        try:
            yield
        finally:
            self._turnstile.release()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _plainly(), self._turn(), self.writer.begin() as tx:
            yield tx
            _still_open(tx)

    def _start_writing(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_for_ever, name="store-writer", daemon=True)
            self._thread.start()

    def _write_for_ever(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < _TOGETHER and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)
                    break
                batch.append(following)
            still_wanted = [one for one in batch if one.future.set_running_or_notify_cancel()]
            if still_wanted:
                self._commit_together(still_wanted)

    def _commit_together(self, batch: list[_Waiting]) -> None:
        """One COMMIT for the batch; a work that fails rolls back alone; nobody is answered before COMMIT."""
        try:
            with self._transaction() as tx:
                answers = [_alone(tx, one, together=len(batch) > 1) for one in batch]
        except BaseException as error:  # noqa: BLE001 - it goes to those who wait
            answers = [partial(one.future.set_exception, error) for one in batch]
        for answer in answers:
            answer()


def _alone(tx: Connection, one: _Waiting, *, together: bool) -> partial[None]:
    """Run one work in its savepoint; give back how to answer it. Raises when the whole transaction is lost."""
    if not together:
        return partial(one.future.set_result, one.work(tx))
    try:
        with tx.begin_nested():
            return partial(one.future.set_result, one.work(tx))
    except Exception as error:
        _still_open(tx)
        if _not_saved(error):
            raise
        return partial(one.future.set_exception, error)


def _still_open(tx: Connection) -> None:
    """SQLite may end a transaction by itself on an error; a COMMIT would then succeed and save nothing."""
    raw = _sqlite(tx)
    if raw is not None and not raw.in_transaction:
        raise Unavailable("La base a abandonné l'écriture. Rien n'a été enregistré : réessayez.")


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection, on SQLite."""
    raw = connection.connection.driver_connection
    return raw if isinstance(raw, sqlite3.Connection) else None


def _not_saved(error: BaseException) -> bool:
    """Whether an error of the database means: nothing saved, trying again is right."""
    if isinstance(error, exc.TimeoutError):
        return True
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_NOT_SAVED
    lost = isinstance(error, (exc.OperationalError, exc.InterfaceError))
    return lost or getattr(cause, "sqlstate", None) == "25006"  # a standby, read-only during a switch


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what means "not saved, try again" into Unavailable, and leave every other error as it is."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error) as error:
        if not _not_saved(error):
            raise
        cause = error.orig if isinstance(error, exc.DBAPIError) else error
        raise Unavailable(f"La base ne répond pas ({cause}). Rien n'a été enregistré : réessayez.") from error


def _touch(path: Path) -> None:
    """Create the data folder (700) and the file (600) if they are absent; the log beside inherits the file's mode.

    A file that is there is never opened: closing any handle on it drops the locks that SQLite holds on it in this
    process, and another process would then take the log away under us.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise Unavailable(
            f"Le fichier de la base {path} ne peut pas être ouvert ({error.strerror}). "
            "Vérifiez que le compte qui lance Autodiag possède ce fichier et son dossier."
        ) from error


def _sqlite_engine(url: str, path: Path, patience: float, *, begin: str, only_reads: bool) -> Engine:
    engine = create_engine(url, pool_timeout=patience, connect_args={"timeout": patience, "isolation_level": None})

    @event.listens_for(engine, "do_connect")
    def touch(*_: object) -> None:
        _touch(path)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        if only_reads:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        raw = _sqlite(connection)
        if raw is not None:
            raw.execute(begin)  # straight to the driver: a tenth of what a statement costs through SQLAlchemy

    return engine


def _postgresql_engine(url: str, patience: float) -> Engine:
    limits = {"connect_timeout": int(patience), "options": f"-c lock_timeout={int(patience * 1000)}"}
    return create_engine(url, pool_size=2 * _THREADS, max_overflow=0, pool_timeout=patience, connect_args=limits)
