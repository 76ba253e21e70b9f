"""/metrics, for Prometheus: turns as this process saw them, totals as the database keeps them.

One rule: totals only. No label names a firm, a branch, a campaign or an answer; trials are counted nowhere. What is
read from the database is kept a while, so that nobody makes it work by asking often.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bot import stats
from bot.house import House
from store.backlog import LATE
from store.engine import Unavailable

FRESH_FOR = 15.0
"""Seconds during which what was read from the database serves again."""
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_TOTALS = {
    "begun": ("autodiag_conversations_begun", "Conversations commencées, hors essais"),
    "restarted": ("autodiag_restarted", "Autodiags recommencés dans une conversation"),
    "short_done": ("autodiag_short_path_done", "Premiers résultats atteints"),
    "done": ("autodiag_done", "Autodiags terminés"),
    "tutorial_done": ("autodiag_tutorials_done", "Tutoriels dits faits"),
}


class Metrics:
    """The ASGI application of /metrics, and the watcher of a house's turns. One registry each."""

    def __init__(self, house: House, *, fresh_for: float = FRESH_FOR) -> None:
        self.house = house
        self.fresh_for = fresh_for
        self.registry = CollectorRegistry()
        self.turns = Counter("autodiag_turns", "Tours, par porte et issue", ["door", "outcome"], registry=self.registry)
        self.seconds = Histogram(
            "autodiag_turn_seconds",
            "Durée d'un tour, écriture comprise",
            ["door"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._kept: tuple[float, stats.Figures] | None = None
        house.watchers.append(self.watch)

    def watch(self, door: str, outcome: str, seconds: float) -> None:
        """Count one turn."""
        self.turns.labels(door, outcome).inc()
        self.seconds.labels(door).observe(seconds)

    def open_to(self, scope: Scope) -> bool:
        """Whether this client may read the figures.

        Behind a server that forwards for others and that the settings do not trust, everybody would look local: nobody
        may.
        """
        server = self.house.settings.server
        forwarded = any(name in (b"x-forwarded-for", b"forwarded", b"x-real-ip") for name, _ in scope["headers"])
        if forwarded and not server.trusted_proxies:
            return False
        try:
            address = ipaddress.ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in server.metrics_open_to)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self.page(scope["method"]))(scope, receive, send)

    async def page(self, method: str) -> Response:
        """The figures, as text."""
        if method not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed\n", 405, {"Allow": "GET, HEAD"})
        try:
            figures = await self._figures()
        except Unavailable:
            return PlainTextResponse("La base ne répond pas.\n", 503, {"Retry-After": "5"})
        registry = CollectorRegistry()
        registry.register(_Kept(figures, stats.places(self.house.flow)))
        text = generate_latest(self.registry) + generate_latest(registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    async def _figures(self) -> stats.Figures:
        now = time.monotonic()
        if self._kept is None or now - self._kept[0] >= self.fresh_for:
            moment = self.house.now()
            self._kept = (now, await self.house.store.db.query(lambda tx: stats.read(tx, moment)))
        return self._kept[1]


class _Kept(Collector):
    """What the database keeps, as metrics."""

    def __init__(self, figures: stats.Figures, places: tuple[str, ...]) -> None:
        self.figures = figures
        self.places = places

    def collect(self) -> Iterator[Metric]:
        for milestone, (name, words) in _TOTALS.items():
            total = CounterMetricFamily(name, words, labels=["door"])
            for door in self.figures.doors:
                total.add_metric([door], self.figures.reached.get((door, milestone), 0))
            yield total
        left = GaugeMetricFamily(
            "autodiag_abandoned",
            f"Conversations gardées, inachevées, silencieuses depuis {stats.SILENT.days} jours, par thème à faire",
            labels=["theme"],
        )
        for place in self.places:
            left.add_metric([place], self.figures.abandoned.get(place, 0))
        yield left
        waiting = GaugeMetricFamily("autodiag_outbox_jobs", "Travaux de la boîte d'envoi, par état", labels=["state"])
        jobs = self.figures.outbox
        for state, n in sorted(jobs.states.items()):
            waiting.add_metric([state], n)
        yield waiting
        for name, words, value in (
            ("due", "Travaux dont l'heure est venue", jobs.due),
            ("late", f"Travaux en retard de plus de {LATE.seconds // 60} minutes", jobs.late),
            ("behind_seconds", "Âge du plus ancien des travaux dont l'heure est venue", jobs.behind.total_seconds()),
        ):
            yield GaugeMetricFamily(f"autodiag_outbox_{name}", words, value=value)
