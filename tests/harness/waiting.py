"""Waiting for a condition instead of sleeping: both helpers fail with what was waited for and what was last seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25


def eventually(condition: Callable[[], T], timeout: float, what: str) -> T:
    """Call `condition` until it returns something true, and return that; raises AssertionError after `timeout` seconds.

    An exception inside `condition` counts as "not yet" and is shown when time runs out.
    """
    deadline, pause, last = time.monotonic() + timeout, _PAUSE_SECONDS, "nothing"
    while True:
        try:
            seen = condition()
        except Exception as error:  # noqa: BLE001 - a server that isn't up yet is what we wait for
            last = repr(error)
        else:
            if seen:
                return seen
            last = repr(seen)
        if time.monotonic() >= deadline:
            raise AssertionError(_message(what, timeout, last))
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.5)


async def eventually_async(condition: Callable[[], Awaitable[T | None]], timeout: float, what: str) -> T:
    """As `eventually`, for a condition to be awaited."""
    deadline, pause, last = time.monotonic() + timeout, _PAUSE_SECONDS, "nothing"
    while True:
        try:
            seen = await condition()
        except Exception as error:  # noqa: BLE001 - as above
            last = repr(error)
        else:
            if seen:
                return seen
            last = repr(seen)
        if time.monotonic() >= deadline:
            raise AssertionError(_message(what, timeout, last))
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.5)


def _message(what: str, timeout: float, last: str) -> str:
    return f"not within {timeout:g} s: {what}; last seen: {last[:1000]}"
