"""The consumer while others come and go, and while MongoDB or Kafka is away: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import GroupAuthorizationFailedError
from pymongo.errors import AutoReconnect

from chassis.consuming import dead_letters, positions
from chassis.consuming import fetcher as fetcher_module
from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Applied
from chassis.database.mongo import Mongo
from chassis.publishing import kafka
from chassis.settings import Settings
from tests.harness.events import Sender
from tests.harness.waiting import eventually_async
from tests.integration.conftest import FailCommand
from tests.integration.consuming import (
    consumer,
    consuming,
    heard,
    letters,
    projection,
    series,
    stored_total,
    until_heard,
    until_letters,
)


async def test_records_that_come_while_it_takes_over(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is slow while the consumer takes partitions over, and Kafka isn't: what arrives meanwhile is not lost."""
    await sender.count_all(6, 5)
    plain_look = dead_letters.open_subjects

    async def slow_look(mongo: Mongo, name: str) -> Any:
        await asyncio.sleep(0.5)  # the slowness itself; nothing is waited for
        return await plain_look(mongo, name)

    monkeypatch.setattr(dead_letters, "open_subjects", slow_look)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {f"s{number}": [1, 2, 3, 4, 5] for number in range(6)})


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
async def test_members_come_and_go(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """A second replica joins amid the stream and the first one leaves: every event has its effect once."""
    first, second = (consumer(mongo, plain, prefix, projection(mongo)) for _ in range(2))
    expected: dict[str, list[int]] = {}
    for step in range(3):
        for number in range(12):
            await sender.count(f"s{number}", step + 1)
        expected = {f"s{number}": list(range(1, step + 2)) for number in range(12)}
        if step == 0:
            work = [asyncio.create_task(first.run())]
        elif step == 1:
            work.append(asyncio.create_task(second.run()))
            await eventually_async(lambda: _share(first, second), 20, "the two share the partitions")
        else:
            await first.stop()
            await asyncio.wait_for(work[0], 20)
            await eventually_async(lambda: _holds(second, 6), 20, "the second has all partitions")
        await until_heard(mongo, expected)
    await second.stop()
    await asyncio.wait_for(work[1], 20)
    assert await stored_total(mongo) == 36
    assert series("events_gap_total", prefix) == 0


async def _share(first: Consumer, second: Consumer) -> bool:
    return len(first.place.expected) == len(second.place.expected) == 3


async def _holds(holder: Consumer, number: int) -> bool:
    return len(holder.place.expected) == number


async def test_without_a_primary_it_waits_for_its_places(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, fail_command: FailCommand
) -> None:
    """MongoDB fails just when partitions are assigned: aiokafka would go on regardless; the consumer waits, and nothing ends."""
    await sender.count("siti", 1)
    working = consumer(mongo, plain, prefix, projection(mongo))
    async with consuming(working) as [work]:
        with fail_command({"failCommands": ["find"], "closeConnection": True}, "alwaysOn"):
            await eventually_async(lambda: _in_group(working), 20, "it has joined the group")
            assert (working.place.expected, work.done(), working.healthy) == ({}, False, False)
        await until_heard(mongo, {"siti": [1]})


async def _in_group(working: Consumer) -> bool:
    return bool(working.fetcher.kafka.assignment())


async def test_it_never_reads_from_a_wrong_place(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions can't be read, for a reason that no waiting cures: the consumer stops and pages, and its task goes on."""
    await sender.count("siti", 1)
    monkeypatch.setattr(positions, "load", AsyncMock(side_effect=ValueError("a bug")))
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))) as [work]:
        await eventually_async(lambda: _stopped(prefix), 20, "it stopped and pages")
        assert not work.done()
    assert await heard(mongo) == {}


async def _stopped(name: str) -> bool:
    return series("consumer_stopped", name) == 1.0


async def test_mongodb_away_for_a_moment(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, mongodb_down: Callable[[], Any]
) -> None:
    """MongoDB is away while events come: nothing becomes a dead letter, and the effect comes once it is back."""
    await sender.count("siti", 1)
    working = consumer(mongo, plain, prefix, projection(mongo))
    async with consuming(working):
        await until_heard(mongo, {"siti": [1]})
        async with mongodb_down():
            await sender.count("siti", 2)
            await eventually_async(lambda: _unhealthy(working), 20, "it says that it isn't well")
        await until_heard(mongo, {"siti": [1, 2]}, 30)
    assert await letters(mongo) == []


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # the driver plays no part in it
async def test_mongodb_away_while_a_letter_is_open(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, mongodb_down: Callable[[], Any]
) -> None:
    """With a dead letter open, the consumer looks for redrives beside its batches: MongoDB's absence there ends nothing."""
    await sender.count("budi", 1, value=b"not JSON")
    working = consumer(mongo, plain, prefix, projection(mongo))
    async with consuming(working):
        await until_letters(mongo, [("budi", "dead", "schema")])
        async with mongodb_down():
            await eventually_async(lambda: _unhealthy(working), 20, "it says that it isn't well")
        await sender.count("siti", 1)
        await until_heard(mongo, {"siti": [1]}, 30)


async def _unhealthy(working: Consumer) -> bool:
    return not working.healthy


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
async def test_kafka_away_for_a_moment(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, kafka_down: Callable[[], Any]
) -> None:
    """The broker restarts: the consumer goes on where it was."""
    await sender.count("siti", 1)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1]})
        async with kafka_down():
            pass
        await sender.count("siti", 2)
        await until_heard(mongo, {"siti": [1, 2]}, 40)


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # the driver plays no part in it
async def test_a_client_that_only_fails_is_replaced(
    mongo: Mongo, plain: Settings, prefix: str, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka says no to every fetch: the consumer says that it isn't well, and tries with a new client, which is answered."""
    await sender.count("siti", 1)
    working = consumer(mongo, plain, prefix, projection(mongo))
    async with consuming(working):
        await until_heard(mongo, {"siti": [1]})
        first = working.fetcher.kafka

        async def refused(**_: Any) -> Any:
            raise GroupAuthorizationFailedError

        monkeypatch.setattr(first, "getmany", refused)
        await eventually_async(lambda: _unhealthy(working), 20, "it says that it isn't well")
        assert series("consumer_fetch_failing", prefix) == 1.0
        monkeypatch.setattr(fetcher_module, "_FAILING_SECONDS", 1.0)
        await sender.count("siti", 2)
        await until_heard(mongo, {"siti": [1, 2]}, 40)
        await eventually_async(lambda: _healthy(working), 20, "it says that it is well")
        assert (working.fetcher.kafka is first, series("consumer_fetch_failing", prefix)) == (False, 0.0)


async def _healthy(working: Consumer) -> bool:
    return working.healthy


@pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
async def test_started_before_kafka(
    mongo: Mongo,
    plain: Settings,
    prefix: str,
    sender: Sender,
    kafka_down: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service is up before Kafka: its consumer waits, and reads as soon as it can."""
    await sender.count("siti", 1)
    working = consumer(mongo, plain, prefix, projection(mongo))
    plain_ensure, tries = kafka.ensure_topics, []

    async def ensure_topics(*arguments: Any) -> None:
        tries.append(1)
        await plain_ensure(*arguments)

    async def tried(times: int) -> bool:
        return len(tries) >= times

    monkeypatch.setattr(kafka, "ensure_topics", ensure_topics)
    async with kafka_down():
        work = asyncio.create_task(working.run())
        await eventually_async(lambda: tried(2), 30, "it tried twice")
        assert not work.done()
    await until_heard(mongo, {"siti": [1]}, 40)
    await working.stop()
    await asyncio.wait_for(work, 20)


async def test_a_transient_error_is_tried_again(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The effect meets a lost connection three times: it is done once, and nobody calls it a bad message."""
    await sender.count("siti", 1)
    inner, trouble = projection(mongo), [AutoReconnect("lost")] * 3

    class Shaky:
        types = inner.types
        prepare = staticmethod(inner.prepare)

        async def commit(self, events: Any, also: Any, circumstances: Any) -> Applied:
            if trouble:
                raise trouble.pop()
            return await inner.commit(events, also, circumstances)

    async with consuming(consumer(mongo, plain, prefix, Shaky())):
        await until_heard(mongo, {"siti": [1]})
    assert await letters(mongo) == []
