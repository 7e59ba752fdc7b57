"""How busy it is: events a second over the last moment, for those who let events gather under load."""

from __future__ import annotations

import time
from collections.abc import Callable

_WINDOW_SECONDS = 0.25


class Rate:
    """Events a second over a window of a quarter of a second or more; 0 until the first window has passed.

    Not from one arrival to the next: two events that come together would look like a thousand a second.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.per_second = 0.0
        self._now = now
        self._since = now()
        self._events = 0

    def count(self, events: int) -> None:
        """So many more, now."""
        self._events += events
        elapsed = self._now() - self._since
        if elapsed >= _WINDOW_SECONDS:
            self.per_second = self._events / elapsed
            self._since, self._events = self._now(), 0
