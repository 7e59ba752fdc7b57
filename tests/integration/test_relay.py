"""The relay on real servers: the outbox reaches Kafka in order, at least once, from one relay at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.database import lease
from chassis.database.failures import WriteRace
from chassis.database.lease import LEASES
from chassis.database.mongo import Mongo
from chassis.publishing import kafka
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing import outbox
from chassis.writing.group_commit import GroupCommit
from contracts.envelope import from_message
from tests.conftest import SettingsFactory
from tests.harness.events import TOPIC, Counted, count_up
from tests.harness.topics import ids_by_subject, read_all
from tests.harness.waiting import eventually_async


async def outbox_is_empty(mongo: Mongo) -> bool:
    """Whether nothing waits to be published."""
    count: int = await mongo[outbox.OUTBOX].count_documents({})
    return count == 0


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    """A relay at work, stopped in order at the end."""
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        await relay.stop()
        await asyncio.wait_for(task, 20)


@pytest.fixture
async def quick(settings: SettingsFactory) -> Settings:
    """Settings for relays that don't let a test wait, and the topic they send to."""
    made = settings(relay_poll_seconds=0.05, relay_lease_seconds=2.0, relay_renew_seconds=0.3)
    await kafka.ensure_topics(made, [TOPIC])
    return made


async def test_everything_saved_is_published_in_order(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """Twenty counters tell a thousand events, in pages of 64: Kafka gets each once and in order; the outbox empties."""
    for _ in range(10):
        await door.submit_many([count_up(f"c{number}", events=5) for number in range(20)])
    relay = Relay(mongo, quick.model_copy(update={"relay_page": 64}), "test", "me")
    async with running(relay):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    expected = {f"c{number}": list(range(1, 51)) for number in range(20)}
    assert expected == await ids_by_subject(quick, TOPIC)


async def test_what_is_sent_is_what_was_saved(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """A consumer decodes what the relay sent and finds the event that the rule told: id, source, key, data."""
    await door.submit(count_up("c"))
    async with running(Relay(mongo, quick, "test", "me")):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    [record] = await read_all(quick, TOPIC)
    event = from_message(record.headers, record.value, {Counted.TYPE: Counted})
    assert (event.id, event.source, event.subject, event.sequence) == ("c:1", "/services/test", "c", 1)
    assert Counted(value=1) == event.data
    assert record.key == b"c"


async def test_events_committed_while_the_relay_sweeps(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """People go on writing while tiny pages go out, also behind the page in hand: nothing is missed, nothing out of order."""
    async with running(Relay(mongo, quick.model_copy(update={"relay_page": 3}), "test", "me")):
        for round_number in range(30):
            subjects = [f"c{(round_number * 7 + step) % 26:02d}" for step in range(8)]
            await door.submit_many([count_up(subject) for subject in subjects])
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    sent = await ids_by_subject(quick, TOPIC)
    counts = {doc["_id"]: doc["value"] async for doc in mongo["counters"].find()}
    assert {subject: list(range(1, value + 1)) for subject, value in counts.items()} == sent


async def test_a_late_commit_behind_the_page(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While page "m" is on its way to Kafka, counter "a" is committed: a relay with a cursor would never see it again."""
    await door.submit_many([count_up(f"m{number}") for number in range(4)])
    relay = Relay(mongo, quick.model_copy(update={"relay_page": 2}), "test", "me")
    plain_send = relay._send

    async def send_and_let_others_commit(rows: list[Any]) -> None:
        if rows[0]["subject"] == "m0":
            await door.submit_many([count_up("a"), count_up("a"), count_up("m2"), count_up("z")])
        await plain_send(rows)

    monkeypatch.setattr(relay, "_send", send_and_let_others_commit)
    async with running(relay):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    expected = {"a": [1, 2], "m0": [1], "m1": [1], "m2": [1, 2], "m3": [1], "z": [1]}
    assert expected == await ids_by_subject(quick, TOPIC)


async def test_a_page_is_one_moment(mongo: Mongo, door: GroupCommit) -> None:
    """Rows are committed between the batches of a long read: a page shows the moment at which it began, so order holds."""
    for _ in range(3):
        await door.submit_many([count_up(f"c{number:03d}") for number in range(100)])
    async with mongo.snapshot() as tx:
        cursor = mongo[outbox.OUTBOX].find({}, session=tx).sort("_id", 1).batch_size(10)
        first = [row async for row in cursor.limit(10)]
        await door.submit_many([count_up(f"c{number:03d}") for number in range(100)])
        after = [row["_id"] async for row in mongo[outbox.OUTBOX].find({}, session=tx).sort("_id", 1)]
    assert (len(first), len(after)) == (10, 300)
    assert len(await outbox.page(mongo, None, 1000)) == 400
    assert [row["_id"] for row in await outbox.page(mongo, "c099:000000000002", 5)] == ["c099:000000000003", "c099:000000000004"]


async def test_a_crash_between_send_and_delete(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay dies after Kafka has acknowledged, before it forgot: the next one sends the same events under the same ids."""
    await door.submit(count_up("c", events=3))
    dying = Relay(mongo, quick, "test", "dying")

    async def die(ids: list[str]) -> None:
        raise RuntimeError("killed here")

    monkeypatch.setattr(dying, "_delete", die)
    with pytest.raises(RuntimeError, match="killed here"):
        await asyncio.wait_for(dying.run(), 20)
    assert await ids_by_subject(quick, TOPIC) == {"c": [1, 2, 3]}
    async with running(Relay(mongo, quick, "test", "next")):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    records = await read_all(quick, TOPIC)
    ids = [dict(record.headers)["ce_id"] for record in records]
    assert ids == [b"c:1", b"c:2", b"c:3"] * 2
    assert [record.value for record in records[:3]] == [record.value for record in records[3:]]


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


async def test_a_zombie_deletes_nothing(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """A relay sleeps past its lease, wakes amid its page and wants to delete what another relay answers for now: it can't."""
    await door.submit(count_up("c"))
    zombie = Relay(mongo, quick, "test", "zombie")
    assert await zombie._hold_lease()
    await mongo[LEASES].update_one({"_id": "relay"}, [{"$set": {"expires_at": {"$subtract": ["$$NOW", 1]}}}])
    taken = await lease.acquire(mongo, "relay", "successor", 10)
    assert taken is not None
    assert taken.epoch == 2
    with pytest.raises(WriteRace, match="lease_lost"):
        await zombie._delete(["c:000000000001"])
    assert await mongo[outbox.OUTBOX].count_documents({}) == 1


async def test_its_own_renewal_costs_nothing(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay renews its lease at the moment at which it deletes a page: it deletes again, and doesn't send again."""
    await door.submit(count_up("c"))
    relay = Relay(mongo, quick, "test", "me")
    plain_check, renewed = lease.check, []

    async def check_after_a_renewal(mongo: Mongo, held: lease.Lease, tx: Any) -> None:
        if not renewed:
            await mongo[LEASES].find_one({"_id": "relay"}, session=tx)  # from here on the transaction sees this moment
            renewed.append(await lease.acquire(mongo, "relay", "me", 10))
        await plain_check(mongo, held, tx)

    monkeypatch.setattr(lease, "check", check_after_a_renewal)
    async with running(relay):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    assert [lease.Lease("relay", "me", 1)] == renewed
    assert await ids_by_subject(quick, TOPIC) == {"c": [1]}


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


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
async def test_kafka_down_and_up_again(mongo: Mongo, door: GroupCommit, quick: Settings, kafka_down: Callable[[], Any]) -> None:
    """Kafka is away while people go on registering; when it is back the outbox drains, complete and in order.

    aiokafka may hang for good; then the relay ends its process, and the supervisor, played here, starts a new one.
    """
    brisk = quick.model_copy(update={"relay_send_timeout_seconds": 2.0})
    stop = asyncio.Event()

    async def supervisor() -> None:
        while not stop.is_set():
            relay = Relay(mongo, brisk, "test", "me")
            work = asyncio.create_task(relay.run())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await relay.stop()
            with contextlib.suppress(TimeoutError, kafka.KafkaError):
                await asyncio.wait_for(work, 20)
            stopping.cancel()

    supervising = asyncio.create_task(supervisor())
    await door.submit_many([count_up(f"c{number}") for number in range(10)])
    await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    async with kafka_down():
        for _ in range(3):
            results = await door.submit_many([count_up(f"c{number}") for number in range(10)])
            assert all(isinstance(result, dict) for result in results)
        assert not await outbox_is_empty(mongo)
        await eventually_async(_nobody_publishes, 30, "no process says any longer that it is the relay")
    await eventually_async(lambda: outbox_is_empty(mongo), 90, "the outbox drained")
    stop.set()
    await supervising
    for sequences in (await ids_by_subject(quick, TOPIC)).values():
        assert list(dict.fromkeys(sequences)) == [1, 2, 3, 4]


async def _nobody_publishes() -> bool:
    return REGISTRY.get_sample_value("relay_lease_held") == 0.0


async def test_mongodb_down_and_up_again(
    mongo: Mongo, door: GroupCommit, quick: Settings, mongodb_down: Callable[[], Any]
) -> None:
    """MongoDB is away for a moment: the relay waits, and goes on where it was."""
    async with running(Relay(mongo, quick, "test", "me")) as work:
        await door.submit(count_up("c"))
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
        async with mongodb_down():
            pass

        async def again() -> Any:
            return await door.submit(count_up("c"))

        await eventually_async(again, 20, "the door works again")
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
        assert not work.done()
    assert await ids_by_subject(quick, TOPIC) == {"c": [1, 2]}
