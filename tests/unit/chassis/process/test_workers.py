"""Background workers: round after round, never spinning."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import Unavailable
from chassis.process import supervision


async def test_a_worker_with_nothing_to_do_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training's workers look for lapsed offers and find none: a pause follows every round, also one that failed."""
    rounds, pauses, enough = [0], list[float](), asyncio.Event()

    async def look() -> None:
        rounds[0] += 1
        if rounds[0] % 2 == 0:
            raise Unavailable

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "sleep", pause)
    working = asyncio.create_task(supervision.forever(look))
    await enough.wait()
    working.cancel()
    assert (rounds, pauses) == ([4], [supervision._WORKER_PAUSE_SECONDS] * 4)
