"""Servers as processes, and what the system knows of them: CPU to the nanosecond, memory."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parent.parent


class Server:
    """One server process, listening."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, seconds: float) -> None:
        self.process = process
        self.port = port
        self.seconds = seconds
        """From its start to its first page."""

    def cpu(self) -> float:
        """Seconds of CPU of all its threads so far."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def memory(self) -> float:
        """Resident memory now, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1000 if found else 0.0


@contextmanager
def autodiag(
    folder: Path, database: str | None = None, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """The real `autodiag serve`, its data and key in `folder`; beginning conversations is not throttled.

    `more`: of its environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = re.sub(r"(conversations_par_heure:) \d+", r"\1 100000000", (ROOT / "config.yml").read_text())
    (folder / "config.yml").write_text(config)
    environment = {
        "AUTODIAG_CONFIG": str(folder / "config.yml"),
        "AUTODIAG_DATA_DIR": str(folder / "data"),
        "AUTODIAG_KEY_FILE": str(folder / "keys" / "master.key"),
        "AUTODIAG_HOST": "127.0.0.1",
        **more,
    }
    if database:
        environment["AUTODIAG_DATABASE_URL"] = database
    with _running(folder, [str(Path(sys.executable).with_name("autodiag")), "serve"], environment) as server:
        yield server


@contextmanager
def bare(folder: Path, database: str | None, plan: str) -> Iterator[Server]:
    """The bare route of `bench.bare`; `plan`: the sizes of its rows and its pages, as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    url = database or f"sqlite:///{folder / 'bare.db'}"
    with _running(folder, [sys.executable, "-m", "bench.bare", url, plan], {}) as server:
        yield server


@contextmanager
def _running(folder: Path, command: list[str], environment: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment | {"AUTODIAG_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("ab"),
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise RuntimeError(f"{command} stopped with {process.returncode}")
            time.sleep(0.005)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read() is not None
    except OSError:
        return False
    finally:
        connection.close()
