"""Limits of anonymous calls, for each address."""

from __future__ import annotations

import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from chassis.errors import TooMany
from chassis.settings import Settings


class AnonymousLimits:
    """Reads and writes are counted apart, in this process."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._limits = {"GET": parse(settings.anonymous_read_rate)}
        self._write_limit = parse(settings.anonymous_rate)

    def count(self, method: str, address: str) -> None:
        """Count one call; raises TooMany beyond the limit."""
        limit = self._limits.get(method, self._write_limit)
        if not self._limiter.hit(limit, method, address):
            window = self._limiter.get_window_stats(limit, method, address)
            raise TooMany(max(1, int(window.reset_time - time.time()) + 1))
