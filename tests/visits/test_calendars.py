"""A consultant's own calendar: what keeps them busy, and what a hostile one may not do."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from visits import calendars
from visits.calendars import Unreadable, busy
from visits.fetching import Fetcher, is_public
from visits.slots import PARIS, Span

START = datetime(2026, 11, 23, tzinfo=UTC)
END = START + timedelta(days=21)


def ics(*events: str, extra: str = "") -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\nUID:{n}@elsewhere\nDTSTAMP:20261101T000000Z\n{e}\nEND:VEVENT\n" for n, e in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{extra}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def read(data: bytes) -> list[Span]:
    return busy(data, START, END, ours="autodiag.example")


ZONE = """BEGIN:VTIMEZONE
TZID:Chez moi
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def test_plain_floating_all_day_and_zoned_events_are_busy_times() -> None:
    found = read(
        ics(
            "DTSTART:20261124T080000Z\nDTEND:20261124T090000Z",
            "DTSTART:20261125T090000\nDURATION:PT90M",
            "DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261128",
            "DTSTART;TZID=Chez moi:20261130T140000\nDTEND;TZID=Chez moi:20261130T150000",
            extra=ZONE,
        )
    )
    assert found == [
        Span(paris(24, 9), paris(24, 10)),
        Span(paris(25, 9), paris(25, 10, 30)),
        Span(paris(26, 0), paris(28, 0)),
        Span(paris(30, 14), paris(30, 15)),
    ]


def test_what_is_cancelled_free_or_ours_keeps_nobody_busy() -> None:
    at = "DTSTART:20261124T080000Z\nDTEND:20261124T090000Z\n"
    assert read(ics(f"{at}STATUS:CANCELLED", f"{at}TRANSP:TRANSPARENT", f"{at}X-MICROSOFT-CDO-BUSYSTATUS:FREE")) == []
    assert read(ics(at.strip()).replace(b"0@elsewhere", b"abc@autodiag.example")) == []
    assert len(read(ics(at.strip()))) == 1


def test_a_series_comes_back_without_its_exceptions_and_with_the_one_moved() -> None:
    series = (
        "BEGIN:VEVENT\nUID:weekly\nDTSTAMP:20261101T000000Z\nDTSTART;TZID=Europe/Paris:20261005T100000\n"
        "DTEND;TZID=Europe/Paris:20261005T110000\nRRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Paris:20261130T100000\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:weekly\nDTSTAMP:20261101T000000Z\nRECURRENCE-ID;TZID=Europe/Paris:20261207T100000\n"
        "DTSTART;TZID=Europe/Paris:20261208T150000\nDTEND;TZID=Europe/Paris:20261208T160000\nEND:VEVENT\n"
    )
    assert read(ics(extra=series)) == [
        Span(paris(23, 10), paris(23, 11)),
        Span(paris(8, 15, month=12), paris(8, 16, month=12)),
    ]


def test_a_series_keeps_its_hour_on_the_wall_across_daylight_saving() -> None:
    data = ics(
        "DTSTART;TZID=Europe/Paris:20261019T100000\nDTEND;TZID=Europe/Paris:20261019T110000\nRRULE:FREQ=WEEKLY;COUNT=3"
    )
    found = busy(data, datetime(2026, 10, 1, tzinfo=UTC), END)
    assert [span.start.hour for span in found] == [8, 9, 9]


def test_free_busy_periods_are_read_too() -> None:
    told = (
        "BEGIN:VFREEBUSY\nUID:f\nDTSTAMP:20261101T000000Z\nFREEBUSY:20261124T080000Z/20261124T090000Z\nEND:VFREEBUSY\n"
    )
    free = told.replace("FREEBUSY:2", "FREEBUSY;FBTYPE=FREE:2")
    assert read(ics(extra=told)) == [Span(paris(24, 9), paris(24, 10))]
    assert read(ics(extra=free)) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>Connexion</html>", "not_ics"),
        (b"", "not_ics"),
        (b"\xff\xfe\x00", "not_ics"),
        (ics("DTSTART:20200101T000000Z\nDTEND:20200101T000001Z\nRRULE:FREQ=SECONDLY"), "too_much"),
        (ics("DTSTART:20200101T000000Z\nDURATION:PT1S\nRRULE:FREQ=HOURLY;BYMINUTE=0,5,9"), "too_much"),
        (ics("DTSTART:20261124T080000Z\nDTEND;VALUE=DATE:20261124\nDURATION:PT1H"), None),
    ],
)  # fmt: skip
def test_what_is_no_calendar_or_would_never_end_is_refused(data: bytes, code: str | None) -> None:
    if code is None:
        read(data)
        return
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert refused.value.code == code


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "MOST_EVENTS", 3)
    with pytest.raises(Unreadable, match="too_much"):
        read(ics(*["DTSTART:20261124T080000Z\nDTEND:20261124T090000Z"] * 4))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.1.1", False), ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_only_machines_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://feed.example:{server.server_port}/a.ics"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def here(**changed: object) -> Fetcher:
    """Knows one machine, feed.example, which is this one; every other name leads to a private address."""

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "feed.example" else ["10.0.0.1"]

    known: dict[str, object] = {
        "resolve": resolve,
        "public": lambda at: at == "127.0.0.1",
        "schemes": ("http",),
        "seconds": 2.0,
    }
    return Fetcher(**(known | changed))  # type: ignore[arg-type]


def send(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def refused(fetcher: Fetcher, address: str) -> str:
    with pytest.raises(Unreadable) as found:
        fetcher.fetch(address)
    return found.value.code


def test_a_calendar_is_fetched_from_the_address_that_was_checked_under_its_own_name() -> None:
    hosts: list[str] = []

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        hosts.append(handler.headers["Host"].partition(":")[0])
        send(handler, 200, b"BEGIN:VCALENDAR")

    with serving(answer) as address:
        assert here().fetch(address) == b"BEGIN:VCALENDAR"
    assert hosts == ["feed.example"]


def test_a_redirection_is_checked_like_the_first_address() -> None:
    def to_private(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 302, Location="http://intranet.example/secret")

    def for_ever(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 301, Location="/again")

    def to_file(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 302, Location="file:///etc/passwd")

    for answer, code in ((to_private, "not_public"), (for_ever, "moved_too_often"), (to_file, "address")):
        with serving(answer) as address:
            assert refused(here(), address) == code


def test_two_hundred_megabytes_are_refused_early_announced_or_not() -> None:
    sent: list[int] = []

    def announced(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 200, Content_Length=str(200_000_000))

    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 200)
        try:
            for _ in range(3_200):
                handler.wfile.write(bytes(65_536))
                sent.append(65_536)
        except OSError:
            pass

    for answer in (announced, endless):
        with serving(answer) as address:
            assert refused(here(most=1_000_000), address) == "too_big"
    assert sum(sent) < 40_000_000


def test_a_server_that_dribbles_is_left_in_time() -> None:
    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, 200)
        try:
            for _ in range(50):
                handler.wfile.write(b"B")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    began = time.perf_counter()
    with serving(slow) as address:
        assert refused(here(seconds=0.3), address) == "too_slow"
        assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://10.0.0.1/a.ics", "not_public"), ("https://localhost/a.ics", "not_public"),
        ("http://example.com/a", "address"), ("file:///etc/passwd", "address"),
        ("https://me:pw@example.com/a", "address"),
        ("https://exa mple.com", "address"),
        ("https://[::1]/a", "not_public"), ("https://example.com:99999/", "address"),
        ("", "address"), ("gopher://x/", "address"),
        ("https://example.com/\r\nHost: x", "address"),
    ],
)  # fmt: skip
def test_an_address_that_is_no_public_https_page_is_refused(address: str, code: str) -> None:
    assert refused(Fetcher(seconds=1.0), address) == code


def test_a_page_that_is_not_there_says_so() -> None:
    with serving(lambda handler: send(handler, 404)) as address:
        assert refused(here(), address) == "refused"
    assert refused(here(), address) == "unreachable"
