"""Work that only computes, kept from holding up the event loop: large pieces run in a thread, small ones at once.

A thread doesn't make it faster (one interpreter lock); it lets the loop have its turns in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 200  # things to compute: some milliseconds


async def offload(size: int, function: Callable[..., T], *arguments: object) -> T:
    """Run the function, in a thread when `size` exceeds 200. It must share no mutable state."""
    if size <= _AT_ONCE:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)
