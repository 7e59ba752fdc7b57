"""Stories that bring a planted bug out: small runs of the platform that force the one interleaving in which it shows.

Each returns the services that the check is to look at. Without the bug each ends well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import TopicPartition

from chassis import clock, fail_points
from chassis.consuming.batch import Batch
from chassis.consuming.batch_committer import Resynchronised
from chassis.database.mongo import Mongo
from chassis.publishing.lane import Lane
from chassis.publishing.relay import Relay
from chassis.writing import outbox
from chassis.writing.outbox import OUTBOX, OutboxDocument
from contracts.registration import TOPIC
from tests.faults import planted
from tests.faults.small import Died, Small
from tests.faults.troubles import poison
from tests.harness.topics import read_all

Story = Callable[[Small, pytest.MonkeyPatch], Awaitable[tuple[str, ...]]]
_IDLE_SWEEPS = 3


def die_once(patch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    """The next call of this function is the process's end."""
    plain = getattr(owner, name)

    def die(*_: object) -> None:
        patch.setattr(owner, name, plain)
        raise Died

    patch.setattr(owner, name, die)


async def idle_relay(small: Small, patch: pytest.MonkeyPatch) -> None:
    """A relay sweeps a few times, whether it leaves something behind or not."""
    async with small.relaying("registration") as relay:
        await sweeps(relay, patch)


async def sweeps(relay: Relay, patch: pytest.MonkeyPatch) -> None:
    """A relay at work sweeps a few times more, and Kafka acknowledges what it sent."""
    plain, swept = relay._sweep, asyncio.Semaphore(0)

    async def sweep() -> int:
        documents = await plain()
        swept.release()
        return documents

    patch.setattr(relay, "_sweep", sweep)
    async with asyncio.timeout(20):
        for _ in range(_IDLE_SWEEPS):
            await swept.acquire()
        await asyncio.gather(*(lane.settled() for lane in relay._lanes.values()))
    patch.setattr(relay, "_sweep", plain)


@asynccontextmanager
async def slow_commit(small: Small, patch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Somebody registers at the first replica, whose commit hangs once it is stamped. Gives what lets it through.

    Two people have registered before, one at each replica: two transactions that both create the collections would clash.
    """
    await small.register(1)
    await small.register(1, replica=1)
    plain, reached, through = Mongo._commit, asyncio.Event(), asyncio.Event()

    async def commit(self: Mongo, session: object, deadline: float) -> None:
        patch.setattr(Mongo, "_commit", plain)
        reached.set()
        await through.wait()
        await plain(self, session, deadline)

    patch.setattr(Mongo, "_commit", commit)
    registering = asyncio.create_task(small.register(1))
    await asyncio.wait_for(reached.wait(), 20)

    async def let_through() -> None:
        through.set()
        await registering

    try:
        yield let_through
    finally:
        await let_through()


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
    """Three people register. The relay dies as it hands their events to Kafka; the next one takes over."""
    await small.register(3)
    die_once(patch, Lane, "offer")
    with pytest.raises(Died):
        await asyncio.wait_for(Relay(small.core("registration").mongo, small.settings, "registration", "dies").run(), 20)
    await small.core("registration").mongo["leases"].delete_many({})
    await idle_relay(small, patch)
    return ("registration",)


async def the_first_commits_last(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Siti's commit is stamped and hangs. Budi's and Rina's go through, and are published.

    Rina's stamp is later than Budi's commit and so than Siti's stamp. Then Siti's comes, behind the place that the relay has
    reached.
    """
    async with slow_commit(small, patch) as let_through, small.relaying("registration") as relay:
        await small.register(2, replica=1)
        await sweeps(relay, patch)
        await let_through()
        await sweeps(relay, patch)
    return ("registration",)


async def a_commit_between_two_pages(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Siti's commit is stamped and hangs. The relay has read the page that holds Rina's, of a later stamp.

    Before it reads the next, Siti's commit goes through and she is verified.
    """
    small.settings = small.settings.model_copy(update={"relay_page": 1})
    async with slow_commit(small, patch) as let_through:
        await small.register(2, replica=1)
        [rina] = await small.core("registration").mongo[OUTBOX].find().sort("_id", -1).limit(1).to_list(None)
        plain = outbox.page

        async def page(*arguments: Any) -> list[OutboxDocument]:
            found: list[OutboxDocument] = await plain(*arguments)
            if rina["_id"] in {document["_id"] for document in found}:
                patch.setattr(outbox, "page", plain)
                await let_through()
                await small.verify()
            return found

        patch.setattr(outbox, "page", page)
        await idle_relay(small, patch)
    return ("registration",)


async def a_clock_is_ahead(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Three people register at a replica whose clock is an hour ahead, and are verified at one whose clock is right."""
    right = clock.now
    patch.setattr(clock, "now", lambda: right() + timedelta(minutes=65))
    await small.register(3)
    patch.setattr(clock, "now", right)
    await small.verify(replica=1)
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
    zombie.fetcher.kafka = Mock()
    busiest = max(records, key=lambda record: record.offset).partition
    partition = TopicPartition(small.settings.kafka_topic_prefix + TOPIC, busiest)
    zombie.place.assign({partition: 0})
    entries = [zombie.fetcher.entry(partition, record) for record in records if (record.partition, record.offset) == (busiest, 0)]
    try:
        await zombie._committer.commit(Batch(entries))
    except Resynchronised:
        pass  # as it must be: its position had moved on
    finally:
        await zombie._mongo.close()
    return ("registration", "metrics")


async def a_page_is_sent_twice(small: Small, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The relay dies after Kafka has taken three registrations and before it forgot them: the next relay sends them again."""
    await small.register(3)
    die_once(patch, outbox, "delete")
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
    page = await small.core("registration").mongo[OUTBOX].find({}).sort("_id", 1).to_list(None)
    await small.verify()
    async with small.relaying("registration") as relay:
        await small.until_drained("registration")
        await sweeps(relay, patch)  # what is deleted must be forgotten too
        lanes = {partition for partition, lane in relay._lanes.items() if lane.open()}
        assert [await relay._hand_out(document, lanes) for document in page] == [1, 1, 1]
        await asyncio.gather(*(lane.settled() for lane in relay._lanes.values()))
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
