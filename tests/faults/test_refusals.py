"""A refusal is definite: who hears 4xx must be able to believe that nothing of the request is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from chassis.decision import IDEMPOTENCY, Decision, Idempotency
from chassis.group_commit import GroupCommit
from chassis.mongo import Mongo
from tests.harness.events import claim


async def test_a_retry_overtaken_by_its_own_first_attempt(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Siti claims a seat; no answer comes in time, and her client asks another replica with the same Idempotency-Key. That
    one has just looked for the key when the first attempt commits, and looks for the seat after. The seat is taken - by
    Siti herself: she must hear the first attempt's answer, not that somebody has her seat.
    """
    plain, looked, first_attempt_is_done = mongo.find_by_ids, asyncio.Event(), asyncio.Event()
    request = Decision(claim("seat", "siti").decide, [("seats", "seat")], Idempotency("siti:1", "seat"))
    doors = [GroupCommit(mongo, batch_limit=256, deadline_seconds=10.0) for _ in range(2)]
    for door in doors:
        door.start()

    async def find(collection: str, ids: Iterable[Any], tx: Any = None) -> list[dict[str, Any]]:
        if first_attempt_is_done.is_set():
            return await plain(collection, ids, tx)
        if collection == IDEMPOTENCY:
            found = await plain(collection, ids, tx)
            looked.set()
            return found
        await looked.wait()
        monkeypatch.setattr(mongo, "find_by_ids", plain)
        await doors[0].submit(request)
        first_attempt_is_done.set()
        return await plain(collection, ids, tx)

    monkeypatch.setattr(mongo, "find_by_ids", find)
    try:
        assert await doors[1].submit(request) == {"person": "siti"}
    finally:
        for door in doors:
            await door.stop()
