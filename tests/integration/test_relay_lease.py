"""Who is the relay: one process at a time, by a lease, and another one when that one ends or gets nowhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from chassis.database import lease
from chassis.database.lease import LEASES
from chassis.database.mongo import Mongo
from chassis.documents import Document
from chassis.publishing import kafka, lane
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import TOPIC, count_up
from tests.harness.outbox import outbox_is_empty
from tests.harness.topics import ids_by_subject
from tests.harness.waiting import eventually_async
from tests.integration.relaying import running


async def test_of_two_relays_one_works(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """Two replicas run their relays: one holds the lease and sends everything once; when it stops, the other takes over."""
    first, second = Relay(mongo, quick, "test", "first"), Relay(mongo, quick, "test", "second")
    async with running(second):
        async with running(first):
            for _ in range(5):
                await door.submit_many([count_up(f"c{number}") for number in range(20)])
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
            held = await mongo[LEASES].find_one({"_id": "relay"})
            assert held["epoch"] == 1
            holder = {"first": first, "second": second}[held["owner"]]
        if holder is first:
            await eventually_async(lambda: _owner_is(mongo, "second"), 20, "the second relay took over")
        await door.submit(count_up("c0"))
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    expected = {f"c{number}": [1, 2, 3, 4, 5] for number in range(20)} | {"c0": [1, 2, 3, 4, 5, 6]}
    assert expected == await ids_by_subject(quick, TOPIC)


async def _owner_is(mongo: Mongo, owner: str) -> bool:
    found = await mongo[LEASES].find_one({"_id": "relay"})
    return found is not None and found["owner"] == owner


async def test_without_the_lease_nothing_is_sent(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """Another process holds the lease: a nudged relay reads and sends nothing, until that lease lapses."""
    taken = await lease.acquire(mongo, "relay", "another", 1.0)
    assert taken is not None
    await door.submit(count_up("c"))
    relay = Relay(mongo, quick, "test", "me")
    async with running(relay):
        relay.nudge()
        assert not relay.holds_lease
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    held = await mongo[LEASES].find_one({"_id": "relay"})
    assert (held["epoch"], await ids_by_subject(quick, TOPIC)) == (2, {"c": [1]})


async def test_a_stuck_relay_gives_its_lease_away(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka takes nothing from the holder (its clock, say): after a while another replica publishes."""
    plain = lane._acknowledgement

    async def acknowledge(producer: Any, *arguments: Any) -> None:
        if producer.client._client_id == "stuck-relay":
            raise kafka.KafkaError("refused here")
        await plain(producer, *arguments)

    monkeypatch.setattr(lane, "_acknowledgement", acknowledge)
    hasty = quick.model_copy(update={"relay_stuck_seconds": 0.5})
    async with running(Relay(mongo, hasty, "stuck", "stuck")):
        await eventually_async(lambda: _owner_is(mongo, "stuck"), 20, "the stuck one holds the lease")
        await door.submit_many([count_up(f"c{n}") for n in range(10)])
        async with running(Relay(mongo, hasty, "sound", "sound")):
            await eventually_async(lambda: outbox_is_empty(mongo), 30, "the outbox is empty")
        # With nothing to send nobody is stuck: the former holder takes the lease again and keeps it, whatever failed before.
        taken = await eventually_async(lambda: _held_by(mongo, "stuck"), 20, "the former holder has it again")
        kept = timedelta(seconds=3 * hasty.relay_stuck_seconds)
        await eventually_async(lambda: _is_kept(mongo, taken, kept), 20, "the lease is renewed and never given away")
    assert {f"c{n}": [1] for n in range(10)} == await ids_by_subject(quick, TOPIC)


async def _held_by(mongo: Mongo, owner: str) -> Document | None:
    found: Document | None = await mongo[LEASES].find_one({"_id": "relay", "owner": owner})
    return found


async def _is_kept(mongo: Mongo, taken: Document, for_so_long: timedelta) -> bool:
    """Whether the lease is still the one that was taken, renewed for so long."""
    found = await mongo[LEASES].find_one({"_id": "relay"})
    return bool(found["epoch"] == taken["epoch"] and found["expires_at"] - taken["expires_at"] > for_so_long)


async def test_the_lease_follows_the_servers_clock(mongo: Mongo) -> None:
    """One holder at a time; renewal keeps the epoch, a change of holder raises it, release frees it at once."""
    first = await lease.acquire(mongo, "relay", "a", 10)
    assert lease.Lease("relay", "a", 1) == first == await lease.acquire(mongo, "relay", "a", 10)
    assert await lease.acquire(mongo, "relay", "b", 10) is None
    [stored] = await mongo.aggregate(LEASES, [{"$project": {"left": {"$subtract": ["$expires_at", "$$NOW"]}}}])
    assert 5_000 < stored["left"] <= 10_000
    await lease.release(mongo, lease.Lease("relay", "a", 1))
    assert lease.Lease("relay", "b", 2) == await lease.acquire(mongo, "relay", "b", 0.001)
    taken = await eventually_async(lambda: lease.acquire(mongo, "relay", "a", 10), 5, "the lapsed lease is free")
    assert lease.Lease("relay", "a", 3) == taken
    await lease.release(mongo, lease.Lease("relay", "b", 2))  # a former holder gives back what isn't its own any more
    assert await lease.acquire(mongo, "relay", "b", 10) is None


async def test_many_want_a_lease_that_never_was(mongo: Mongo) -> None:
    """Eight replicas start at the same moment on an empty database: exactly one becomes the relay."""
    taken = await asyncio.gather(*(lease.acquire(mongo, "relay", f"r{number}", 10) for number in range(8)))
    assert len([held for held in taken if held is not None]) == 1
