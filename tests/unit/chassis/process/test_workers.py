"""Background workers and parts of a process: round after round, never spinning, whatever fails."""

from __future__ import annotations

import asyncio
import time

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


async def test_a_part_that_fails_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails at once, again and again: the pauses grow. After a minute's work its next failure is a first one again."""
    moment, runs, pauses = [0.0], iter([0.0] * 7 + [60.0, 0.0]), list[float]()

    async def part() -> None:
        for seconds in runs:
            moment[0] += seconds
            raise RuntimeError

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", pause)
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    await supervision.supervised("part", part)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 1.0, 2.0]
