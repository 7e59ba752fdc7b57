"""The consumer on real servers: every event's effect once, in order, and the position never apart from it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions

from chassis.consuming import dead_letters, positions
from chassis.consuming.batch import Batch, Entry
from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Applied, Circumstances, Effect
from chassis.consuming.letter_requests import Ask, ask_redrive
from chassis.database.failures import CommitUnknown, WriteRace
from chassis.database.mongo import Mongo
from chassis.settings import Settings
from chassis.writing import outbox
from contracts.envelope import source_of
from tests.harness.events import TOPIC, Echoed, Sender, headers_of
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
    stored_total,
    until_heard,
    until_letters,
)

both_effects = pytest.mark.parametrize("kind", ["projection", "reactions"])


@both_effects
async def test_every_event_once_and_in_order(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Thirty people, twenty events each, over six partitions: each person's are heard in order, and the positions agree."""
    await sender.count_all(30, 20)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_heard(mongo, {f"s{number}": list(range(1, 21)) for number in range(30)})
        assert await stored_total(mongo) == 600
        await eventually_async(lambda: _is(600, "consumer_events_total", prefix), 5, "all are counted")
    assert (series("events_gap_total", prefix), series("consumer_duplicates_total", prefix)) == (0.0, 0.0)
    assert await letters(mongo) == []


async def _is(expected: float, name: str, consumer_name: str) -> bool:
    return series(name, consumer_name) == expected


@both_effects
async def test_what_was_seen_is_ignored(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The relay died and sent events again, with new ones after them: each has its effect once, repetitions are counted."""
    for sequence in (1, 2, 3, 2, 3, 4, 1, 5):
        await sender.count("siti", sequence)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_heard(mongo, {"siti": [1, 2, 3, 4, 5]})
        await eventually_async(lambda: _is(3, "consumer_duplicates_total", prefix), 5, "repetitions are counted")
    assert series("consumer_events_total", prefix) == 5


@both_effects
async def test_an_event_waits_for_the_one_before(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Event 3 comes before event 2 (a topic was grown, say): it waits, and 4 behind it; 2 comes, and all are heard in order."""
    for sequence in (1, 3, 4):
        await sender.count("siti", sequence, partition=0)
    await sender.count("budi", 1, partition=0)
    waiting, parked = ("siti", "waiting", "predecessor_missing"), ("siti", "parked", "behind_dead_letter")
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_letters(mongo, [waiting, parked])
        await until_heard(mongo, {"siti": [1], "budi": [1]})
        assert series("events_gap_total", prefix) == 1.0
        await eventually_async(lambda: _waiting_is(1, prefix), 5, "the gauge follows the commit")
        await sender.count("siti", 2, partition=1)
        await until_heard(mongo, {"siti": [1, 2, 3, 4], "budi": [1]})
        await until_letters(mongo, [])
        await sender.count("siti", 5, partition=1)
        await until_heard(mongo, {"siti": [1, 2, 3, 4, 5], "budi": [1]})


async def _waiting_is(expected: float, consumer_name: str) -> bool:
    return series("dead_letters", consumer_name, state="waiting") == expected


@both_effects
async def test_a_gap_that_an_operator_accepts(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Event 2 is lost for good: asked plainly, event 3 goes on waiting; once the gap is accepted, it is heard."""
    for sequence in (1, 3):
        await sender.count("siti", sequence, partition=0)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_letters(mongo, [("siti", "waiting", "predecessor_missing")])
        await ask_redrive(mongo, OPERATOR, consumer=prefix)
        await eventually_async(lambda: _none_is_asked_for(mongo), 20, "the redrive was tried")
        assert await heard(mongo) == {"siti": [1]}
        await ask_redrive(mongo, Ask("usr_op", accept_gaps=True), consumer=prefix)
        await until_heard(mongo, {"siti": [1, 3]})
        await until_letters(mongo, [])


async def _none_is_asked_for(mongo: Mongo) -> bool:
    return bool(await mongo[dead_letters.DEAD_LETTERS].count_documents({"redrive": True}) == 0)


async def test_too_many_that_wait_stop_the_consumer(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The first events of many subjects are missing: that is a lost partition. The consumer stops and pages."""
    for number in range(4):
        await sender.count(f"s{number}", 2, partition=0)
    strict = plain.model_copy(update={"consumer_waiting_limit": 3})
    async with consuming(consumer(mongo, strict, prefix, projection(mongo))) as [work]:
        await eventually_async(lambda: _is(1, "consumer_stopped", prefix), 20, "it stopped")
        assert not work.done()


@both_effects
async def test_the_same_id_with_other_content(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A publisher restored from a backup tells another event 2 than before: an alarm and a dead letter, no silent duplicate."""
    await sender.count("siti", 1, partition=0)
    await sender.count("siti", 2, partition=0)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_heard(mongo, {"siti": [1, 2]})
        await sender.count("siti", 2, partition=0)
        restored = headers_of("siti", 2, source=source_of("test", "20261126T053012Z"))
        await sender.raw("siti", restored, b'{"value":7}', partition=0)
        await until_letters(mongo, [("siti", "dead", "other_content")])
        assert await heard(mongo) == {"siti": [1, 2]}
    letter = await mongo[dead_letters.DEAD_LETTERS].find_one({})
    assert letter["detail"].endswith("was seen before with other content; this one is of generation 20261126T053012Z")
    assert series("events_conflicting_total", prefix) == 1.0


async def test_a_reaction_tells_of_itself_in_the_same_transaction(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender
) -> None:
    """Each event that is heard makes an event of our own, once, even when it is heard twice."""
    for sequence in (1, 2, 1, 2, 3):
        await sender.count("siti", sequence)
    async with consuming(consumer(mongo, plain, prefix, reactions(mongo, prefix))):
        await until_heard(mongo, {"siti": [1, 2, 3]})
    told = await waiting_events(mongo)
    expected = [("siti", n, Echoed.TYPE, n) for n in (1, 2, 3)]
    found = [(e["subject"], e["sequence"], e["type"], Echoed.model_validate_json(e["value"]).value) for e in told]
    assert expected == found


async def test_a_restart_goes_on_at_the_stored_position(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The process restarts: it reads nothing twice and misses nothing, though Kafka never heard where it was."""
    await sender.count_all(3, 5)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {f"s{number}": [1, 2, 3, 4, 5] for number in range(3)})
    for number in range(3):
        await sender.count(f"s{number}", 6)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {f"s{number}": [1, 2, 3, 4, 5, 6] for number in range(3)})
    assert series("consumer_duplicates_total", prefix) == 0
    group = f"{plain.kafka_topic_prefix}{plain.mongodb_database_prefix}.{prefix}"
    asking = admin(plain)
    [listing] = asking.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    assert listing.result(10).topic_partitions == []


async def test_effect_letters_and_position_are_one(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position can't be moved after effect and dead letter were written: then they aren't there; all come together."""
    await sender.count("siti", 1, partition=0)
    await sender.count("budi", 1, partition=0, value=b"{")
    plain_move, failed = positions.move, list[Any]()

    async def move(*arguments: Any) -> None:
        if not failed:
            failed.append((await heard(mongo), await letters(mongo)))
            raise WriteRace("version")
        await plain_move(*arguments)

    monkeypatch.setattr(positions, "move", move)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1]})
    assert failed == [({}, [])]
    assert await letters(mongo) == [("budi", "dead", "schema")]
    assert await stored_total(mongo) == 2


class Seeks:
    """Stands in for the Kafka client of a consumer that is no longer in the group."""

    def __init__(self) -> None:
        self.to: dict[TopicPartition, int] = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Note it."""
        self.to[partition] = offset

    def highwater(self, partition: TopicPartition) -> None:
        """Nothing is known of its end."""


async def entries_of(subject: Consumer, settings: Settings) -> list[Entry]:
    """All messages of the topic as the consumer would take them."""
    return [subject.fetcher.entry(TopicPartition(r.topic, r.partition), r) for r in await read_all(settings, TOPIC)]


@both_effects
async def test_a_zombie_changes_nothing(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A consumer sleeps with a batch in hand while another took over and moved on: on waking it can't write, and learns."""
    await sender.count_all(3, 2)
    zombie = consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))
    zombie.fetcher.kafka = Seeks()
    asleep = await entries_of(zombie, plain)
    zombie.place.assign(dict.fromkeys({entry.partition for entry in asleep}, 0))
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_heard(mongo, {f"s{number}": [1, 2] for number in range(3)})
    before = (await heard(mongo), await stored_total(mongo), await mongo[outbox.OUTBOX].count_documents({}))
    await zombie._handle(Batch(asleep))
    after = (await heard(mongo), await stored_total(mongo), await mongo[outbox.OUTBOX].count_documents({}))
    assert before == after
    stored = {TopicPartition(doc["topic"], doc["partition"]): doc["next_offset"] for doc in await positions.stored(mongo)}
    expected = zombie.place.expected
    assert {partition: stored[partition] for partition in expected} == expected == zombie.fetcher.kafka.to


class Interrupted:
    """An effect whose commits end unknown as told: first (committed?) for each, then as usual."""

    def __init__(self, inner: Effect, outcomes: list[bool], break_first: bool = False) -> None:
        self.types = inner.types
        self.prepare = inner.prepare
        self._inner = inner
        self._outcomes = outcomes
        self._broken = break_first

    async def commit(self, events: Any, also: Any, circumstances: Circumstances) -> Applied:
        """Commit or not, and say nothing about it."""
        if self._broken:
            self._broken = False
            raise ValueError("the batch is to be halved")
        if self._outcomes:
            if self._outcomes.pop(0):
                await self._inner.commit(events, also, circumstances)
            raise CommitUnknown("no answer")
        return await self._inner.commit(events, also, circumstances)


@pytest.mark.parametrize("halved", [False, True], ids=["whole", "halved"])
@pytest.mark.parametrize("stored", [True, False], ids=["it was stored", "it was not"])
@both_effects
async def test_a_commit_without_an_answer(
    kind: str, stored: bool, halved: bool, mongo: Mongo, plain: Settings, prefix: str, sender: Sender
) -> None:
    """Nobody knows whether the batch was committed: the stored position knows, and nothing is skipped or done twice."""
    for sequence in range(1, 9):
        await sender.count("siti", sequence)
    effect = Interrupted(effect_of(kind, mongo, prefix), [stored], break_first=halved)
    async with consuming(consumer(mongo, plain, prefix, effect)):
        await until_heard(mongo, {"siti": list(range(1, 9))})
    assert (series("events_gap_total", prefix), series("consumer_duplicates_total", prefix)) == (0.0, 0.0)


async def test_a_letter_in_a_commit_without_an_answer(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The batch that put Siti's second event aside was stored, and nobody said so: her third waits behind it all the same."""
    await sender.count("siti", 1)
    await sender.count("siti", 2, value=b"not JSON")
    async with consuming(consumer(mongo, plain, prefix, Interrupted(projection(mongo), [True]))):
        await until_letters(mongo, [("siti", "dead", "schema")])
        await sender.count("siti", 3)
        await until_letters(mongo, [("siti", "dead", "schema"), ("siti", "parked", "behind_dead_letter")])
        assert await heard(mongo) == {"siti": [1]}
    assert series("events_gap_total", prefix) == 0.0


async def test_a_redrive_that_meets_another_writer(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The effect of a redriven letter isn't stored at first, for no fault of its own: it is done all the same."""
    switch = Switch(broken={"siti"})
    for sequence in (1, 2):
        await sender.count("siti", sequence)
    effect = Interrupted(projection(mongo, switch), [])
    async with consuming(consumer(mongo, plain, prefix, effect)):
        await until_letters(mongo, [("siti", "dead", "unknown_error"), ("siti", "parked", "behind_dead_letter")])
        switch.broken.clear()
        effect._outcomes = [False]
        await ask_redrive(mongo, OPERATOR, consumer=prefix, subject="siti")
        await until_letters(mongo, [])
        assert (effect._outcomes, await heard(mongo)) == ([], {"siti": [1, 2]})


async def test_what_was_fetched_ahead_of_a_failed_commit(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A commit gets no answer and wasn't stored, the next batch is decoded already: that one is void."""
    for sequence in range(1, 13):
        await sender.count("siti", sequence)
    inner, outcomes = projection(mongo), [False, True, False]

    class Slow(Interrupted):
        async def commit(self, events: Any, also: Any, circumstances: Circumstances) -> Applied:
            await asyncio.sleep(0.15)  # the slowness itself: the next batch is decoded meanwhile
            return await super().commit(events, also, circumstances)

    few = plain.model_copy(update={"consumer_batch_limit": 3})
    async with consuming(consumer(mongo, few, prefix, Slow(inner, outcomes))):
        await until_heard(mongo, {"siti": list(range(1, 13))})
    assert (series("events_gap_total", prefix), series("consumer_duplicates_total", prefix)) == (0.0, 0.0)


async def test_lag_is_what_kafka_has_and_we_have_not(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Ten events wait and the effect stands still after the first three: a lag of seven; it goes on: no lag."""
    for sequence in range(1, 11):
        await sender.count("siti", sequence)
    go_on = asyncio.Event()
    inner = projection(mongo)

    class StandsStill:
        types = inner.types
        prepare = staticmethod(inner.prepare)

        async def commit(self, events: Any, also: Any, circumstances: Circumstances) -> Applied:
            if events[0].sequence > 3:
                await go_on.wait()
            return await inner.commit(events, also, circumstances)

    [place] = {record.partition for record in await read_all(plain, TOPIC)}
    labels = {"topic": f"{plain.kafka_topic_prefix}{TOPIC}", "partition": str(place)}

    async def lag_is(expected: int) -> bool:
        return series("consumer_lag_events", prefix, **labels) == expected

    async with consuming(consumer(mongo, plain.model_copy(update={"consumer_batch_limit": 3}), prefix, StandsStill())):
        await eventually_async(lambda: lag_is(7), 20, "a lag of seven")
        go_on.set()
        await eventually_async(lambda: lag_is(0), 20, "no lag")
    await until_heard(mongo, {"siti": list(range(1, 11))})
