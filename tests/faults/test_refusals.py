"""A refusal is definite: who hears 4xx must be able to believe that nothing of the request is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from chassis.database.mongo import Mongo
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import claim


async def test_a_retry_overtaken_by_its_own_first_attempt(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Siti claims a seat; no answer comes in time, and her client asks another replica with the same Idempotency-Key.

    That one looks for the seat just after the first attempt has committed, and for the key only when it must. The seat is
    taken - by Siti herself: she must hear the first attempt's answer, not that somebody has her seat.
    """
    plain = mongo.find_by_ids
    request = Decision(claim("seat", "siti").decide, [("seats", "seat")], Idempotency("siti:1", "seat"))
    doors = [GroupCommit(mongo, batch_limit=256, deadline_seconds=10.0) for _ in range(2)]
    for door in doors:
        door.start()

    async def find(collection: str, ids: Iterable[Any], tx: Any = None) -> list[dict[str, Any]]:
        monkeypatch.setattr(mongo, "find_by_ids", plain)
        await asyncio.wait_for(doors[0].submit(request), 20)
        return await plain(collection, ids, tx)

    monkeypatch.setattr(mongo, "find_by_ids", find)
    try:
        assert await asyncio.wait_for(doors[1].submit(request), 30) == {"person": "siti"}
    finally:
        for door in doors:
            await door.stop()
