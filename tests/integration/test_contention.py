"""Who meets another writer waits alone: repeated identities, hot documents, orphaned transactions cost only their callers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chassis.database.mongo import Mongo
from chassis.errors import Conflict
from chassis.writing.decision import Decision, Documents, Outcome, Write
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import COUNTERS, count_up
from tests.harness.waiting import eventually_async


def register(name: str) -> Decision:
    """The decision to make a document that nearly never exists already."""

    def decide(documents: Documents, _now: datetime) -> Outcome:
        if documents.get("identities", name) is not None:
            raise Conflict("taken", "Sudah ada.", "Taken.")
        return Outcome({"name": name}, (Write("identities", {"_id": name}),))

    return Decision(decide, expected_absent=[("identities", name)])


class Calls:
    """How often the database was asked, by collection."""

    def __init__(self, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
        self.finds: Counter[str] = Counter()
        self.transactions = 0
        plain_find, plain_transaction = mongo.find_by_ids, mongo.transaction

        async def find_by_ids(collection: str, *arguments: Any) -> Any:
            self.finds[collection] += 1
            return await plain_find(collection, *arguments)

        async def transaction(*arguments: Any) -> Any:
            self.transactions += 1
            return await plain_transaction(*arguments)

        monkeypatch.setattr(mongo, "find_by_ids", find_by_ids)
        monkeypatch.setattr(mongo, "transaction", transaction)


async def test_what_rules_ask_for_is_loaded_in_rounds(door: GroupCommit, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred rules ask for a document, and then for the one that it names: two loads, not four hundred."""
    await mongo["a"].insert_many([{"_id": n, "next": n + 1000, "version": 1} for n in range(200)])
    await mongo["b"].insert_many([{"_id": n + 1000, "value": n, "version": 1} for n in range(200)])

    def follow(number: int) -> Decision:
        def decide(documents: Documents, _now: datetime) -> Outcome:
            first = documents.get("a", number) or {}
            second = documents.get("b", first["next"]) or {}
            return Outcome({"value": second["value"]})

        return Decision(decide)

    calls = Calls(mongo, monkeypatch)
    results = await door.submit_many([follow(number) for number in range(200)])
    assert [{"value": number} for number in range(200)] == results
    assert (calls.finds["a"], calls.finds["b"]) == (1, 1)


async def test_rules_that_ask_keep_their_order(door: GroupCommit, mongo: Mongo) -> None:
    """Every other decision must ask for a document on its way: they are decided in the order in which they came all the same."""
    await mongo["asked"].insert_one({"_id": 0, "version": 1})

    def take_number(asks: int | None) -> Decision:
        def decide(documents: Documents, now: datetime) -> Outcome:
            if asks is not None:
                documents.get("asked", asks)
            return count_up("c", events=0).decide(documents, now)

        return Decision(decide, [(COUNTERS, "c")])

    results = await door.submit_many([take_number(number if number % 2 else None) for number in range(40)])
    assert [{"value": number} for number in range(1, 41)] == results


async def test_repeated_identities_cost_their_own_callers(
    door: GroupCommit, mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred registrations ten are of people who are there: ninety are stored, and nobody is looked up one by one."""
    await door.submit_many([register(f"n{number}") for number in range(0, 100, 10)])
    calls = Calls(mongo, monkeypatch)
    results = await door.submit_many([register(f"n{number}") for number in range(100)])
    assert [isinstance(result, Conflict) for result in results] == [number % 10 == 0 for number in range(100)]
    assert (calls.transactions <= 4, calls.finds["identities"] <= 6) == (True, True)
    calls.finds.clear()
    calls.transactions = 0
    again = await door.submit_many([register(f"n{number}") for number in range(50, 150)])
    assert sum(isinstance(result, Conflict) for result in again) == 50
    # After a clash they are looked up with the rest: no more clash, one transaction.
    assert (calls.transactions, calls.finds["identities"]) == (1, 1)


async def test_an_orphaned_transaction_holds_up_only_its_own(door: GroupCommit, mongo: Mongo) -> None:
    """A killed replica's open transaction holds one counter: forty others are counted at once, that one when it has ended."""
    await door.submit_many([count_up(f"c{number}", events=0) for number in range(41)])
    released = asyncio.Event()

    async def orphan(tx: Any) -> None:
        await mongo[COUNTERS].update_one({"_id": "c0"}, {"$inc": {"held": 1}}, session=tx)
        await released.wait()
        raise ValueError("it never commits")

    holding = asyncio.create_task(mongo.transaction(orphan))
    await eventually_async(lambda: _is_held(mongo), 10, "the orphan holds the counter")
    begun = time.monotonic()
    held = asyncio.create_task(door.submit(count_up("c0", events=0)))
    others = await asyncio.gather(*(door.submit(count_up(f"c{number}", events=0)) for number in range(1, 41)))
    took = time.monotonic() - begun
    assert [other["value"] for other in others] == [2] * 40
    assert took < 2.0
    assert not held.done()
    released.set()
    with pytest.raises(ValueError, match="never commits"):
        await holding
    assert await asyncio.wait_for(held, 20) == {"value": 2}


async def _is_held(mongo: Mongo) -> bool:
    state = await mongo.client.admin.command("serverStatus")
    return int(state["transactions"]["currentOpen"]) > 0


async def test_a_hot_document_and_its_neighbours(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """Three replicas all write one counter, and each its own ones: nobody hears 503, no count is lost, neighbours don't wait."""
    doors = await replicas(3)
    await doors[0].submit_many([count_up(f"own{number}", events=0) for number in range(3)] + [count_up("hot", events=0)])
    waits: list[float] = []

    async def own(number: int) -> None:
        for _ in range(30):
            begun = time.monotonic()
            await doors[number].submit(count_up(f"own{number}", events=0))
            waits.append(time.monotonic() - begun)

    async def hot(number: int) -> list[Any]:
        return [await doors[number].submit(count_up("hot", events=0)) for _ in range(20)]

    results, *_ = await asyncio.gather(
        asyncio.gather(*(hot(number) for number in range(3))), *(own(number) for number in range(3))
    )
    assert list(range(2, 62)) == sorted(reply["value"] for replies in results for reply in replies)
    stored = {doc["_id"]: doc["value"] async for doc in mongo[COUNTERS].find()}
    assert stored == {"hot": 61, "own0": 31, "own1": 31, "own2": 31}
    assert len(waits) == 90
