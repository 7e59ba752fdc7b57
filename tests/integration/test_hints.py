"""Hints between processes: what one replica commits, the relay on another publishes at once, not at its next look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.database.mongo import Mongo
from chassis.publishing import hints, kafka
from chassis.publishing.hints import HINTS, Hints, ensure_hints
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing.group_commit import GroupCommit
from tests.conftest import SettingsFactory
from tests.harness.events import TOPIC, count_up
from tests.harness.outbox import outbox_is_empty
from tests.harness.waiting import eventually_async

NEVER = 60.0  # seconds between two looks of a relay: whatever is published before, a hint has published


@pytest.fixture
async def patient(mongo: Mongo, settings: SettingsFactory) -> Settings:
    """Settings of relays that hardly look by themselves."""
    made = settings(relay_poll_seconds=NEVER, relay_lease_seconds=30.0)
    await kafka.ensure_topics(made, [TOPIC])
    await ensure_hints(mongo)
    await ensure_hints(mongo)  # as the next process does
    return made


@asynccontextmanager
async def replica(mongo: Mongo, settings: Settings, owner: str) -> AsyncIterator[tuple[Relay, GroupCommit]]:
    """A process' relay and write door, with hints between."""
    relay = Relay(mongo, settings, "test", owner)
    between = Hints(mongo, relay)
    door = GroupCommit(mongo, batch_limit=256, deadline_seconds=10.0, committed=between.saved)
    door.start()
    tasks = [asyncio.create_task(work) for work in (relay.run(), between.give(), between.follow())]
    try:
        yield relay, door
    finally:
        await door.stop()
        await relay.stop()
        await asyncio.wait_for(tasks[0], 20)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def follows(mongo: Mongo) -> bool:
    """Whether a relay has opened its cursor: it adds a hint before."""
    found: int = await mongo[HINTS].count_documents({})
    return found > 0


async def test_a_commit_elsewhere_wakes_the_relay(mongo: Mongo, patient: Settings) -> None:
    """Ten commits, one after the other, on the replica without the lease: each is published long before the next look."""
    async with replica(mongo, patient, "first") as (first, _):
        await asyncio.wait_for(first.lease_taken(), 20)
        await eventually_async(lambda: follows(mongo), 20, "the first follows hints")
        async with replica(mongo, patient, "second") as (second, door):
            begun = time.monotonic()
            for _ in range(10):
                await door.submit(count_up("c"))
                await eventually_async(lambda: outbox_is_empty(mongo), 20, "it is published")
            assert not second.holds_lease
            assert time.monotonic() - begun < NEVER / 2


async def test_more_hints_than_are_kept(mongo: Mongo, patient: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor's place is overwritten: it is opened anew and goes on."""
    monkeypatch.setattr(hints, "_TROUBLE_SECONDS", 0.01)
    async with replica(mongo, patient, "first") as (first, _):
        await asyncio.wait_for(first.lease_taken(), 20)
        await eventually_async(lambda: follows(mongo), 20, "the first follows hints")
        await mongo[HINTS].insert_many([{} for _ in range(3000)])
        async with replica(mongo, patient, "second") as (_, door):
            await door.submit(count_up("c"))
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "it is published")
    assert await mongo[HINTS].count_documents({}) <= 1000


async def test_the_relay_of_the_committing_process_needs_no_hint(mongo: Mongo, patient: Settings) -> None:
    """One replica alone: its commits add nothing to the collection."""
    async with replica(mongo, patient, "only") as (relay, door):
        await asyncio.wait_for(relay.lease_taken(), 20)
        await eventually_async(lambda: follows(mongo), 20, "it follows hints")
        for _ in range(5):
            await door.submit(count_up("c"))
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "it is published")
        assert await mongo[HINTS].count_documents({}) == 1
