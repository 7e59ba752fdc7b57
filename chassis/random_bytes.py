"""Random bytes of the operating system, drawn ahead.

Every call of the system lets another thread take the interpreter, and under load it comes back late: drawn one by one, the ids
and nonces of a registration took a tenth of the service's time. Keys aren't drawn here: they needn't lie in memory beforehand.
"""

from __future__ import annotations

import os
import threading

_AHEAD = 4096  # bytes


class RandomBytes:
    """`take(count)` never gives the same bytes twice, whichever threads ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn = b""
        self._taken = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        with self._lock:
            begin, self._taken = self._taken, self._taken + count
            if self._taken > len(self._drawn):
                self._drawn, begin, self._taken = os.urandom(max(_AHEAD, count)), 0, count
            return self._drawn[begin : self._taken]

    def _forget(self) -> None:
        """A child process must not give what its parent gives."""
        self._lock = threading.Lock()
        self._drawn, self._taken = b"", 0


RANDOM = RandomBytes()
