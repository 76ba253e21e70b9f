"""Fetches a calendar from an address that somebody typed: public machines only, little, and soon.

One rule: the address that was checked is the one connected to. A name is resolved once for each step, every address
it gives must be public, and the connection goes to that very address; a redirection is a new step, with the same check.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from visits.calendars import Unreadable

MOST = 3_000_000
"""Bytes of a calendar."""
_REDIRECTIONS = 3
_A_PIECE = 65_536
_MOVED = {301, 302, 303, 307, 308}

Resolve = Callable[[str, int], list[str]]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet; one that wraps another is judged by both."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        inner += [found for found in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if found]
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return all(each.is_global and not each.is_multicast for each in inner)


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class Fetcher:
    """How a calendar is fetched. `seconds`: for one step, whatever the other side does; tests replace the rest."""

    seconds: float = 10.0
    most: int = MOST
    resolve: Resolve = resolve
    public: Callable[[str], bool] = is_public
    schemes: tuple[str, ...] = ("https",)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def host(self, address: str) -> str:
        """The machine that an address names, which may be no public one. Raises Unreadable."""
        return self._parts(address)[1]

    def fetch(self, address: str) -> bytes:
        """The bytes of a calendar. Blocks. Raises Unreadable."""
        for _ in range(_REDIRECTIONS + 1):
            found = self._step(address)
            if isinstance(found, bytes):
                return found
            address = found
        raise Unreadable("moved_too_often")

    def _step(self, address: str) -> bytes | str:
        """The bytes, or the address to go to instead."""
        scheme, host, port, path = self._parts(address)
        try:
            numbers = self.resolve(host, port)
        except OSError:
            raise Unreadable("unreachable") from None
        if not numbers or not all(self.public(number) for number in numbers):
            raise Unreadable("not_public")
        link = _Pinned(host, port, numbers[0], self.tls if scheme == "https" else None, self.seconds)
        late = threading.Event()
        bell = threading.Timer(self.seconds, _hang_up, (link, late))
        bell.daemon = True
        bell.start()
        try:
            found = self._ask(link, address, path)
            if late.is_set():  # what was cut off may look like an end
                raise Unreadable("too_slow")
            return found
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            raise Unreadable("too_slow" if late.is_set() else "unreachable") from None
        finally:
            bell.cancel()
            link.close()

    def _ask(self, link: http.client.HTTPConnection, address: str, path: str) -> bytes | str:
        headers = {"Accept": "text/calendar", "Accept-Encoding": "identity", "User-Agent": "Autodiag"}
        link.request("GET", path, headers=headers)
        answer = link.getresponse()
        if answer.status in _MOVED and (there := answer.headers.get("Location")):
            return urljoin(address, there)
        if answer.status != 200:
            raise Unreadable("refused")
        length = answer.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.most:
            raise Unreadable("too_big")
        data = bytearray()
        while piece := answer.read(_A_PIECE):
            data += piece
            if len(data) > self.most:
                raise Unreadable("too_big")
        return bytes(data)

    def _parts(self, address: str) -> tuple[str, str, int, str]:
        try:
            if any(not 0x20 < ord(sign) < 0x7F for sign in address) or len(address) > 2_000:
                raise ValueError(address)
            parts = urlsplit(address)
            scheme = {"webcal": "https", "webcals": "https"}.get(parts.scheme, parts.scheme)
            port = parts.port or (443 if scheme == "https" else 80)
            host = parts.hostname or ""
        except ValueError:
            raise Unreadable("address") from None
        if scheme not in self.schemes or not host or parts.username is not None:
            raise Unreadable("address")
        return scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _Pinned(http.client.HTTPConnection):
    """A connection to one IP address, under the name that was asked for."""

    def __init__(self, host: str, port: int, number: str, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._number, self._tls = number, tls
        self.line: socket.socket | None = None

    def connect(self) -> None:
        self.line = self.sock = socket.create_connection((self._number, self.port), self.timeout)
        if self._tls:
            self.line = self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _hang_up(link: _Pinned, late: threading.Event) -> None:
    """Cut the line, which the answer being read holds too."""
    late.set()
    if link.line is not None:
        with suppress(OSError):
            link.line.shutdown(socket.SHUT_RDWR)
