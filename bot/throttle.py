"""How many conversations one address may begin in an hour, whatever the door. Answering is never throttled.

In memory, one count a process: `throttle_of(house)` is the one that every door of this process shares.
"""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bot.house import House


class Throttle:
    """Counts beginnings by client address; an IPv6 client is its /64."""

    def __init__(self, conversations_per_hour: int) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._begin = RateLimitItemPerHour(conversations_per_hour)

    def begins(self, host: str) -> int:
        """Count one beginning: 0 if it is taken, else the seconds to wait before another."""
        address = neighbourhood(host)
        if self._window.hit(self._begin, "begin", address):
            return 0
        again = self._window.get_window_stats(self._begin, "begin", address).reset_time
        return max(1, math.ceil(again - time.time()))


def throttle_of(house: House) -> Throttle:
    """The throttle of this house."""
    if "throttle" not in house.doors:
        house.doors["throttle"] = Throttle(house.settings.server.conversations_per_hour)
    found: Throttle = house.doors["throttle"]
    return found


def neighbourhood(host: str) -> str:
    """What counts as one client: an IPv4 address, or an IPv6 /64; anything else as it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((address.packed, 64), strict=False))
