"""The relay on real servers: the outbox reaches Kafka in order, at least once, from one relay at a time."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.database.lease import LEASES
from chassis.database.mongo import Mongo
from chassis.publishing import generations, kafka, lane
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing import outbox
from chassis.writing.commit import decide_together, write
from chassis.writing.group_commit import GroupCommit
from contracts.envelope import from_message
from tests.harness.events import TOPIC, Counted, count_up
from tests.harness.outbox import outbox_is_empty, waiting_events
from tests.harness.topics import ids_by_subject, read_all
from tests.harness.waiting import eventually_async
from tests.integration.relaying import running


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
