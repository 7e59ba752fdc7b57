"""A topic gets more partitions while events flow: subjects move, and each is heard once and in order all the same."""

from __future__ import annotations

import asyncio

import pytest

from chassis.database.mongo import Mongo
from chassis.publishing import kafka, relay, topics
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import TOPIC, count_up
from tests.harness.outbox import outbox_is_empty
from tests.harness.topics import read_all
from tests.harness.waiting import eventually_async
from tests.integration.consuming import consumer, consuming, letters, projection, until_heard

SUBJECTS = [f"c{number}" for number in range(30)]


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # the driver plays no part in it
async def test_grown_from_six_to_eight(
    mongo: Mongo, door: GroupCommit, plain: Settings, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty counters count before, while and after the topic grows: the new partitions are used, nobody is out of order."""
    monkeypatch.setattr(relay, "_WHOLE_SECONDS", 0.5)  # that a relay needs to notice
    own = plain.model_copy(update={"relay_poll_seconds": 0.05})
    await kafka.ensure_topics(own, [TOPIC])
    publishing = Relay(mongo, own, "test", "me")
    work = asyncio.create_task(publishing.run())
    async with consuming(consumer(mongo, own, prefix, projection(mongo))):
        counted = 0

        async def count_on() -> set[int]:
            """Each counter counts once, and all of it is published; returns the partitions in use."""
            nonlocal counted
            counted += 1
            await door.submit_many([count_up(subject) for subject in SUBJECTS])
            publishing.nudge()
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "all is published")
            return {record.partition for record in await read_all(own, TOPIC)}

        for _ in range(4):
            assert max(await count_on()) == 5
        await topics.grow(mongo, own, TOPIC, 8)

        async def both_are_used() -> bool:
            return await count_on() >= {6, 7}

        await eventually_async(both_are_used, 20, "the new partitions are used")
        await count_on()
        await until_heard(mongo, {subject: list(range(1, counted + 1)) for subject in SUBJECTS}, 60)
        assert await letters(mongo) == []
    await publishing.stop()
    await work


async def test_a_topic_never_shrinks(mongo: Mongo, plain: Settings) -> None:
    """Fewer partitions than it has would move subjects back: refused, and nothing changes."""
    await kafka.ensure_topics(plain, [TOPIC])
    with pytest.raises(ValueError, match="can't shrink"):
        await topics.grow(mongo, plain, TOPIC, 3)
    assert await topics.partition_count(mongo, TOPIC) == 6
