"""Idempotency-Key: the same request again gets the same reply, whoever answers it, and is never done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chassis.database.mongo import Mongo
from chassis.errors import InFlight, Invalid
from chassis.writing.decision import IDEMPOTENCY, Idempotency
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import COUNTERS, count_up

KEY = Idempotency("user:siti:key-1", "hash-of-request")


async def test_the_same_again_is_a_replay(door: GroupCommit, mongo: Mongo) -> None:
    """Siti's phone loses the reply and asks again: she hears the stored reply, and nothing was counted twice."""
    first = await door.submit(count_up("c", idempotency=KEY))
    await door.submit(count_up("c"))
    assert {"value": 1} == first == await door.submit(count_up("c", idempotency=KEY))
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 2
    record = await mongo[IDEMPOTENCY].find_one({"_id": KEY.key})
    assert (record["reply"], record["request"]) == ({"value": 1}, "hash-of-request")


async def test_the_same_key_for_something_else_is_refused(door: GroupCommit) -> None:
    """A client reuses a key for another body: refused, with a code that tells its developer why."""
    await door.submit(count_up("c", idempotency=KEY))
    with pytest.raises(Invalid) as refusal:
        await door.submit(count_up("c", idempotency=Idempotency(KEY.key, "hash-of-another")))
    assert refusal.value.code == "idempotency_key_reused"


async def test_while_the_first_is_being_worked_on(door: GroupCommit) -> None:
    """The button is pressed twice within a moment: the second hears that the first is being worked on."""
    first, second = await asyncio.gather(
        door.submit(count_up("c", idempotency=KEY)), door.submit(count_up("c", idempotency=KEY)), return_exceptions=True
    )
    assert first == {"value": 1}
    assert isinstance(second, InFlight)
    assert await door.submit(count_up("c", idempotency=KEY)) == {"value": 1}


async def test_two_replicas_get_the_same_request(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """The load balancer sends the repeated request to the other replica at the same moment: done once, both hear the same."""
    doors = await replicas(2)
    for number in range(10):
        key = Idempotency(f"user:siti:{number}", "hash")
        replies = await asyncio.gather(*(door.submit(count_up("c", idempotency=key)) for door in doors))
        assert [{"value": number + 1}] * 2 == replies
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 10


async def test_two_replicas_get_one_key_with_two_bodies(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """One key, two bodies, two replicas, one moment: one is done, the other is refused."""
    doors = await replicas(2)
    results = await asyncio.gather(
        *(door.submit(count_up("c", idempotency=Idempotency(KEY.key, f"hash-{n}"))) for n, door in enumerate(doors)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Invalid", "dict"]
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 1
