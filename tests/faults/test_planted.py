"""The checker is itself tested: each planted bug is found, under the check that it breaks; without it the same run is clean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import TopicPartition

from chassis import fail_points
from chassis.consuming.batch import Batch
from chassis.consuming.consumer import _Resynchronised
from chassis.database.mongo import Mongo, Tx
from chassis.publishing import kafka, lane
from chassis.publishing.relay import Relay
from contracts.registration import TOPIC
from deploy.local.stack import Stack
from tests.faults import planted
from tests.faults.small import Died, Small
from tests.faults.troubles import poison
from tests.harness.topics import read_all

pytestmark = pytest.mark.faults
Story = Callable[[Small, pytest.MonkeyPatch], Awaitable[tuple[str, ...]]]
_IDLE_SWEEPS = 3


@pytest.fixture
async def small(stack: Stack) -> AsyncIterator[Small]:
    """The platform in one process."""
    async with Small.running(stack) as running:
        yield running


def die_once(patch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    """The next call of this method is the process's end."""
    plain = getattr(owner, name)

    async def die(*_: object) -> None:
        patch.setattr(owner, name, plain)
        raise Died

    patch.setattr(owner, name, die)


async def idle_relay(small: Small, patch: pytest.MonkeyPatch) -> None:
    """A relay sweeps a few times, whether it leaves something behind or not."""
    plain, swept = Relay._sweep, asyncio.Semaphore(0)

    async def sweep(self: Relay) -> int:
        rows = await plain(self)
        swept.release()
        return rows

    patch.setattr(Relay, "_sweep", sweep)
    async with small.relaying("registration"), asyncio.timeout(20):
        for _ in range(_IDLE_SWEEPS):
            await swept.acquire()
    patch.setattr(Relay, "_sweep", plain)


async def the_machine_goes_down_after_the_reply(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three people hear 201; in the same moment the machine goes down, with whatever wasn't committed."""
    await small.register(3)
    for task in list(planted.unfinished):
        task.cancel()
    await asyncio.gather(*planted.unfinished, return_exceptions=True)
    await idle_relay(small, patch)
    return ("registration",)


async def people_register(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three people register and are verified; the relay has time to sweep."""
    await small.register(3)
    await small.verify()
    await idle_relay(small, patch)
    return ("registration",)


async def the_relay_dies_while_it_sends(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three people register. The relay dies before Kafka has any of their events; the next one takes over."""
    await small.register(3)
    plain, plain_settle, handed = lane._acknowledgement, Relay._settle, asyncio.Event()

    async def never(*_: object) -> None:
        handed.set()
        await asyncio.Event().wait()

    async def die(self: Relay, seconds: float) -> None:
        await handed.wait()
        patch.setattr(Relay, "_settle", plain_settle)
        raise Died

    patch.setattr(lane, "_acknowledgement", never)
    patch.setattr(Relay, "_settle", die)
    with pytest.raises(Died):
        await asyncio.wait_for(Relay(small.core("registration").mongo, small.settings, "registration", "dies").run(), 20)
    patch.setattr(lane, "_acknowledgement", plain)
    await small.core("registration").mongo["leases"].delete_many({})
    await idle_relay(small, patch)
    return ("registration",)


async def the_second_comes_late(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Siti's commit is stamped and slow to end. Another replica's overtakes it and is published; then hers ends."""
    await small.register(1)  # makes the collections: two transactions that make the same one are no race of commits
    overtaken = asyncio.Event()
    plain, saved = Mongo.transaction, asyncio.Event()

    async def slow(self: Mongo, work: Callable[[Tx], Awaitable[Any]], deadline_seconds: float = 20.0) -> Any:
        async def work_and_wait(tx: Tx) -> Any:
            done = await work(tx)
            if not overtaken.is_set():
                saved.set()
                await overtaken.wait()
            return done

        return await plain(self, work_and_wait, deadline_seconds)

    patch.setattr(Mongo, "transaction", slow)
    siti = asyncio.create_task(small.register(1))
    await saved.wait()
    patch.setattr(Mongo, "transaction", plain)
    async with small.another_replica():
        await small.register(2)  # the first may have the very same stamp, the second has a later one
    await idle_relay(small, patch)
    overtaken.set()
    await siti
    await idle_relay(small, patch)
    return ("registration",)


async def the_consumer_dies_after_a_commit(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three people are published. Metrics' consumer dies after its first commit; another starts in its place."""
    await small.register(3)
    await small.relay("registration")

    def die(point: str) -> None:
        if point == "commit.after":
            patch.setattr(fail_points, "hit", lambda _: None)
            raise Died

    patch.setattr(fail_points, "hit", die)
    await small.consume("metrics")
    await small.consume("metrics")
    return ("registration", "metrics")


async def a_zombie_goes_on(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A consumer sleeps with the first events in hand. Its successor reads all; then the sleeper wakes and commits."""
    await small.register(12)
    await small.relay("registration")
    records = await read_all(small.settings, TOPIC)
    await small.consume("metrics")
    zombie = small.consumer("metrics")
    zombie.prefetch.kafka = Mock()
    busiest = max(records, key=lambda record: record.offset).partition
    partition = TopicPartition(small.settings.kafka_topic_prefix + TOPIC, busiest)
    zombie.expected = {partition: 0}
    entries = [
        zombie.prefetch.entry(partition, record) for record in records if (record.partition, record.offset) == (busiest, 0)
    ]
    try:
        await zombie._process(Batch(entries))
    except _Resynchronised:
        pass  # as it must be: its position had moved on
    finally:
        await zombie._mongo.close()
    return ("registration", "metrics")


async def a_page_is_sent_twice(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The relay dies after Kafka has taken three registrations and before it forgot them: the next relay sends them again."""
    await small.register(3)
    die_once(patch, Relay, "_delete")
    with pytest.raises(Died):
        await asyncio.wait_for(Relay(small.core("registration").mongo, small.settings, "registration", "dies").run(), 20)
    await small.core("registration").mongo["leases"].delete_many({})
    await small.consume("metrics")
    await small.relay("registration")
    await small.consume("metrics")
    return ("registration", "metrics")


async def an_old_page_is_sent_last(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A relay sleeps with three registrations in hand. Another sends all there is; then the sleeper sends its page."""
    await small.register(3)
    await small.relay("registration")
    page = await read_all(small.settings, TOPIC)
    await small.verify()
    await small.relay("registration")
    producer = kafka.producer(small.settings, "sleeper")
    await producer.start()
    try:
        for sent in page:
            await producer.send_and_wait(
                sent.topic, sent.value, key=sent.key, headers=list(sent.headers), partition=sent.partition
            )
    finally:
        await producer.stop()
    await small.consume("training")
    return ("registration", "training")


async def poison_among_the_good(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Six messages that can't be read come between three people who register."""
    await small.register(3)
    small.planted += await poison(small.settings, "jkp_poison", b"\x00" * 1000)
    await small.relay("registration")
    await small.consume("metrics")
    return ("registration", "metrics")


async def more_people_than_seats(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three verified people enrol in a training of one seat."""
    await small.register(3)
    await small.verify()
    await small.relay("registration")
    await small.consume("training")
    await small.enrol(await small.training(quota=1))
    await small.relay("training")
    return ("registration", "training")


# Bug -> the story that brings it out, and the checks that must find it.
STORIES: dict[str, tuple[Story, set[str]]] = {
    "reply_before_commit": (the_machine_goes_down_after_the_reply, {"C1"}),
    "outbox_not_saved": (people_register, {"C2"}),
    "newest_first": (people_register, {"C3"}),
    "mark_before_send": (the_relay_dies_while_it_sends, {"C2"}),
    "cursor_outbox": (the_second_comes_late, {"C2"}),
    "position_before_effect": (the_consumer_dies_after_a_commit, {"C4"}),
    "no_compare_and_set": (a_zombie_goes_on, {"C5"}),
    "figures_without_dedupe": (a_page_is_sent_twice, {"C4"}),
    "view_without_dedupe": (an_old_page_is_sent_last, {"C4"}),
    "poison_swallowed": (poison_among_the_good, {"C5"}),
    "one_seat_too_many": (more_people_than_seats, {"C4"}),
}


def test_every_bug_has_its_story() -> None:
    """No bug is planted that nobody looks for."""
    assert set(planted.BUGS) == set(STORIES)


@pytest.mark.parametrize("bug", STORIES)
async def test_a_planted_bug_is_found(small: Small, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """The story is told with the bug in the code: the check names what it broke, and nothing that it didn't."""
    story, expected = STORIES[bug]
    with monkeypatch.context() as patch:
        planted.BUGS[bug](patch)
        services = await story(small, patch)
    verdict = await small.check(services)
    assert verdict.checks == expected, verdict.violations


@pytest.mark.parametrize("story", dict.fromkeys(story for story, _ in STORIES.values()), ids=lambda story: story.__name__)
async def test_without_a_bug_the_story_ends_well(small: Small, monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    """The same deaths, zombies and poison, and the platform as it is: nothing is found."""
    with monkeypatch.context() as patch:
        services = await story(small, patch)
    verdict = await small.check(services)
    assert verdict.violations == []
