"""What can't be handled: put aside with its bytes and a reason, the rest flows, and redrive restores the order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from confluent_kafka import TopicPartition as Place

from chassis.consuming import positions
from chassis.consuming.dead_letters import DEAD_LETTERS
from chassis.consuming.letter_requests import ask_redrive
from chassis.database.mongo import Mongo
from chassis.settings import Settings
from contracts.envelope import TYPE_PREFIX
from tests.harness.events import TOPIC, Sender, headers_of
from tests.harness.outbox import waiting_events
from tests.harness.topics import admin, read_all
from tests.harness.waiting import eventually_async
from tests.integration.consuming import (
    OPERATOR,
    Switch,
    consumer,
    consuming,
    effect_of,
    heard,
    letters,
    projection,
    reactions,
    series,
    until_heard,
    until_letters,
)

GOOD = b'{"value":1}'


BAD_MESSAGES: dict[str, tuple[Any, bytes | None, str]] = {
    "broken JSON": (headers_of("bad", 1), b'{"value":', "schema"),
    "not UTF-8": (headers_of("bad", 1), b"\xff\xfe\x00", "schema"),
    "no value": (headers_of("bad", 1), None, "schema"),
    "wrong schema": (headers_of("bad", 1), b'{"value":"many"}', "schema"),
    "a limit broken": (headers_of("bad", 1), b'{"value":-1}', "schema"),
    "a version from the future": (headers_of("bad", 1, f"{TYPE_PREFIX}test.counter.counted.v2"), GOOD, "unknown_type"),
    "no headers": ([], GOOD, "malformed"),
    "sequence zero": (headers_of("bad", 0), GOOD, "malformed"),
    "id of another": ([*headers_of("bad", 1), ("ce_id", b"other:1")], GOOD, "malformed"),
    "sequence of letters": ([*headers_of("bad", 1), ("ce_sequence", b"one")], GOOD, "malformed"),
    "a sequence that is null": ([*headers_of("bad", 1), ("ce_sequence", None)], GOOD, "malformed"),
    "time without offset": ([*headers_of("bad", 1), ("ce_time", b"2021-02-01T09:00:00")], GOOD, "malformed"),
    "a megabyte of noise": (headers_of("bad", 1), b"x" * 1_040_000, "schema"),
}


async def test_each_bad_message_is_one_letter(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Many kinds of nonsense arrive between good events: as many letters with bytes and reasons; the good are heard."""
    for number, (headers, value, _) in enumerate(BAD_MESSAGES.values()):
        await sender.raw(f"bad{number}", headers, value, partition=0)
        await sender.count("siti", number + 1, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": list(range(1, len(BAD_MESSAGES) + 1))})
        expected = [(f"bad{n}", "dead", reason) for n, (_, _, reason) in enumerate(BAD_MESSAGES.values())]
        await until_letters(mongo, expected)
    assert len(BAD_MESSAGES) == series("dead_letters", prefix, state="dead")
    found = await mongo[DEAD_LETTERS].find().sort("offset", 1).to_list(None)
    for document, (headers, value, _) in zip(found, BAD_MESSAGES.values(), strict=True):
        assert (value or b"") == bytes(document["value"])
        assert len(value or b"") == document["value_bytes"]
        assert headers == [(name, raw if raw is None else bytes(raw)) for name, raw in document["headers"]]
    assert {
        reason: series("dead_letters_put_aside_total", prefix, reason=reason)
        for reason in ("schema", "malformed", "unknown_type")
    } == {"schema": 6.0, "malformed": 6.0, "unknown_type": 1.0}
    assert sum(document["next_offset"] for document in await positions.stored(mongo)) == 2 * len(BAD_MESSAGES)


async def test_a_message_without_a_key(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Nobody can say whose it is: it is put aside and blocks no one."""
    await sender.raw(None, [], b"?", partition=0)
    await sender.count("siti", 1, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1]})
        await until_letters(mongo, [(None, "dead", "malformed")])


async def test_personal_data_is_not_in_the_reason(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A message that fails holds a NIK where a number belongs: the letter's reason names the field and not the value."""
    await sender.raw("bad", headers_of("bad", 1), b'{"value":"NIK 3171014512909001"}', partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_letters(mongo, [("bad", "dead", "schema")])
    [document] = await mongo[DEAD_LETTERS].find().to_list(None)
    assert "value" in document["detail"]
    assert "3171014512909001" not in document["detail"]


async def test_later_events_of_the_subject_wait(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Siti's event 2 is broken: 3 and 4 wait behind it, also after a restart; Budi's on the same partition flow."""
    await sender.count("siti", 1, partition=0)
    await sender.count("siti", 2, partition=0, value=b"{")
    await sender.count("siti", 3, partition=0)
    await sender.count("budi", 1, partition=0)
    broken, parked = ("siti", "dead", "schema"), ("siti", "parked", "behind_dead_letter")
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1], "budi": [1]})
        await until_letters(mongo, [broken, parked])
    await sender.count("siti", 4, partition=0)
    await sender.count("budi", 2, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1], "budi": [1, 2]})
        await until_letters(mongo, [broken, parked, parked])
    # The gauges follow the commit; the consumer has ended by now, and with it the batch in hand.
    assert (series("dead_letters", prefix, state="dead"), series("dead_letters", prefix, state="parked")) == (1.0, 2.0)
    assert series("events_gap_total", prefix) == 0


@pytest.mark.parametrize("kind", ["projection", "reactions"])
async def test_redrive_in_order_after_the_cause_is_gone(
    kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender
) -> None:
    """A rule refuses Siti's events; an operator asks too early, in vain; the rule is mended; asked again, all come in order."""
    switch = Switch(refused={"siti"}) if kind == "reactions" else Switch(broken={"siti"})
    reason = "rule" if kind == "reactions" else "unknown_error"
    for sequence in (1, 2, 3):
        await sender.count("siti", sequence)
        await sender.count("budi", sequence)
    first, behind = ("siti", "dead", reason), ("siti", "parked", "behind_dead_letter")
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix, switch))):
        await until_heard(mongo, {"budi": [1, 2, 3]})
        await until_letters(mongo, [first, behind, behind])
        assert len(await ask_redrive(mongo, OPERATOR, consumer=prefix, subject="siti")) == 3
        await eventually_async(lambda: _nothing_requested(mongo), 20, "the redrive was tried")
        assert [first, behind, behind] == await letters(mongo)
        switch.refused.clear()
        switch.broken.clear()
        await sender.count("siti", 4)
        await until_letters(mongo, [first, behind, behind, behind])
        await ask_redrive(mongo, OPERATOR, consumer=prefix, subject="siti")
        await until_heard(mongo, {"budi": [1, 2, 3], "siti": [1, 2, 3, 4]})
        await until_letters(mongo, [])
        await sender.count("siti", 5)
        await until_heard(mongo, {"budi": [1, 2, 3], "siti": [1, 2, 3, 4, 5]})
        assert (series("dead_letters", prefix, state="dead"), series("dead_letters", prefix, state="parked")) == (0.0, 0.0)
    assert (series("events_gap_total", prefix), series("consumer_duplicates_total", prefix)) == (0.0, 0.0)
    if kind == "reactions":
        assert len(await waiting_events(mongo)) == 8


async def _nothing_requested(mongo: Mongo) -> bool:
    count: int = await mongo[DEAD_LETTERS].count_documents({"redrive": True})
    return count == 0


async def test_a_redrive_that_stops_half_way(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Event 1 was refused and is mended, event 3 is still bad: 1 and 2 are redriven, 3 is dead now and 4 waits behind it."""
    switch = Switch(refused={"siti:1", "siti:3"})
    for sequence in (1, 2, 3, 4):
        await sender.count("siti", sequence)
    async with consuming(consumer(mongo, plain, prefix, reactions(mongo, prefix, switch))):
        await until_letters(mongo, [("siti", "dead", "rule"), *[("siti", "parked", "behind_dead_letter")] * 3])
        switch.refused.discard("siti:1")
        await ask_redrive(mongo, OPERATOR)
        await until_letters(mongo, [("siti", "dead", "rule"), ("siti", "parked", "behind_dead_letter")])
        await until_heard(mongo, {"siti": [1, 2]})
        switch.refused.clear()
        await eventually_async(lambda: _nothing_requested(mongo), 20, "the redrive has ended")
        await ask_redrive(mongo, OPERATOR)
        await until_heard(mongo, {"siti": [1, 2, 3, 4]})
        await until_letters(mongo, [])


@pytest.mark.parametrize("kind", ["projection", "reactions"])
async def test_one_poison_among_hundreds(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """One event makes the effect raise something nobody foresaw: halving finds it, and the others have their effect once."""
    switch = Switch(broken={"s7:2"})
    await sender.count_all(40, 5)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix, switch))):
        expected = {f"s{number}": [1, 2, 3, 4, 5] for number in range(40)} | {"s7": [1]}
        await until_heard(mongo, expected, 30)
        await until_letters(mongo, [("s7", "dead", "unknown_error"), *[("s7", "parked", "behind_dead_letter")] * 3])
    assert sum(document["next_offset"] for document in await positions.stored(mongo)) == 200
    assert series("consumer_events_total", prefix) == 196


async def stopped(name: str) -> bool:
    """Whether the consumer gave up and pages somebody."""
    return series("consumer_stopped", name) == 1


async def test_too_many_bad_ones_stop_it(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Somebody deploys a producer that writes nonsense: after more than fifty it stops and pages, and the process stays up."""
    for number in range(80):
        await sender.raw(f"bad{number}", headers_of(f"bad{number}", 1), b"{", partition=0)
    working = consumer(mongo, plain.model_copy(update={"consumer_batch_limit": 20}), prefix, projection(mongo))
    async with consuming(working) as [work]:
        await eventually_async(lambda: stopped(prefix), 20, "it stopped")
        assert not work.done()
        assert not working.healthy
        assert len(await letters(mongo)) == 60
    assert sum(document["next_offset"] for document in await positions.stored(mongo)) == 60


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
async def test_a_whole_batch_refused_by_a_rule(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A rule that refuses everything meets 1,500 events in one batch: it stops and pages, and doesn't fall over its own stack."""
    await sender.count_all(1500, 1)
    switch = Switch(refused={f"s{number}" for number in range(1500)})
    async with consuming(consumer(mongo, plain, prefix, reactions(mongo, prefix, switch))) as [work]:
        await eventually_async(lambda: stopped(prefix), 30, "it stopped")
        assert not work.done()
    put_aside = await mongo[DEAD_LETTERS].count_documents({})
    assert 50 < put_aside == sum(document["next_offset"] for document in await positions.stored(mongo))
    assert await heard(mongo) == {}


async def test_a_position_that_kafka_no_longer_has(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Records were deleted under the stored position: it stops and pages instead of skipping in silence."""
    for sequence in range(1, 11):
        await sender.count("siti", sequence, partition=0)
    topic = f"{plain.kafka_topic_prefix}{TOPIC}"
    await positions.begin(mongo, prefix, TopicPartition(topic, 0), 2)
    asking = admin(plain)
    [deleted] = asking.delete_records([Place(topic, 0, 5)]).values()
    assert deleted.result(10).low_watermark == 5
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))) as [work]:
        await eventually_async(lambda: stopped(prefix), 20, "it stopped")
        assert not work.done()
    assert await heard(mongo) == {}
    assert len(await read_all(plain, TOPIC)) == 5


async def test_a_topic_made_anew(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The topic is shorter than the stored position, as after it was deleted and made again: it stops and pages."""
    await sender.count("siti", 1, partition=0)
    await positions.begin(mongo, prefix, TopicPartition(f"{plain.kafka_topic_prefix}{TOPIC}", 0), 10_000)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await eventually_async(lambda: stopped(prefix), 20, "it stopped")
    assert await heard(mongo) == {}


async def test_after_a_stop_a_restart_looks_again(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The nonsense has ended and the process is restarted: the gauge is back to 0 and good events flow."""
    for number in range(60):
        await sender.raw(f"bad{number}", headers_of(f"bad{number}", 1), b"{", partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await eventually_async(lambda: stopped(prefix), 20, "it stopped")
    await sender.count("siti", 1)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        assert not await stopped(prefix)
        await until_heard(mongo, {"siti": [1]})


async def test_stopping_while_it_stands_still(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A consumer that stopped and paged still ends in order when its process is told to."""
    await positions.begin(mongo, prefix, TopicPartition(f"{plain.kafka_topic_prefix}{TOPIC}", 0), 10_000)
    working = consumer(mongo, plain, prefix, projection(mongo))
    work = asyncio.create_task(working.run())
    await eventually_async(lambda: stopped(prefix), 20, "it stopped")
    await working.stop()
    await asyncio.wait_for(work, 15)
