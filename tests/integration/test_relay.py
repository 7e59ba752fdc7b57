"""The relay on real servers: the outbox reaches Kafka in order, at least once, from one relay at a time."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.database import lease
from chassis.database.lease import LEASES
from chassis.database.mongo import Mongo
from chassis.publishing import generations, kafka, lane
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing import outbox
from chassis.writing.commit import decide_together, write
from chassis.writing.group_commit import GroupCommit
from contracts.envelope import from_message
from tests.conftest import SettingsFactory
from tests.harness.events import TOPIC, Counted, count_up
from tests.harness.outbox import outbox_is_empty, waiting_events
from tests.harness.topics import ids_by_subject, read_all
from tests.harness.waiting import eventually_async


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


async def test_a_commit_between_two_pages(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the pages of a sweep the next event of a counter is committed: order holds, and nothing is passed over."""
    for number in range(6):
        await door.submit(count_up(f"c{number}"))
    relay = Relay(mongo, quick.model_copy(update={"relay_page": 2}), "test", "me")
    plain, pages = outbox.page, []

    async def page_and_let_others_commit(*arguments: Any) -> list[outbox.OutboxDocument]:
        found = await plain(*arguments)
        pages.append(len(found))
        if len(pages) <= 3:
            await door.submit_many([count_up("c0"), count_up(f"new{len(pages)}")])
        return found

    monkeypatch.setattr(outbox, "page", page_and_let_others_commit)
    async with running(relay):
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    expected = {"c0": [1, 2, 3, 4], **{f"c{n}": [1] for n in range(1, 6)}, **{f"new{n}": [1] for n in range(1, 4)}}
    assert expected == await ids_by_subject(quick, TOPIC)


async def test_a_sweep_is_one_moment(mongo: Mongo, door: GroupCommit) -> None:
    """All pages of a sweep show the moment at which it began, though others commit meanwhile."""
    for _ in range(3):
        await door.submit(count_up("c"))
    async with mongo.snapshot() as snapshot:
        first = await outbox.page(mongo, "", 2, snapshot)
        await door.submit(count_up("c"))
        second = await outbox.page(mongo, first[-1]["_id"], 2, snapshot)
        assert mongo.snapshot_time(snapshot) is not None
    assert [event["sequence"] for document in (*first, *second) for event in document["events"]] == [1, 2, 3]
    assert [event["sequence"] for event in await waiting_events(mongo)] == [1, 2, 3, 4]


async def test_stamps_follow_each_other(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """Two replicas count one counter in turn and at once: its events sort by the stamps of their commits."""
    doors = await replicas(2)
    for number in range(30):
        await doors[number % 2].submit(count_up("c"))
    for _ in range(10):
        await asyncio.gather(*(door.submit_many([count_up("c")] * 3) for door in doors))
    assert list(range(1, 91)) == [event["sequence"] for event in await waiting_events(mongo)]


async def test_a_crash_between_send_and_delete(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay dies after Kafka has acknowledged, before it forgot: the next one sends the same events under the same ids."""
    await door.submit(count_up("c", events=3))
    dying = Relay(mongo, quick, "test", "dying")
    sent = asyncio.Event()

    async def die() -> None:
        if dying._progress.complete:
            sent.set()
            await asyncio.Event().wait()  # never to return

    monkeypatch.setattr(dying, "_delete", die)
    task = asyncio.create_task(dying.run())
    await asyncio.wait_for(sent.wait(), 20)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
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


async def test_a_restored_database_publishes_as_a_new_generation(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """Before and after a restore: the source of what is published names the generation, and restoring again makes another."""
    moments = (datetime(2026, 11, 26, 5, 30, second, tzinfo=UTC) for second in range(2))
    for moment in (None, *moments):
        if moment is not None:
            await generations.begin(mongo, moment)
        await door.submit(count_up("c"))
        async with running(Relay(mongo, quick, "test", "me")):
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    sources = [dict(record.headers)["ce_source"].decode() for record in await read_all(quick, TOPIC)]
    expected = ["", "/generations/20261126T053000Z", "/generations/20261126T053001Z"]
    assert sources == [f"/services/test{generation}" for generation in expected]


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


async def test_a_slow_partition_holds_up_nobody(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One partition's acknowledgement takes longer than the lease: the others flow meanwhile, nothing is sent twice."""
    plain, gate, slow = lane._acknowledgement, asyncio.Event(), zlib.crc32(b"slow") % 6

    async def acknowledge(producer: Any, batch: Any, topic: str, partition: int) -> None:
        if partition == slow:
            await gate.wait()
        await plain(producer, batch, topic, partition)

    monkeypatch.setattr(lane, "_acknowledgement", acknowledge)
    others = [f"c{n}" for n in range(40) if zlib.crc32(f"c{n}".encode()) % 6 != slow]
    async with running(Relay(mongo, quick, "test", "me")) as work:
        await door.submit(count_up("slow"))
        for _ in range(5):
            await door.submit_many([count_up(subject) for subject in others])
        await eventually_async(lambda: _waits_only(mongo, "slow"), 20, "the other partitions flowed")
        await door.submit(count_up("slow"))
        held = await mongo[LEASES].find_one({"_id": "relay"})
        await eventually_async(lambda: _renewed_since(mongo, held), 20, "the lease was renewed while the send took long")
        gate.set()
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
        assert not work.done()
    expected = {subject: [1, 2, 3, 4, 5] for subject in others} | {"slow": [1, 2]}
    assert expected == await ids_by_subject(quick, TOPIC)


async def _waits_only(mongo: Mongo, subject: str) -> bool:
    return {event["subject"] for event in await waiting_events(mongo)} == {subject}


async def _renewed_since(mongo: Mongo, before: Any) -> bool:
    found = await mongo[LEASES].find_one({"_id": "relay"})
    return bool(found["epoch"] == before["epoch"] and found["expires_at"] > before["expires_at"])


async def test_a_refused_partition_waits_alone(
    mongo: Mongo, door: GroupCommit, quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka refuses one partition three times: its events follow in order afterwards, and the others never noticed."""
    plain, refused, bad = lane._acknowledgement, list[int](), zlib.crc32(b"bad") % 6

    async def acknowledge(producer: Any, batch: Any, topic: str, partition: int) -> None:
        if partition == bad and len(refused) < 3:
            refused.append(partition)
            raise kafka.KafkaError("refused here")
        await plain(producer, batch, topic, partition)

    monkeypatch.setattr(lane, "_acknowledgement", acknowledge)
    async with running(Relay(mongo, quick, "test", "me")):
        for _ in range(4):
            await door.submit_many([count_up("bad"), count_up("c1"), count_up("c2")])
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
    assert await ids_by_subject(quick, TOPIC) == {"bad": [1, 2, 3, 4], "c1": [1, 2, 3, 4], "c2": [1, 2, 3, 4]}
    assert len(refused) == 3


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
        await asyncio.sleep(3 * hasty.relay_stuck_seconds)
        assert await _held_by(mongo, "stuck") == taken
    assert {f"c{n}": [1] for n in range(10)} == await ids_by_subject(quick, TOPIC)


async def _held_by(mongo: Mongo, owner: str) -> int | None:
    """The epoch under which the owner holds the lease."""
    found = await mongo[LEASES].find_one({"_id": "relay", "owner": owner})
    return found["epoch"] if found else None


async def test_the_floor_stays_below_open_transactions(mongo: Mongo, door: GroupCommit, quick: Settings) -> None:
    """A transaction begins, sweeps go by, it commits late: its events lie below later ones and are published all the same."""
    brisk = quick.model_copy(update={"mongo_transaction_seconds": 5.0})
    await door.submit(count_up("first"))  # the collections are there: making them would conflict
    async with running(Relay(mongo, brisk, "test", "me")):
        decided = await decide_together(mongo, [count_up("late")])

        async def slowly(tx: Any, _results: Any) -> None:
            for number in range(20):  # others commit meanwhile, and are published
                await door.submit(count_up(f"c{number}"))
            await eventually_async(lambda: _nothing_of(mongo, "c19"), 20, "the others are published")

        await write(mongo, decided, in_same_transaction=slowly, deadline_seconds=10)
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the late one is published")
    assert (await ids_by_subject(quick, TOPIC))["late"] == [1]


async def _nothing_of(mongo: Mongo, subject: str) -> bool:
    return subject not in {event["subject"] for event in await waiting_events(mongo)}


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

    The same relay goes on throughout: no trouble of Kafka ends it.
    """
    brisk = quick.model_copy(update={"relay_send_timeout_seconds": 2.0})
    async with running(Relay(mongo, brisk, "test", "me")) as work:
        await door.submit_many([count_up(f"c{number}") for number in range(10)])
        await eventually_async(lambda: outbox_is_empty(mongo), 20, "the outbox is empty")
        async with kafka_down():
            for _ in range(3):
                results = await door.submit_many([count_up(f"c{number}") for number in range(10)])
                assert all(isinstance(result, dict) for result in results)
            assert not await outbox_is_empty(mongo)
        await eventually_async(lambda: outbox_is_empty(mongo), 90, "the outbox drained")
        assert not work.done()
    for sequences in (await ids_by_subject(quick, TOPIC)).values():
        assert list(dict.fromkeys(sequences)) == [1, 2, 3, 4]


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
