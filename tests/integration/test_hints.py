"""Hints between processes: what one replica commits, the relay on another publishes at once, not at its next look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis.database import capped
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
    """The relay's process stands still, and the cursor's place is overwritten meanwhile: it is opened anew and goes on."""
    monkeypatch.setattr(hints, "_TROUBLE_SECONDS", 0.01)
    plain, opened, gate = capped.follow, list[Held](), asyncio.Event()

    @asynccontextmanager
    async def follow(mongo: Mongo, collection: str) -> AsyncIterator[Held]:
        async with plain(mongo, collection) as cursor:
            opened.append(Held(cursor, gate))
            yield opened[-1]

    monkeypatch.setattr(capped, "follow", follow)
    gate.set()
    async with replica(mongo, patient, "first") as (first, _):
        await asyncio.wait_for(first.lease_taken(), 20)
        await eventually_async(lambda: _are(1, opened), 20, "the first follows hints")
        await asyncio.wait_for(opened[0].read.wait(), 20)
        gate.clear()
        await asyncio.wait_for(opened[0].held.wait(), 20)
        await mongo[HINTS].insert_many([{} for _ in range(3000)])
        gate.set()
        await eventually_async(lambda: _are(2, opened), 20, "the cursor is opened anew")
        async with replica(mongo, patient, "second") as (_, door):
            await door.submit(count_up("c"))
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "it is published")
    assert await mongo[HINTS].count_documents({}) <= 1000


class Held:
    """A cursor that asks for more only while the gate is open. `read` after its first document, `held` when it stands still."""

    def __init__(self, cursor: Any, gate: asyncio.Event) -> None:
        self._cursor, self._gate = cursor, gate
        self.read, self.held = asyncio.Event(), asyncio.Event()

    @property
    def alive(self) -> bool:
        """As the cursor's."""
        found: bool = self._cursor.alive
        return found

    def __aiter__(self) -> Held:
        return self

    async def __anext__(self) -> Any:
        if not self._gate.is_set():
            self.held.set()
            await self._gate.wait()
        document = await self._cursor.__anext__()
        self.read.set()
        return document


async def _are(count: int, opened: Sequence[object]) -> bool:
    return len(opened) == count


async def test_a_collection_that_lost_its_limit(mongo: Mongo) -> None:
    """It was dropped, and a hint made it anew without a limit: the next process that starts gives it one."""
    await capped.append(mongo, HINTS)
    await ensure_hints(mongo)
    assert (await mongo[HINTS].options())["capped"] is True


class LosesLease:
    """A relay that holds the lease for three looks."""

    def __init__(self) -> None:
        self.looks = iter([True] * 3)
        self.nudges = self.terms = 0
        self.again = asyncio.Event()

    @property
    def holds_lease(self) -> bool:
        """Three times yes."""
        return next(self.looks, False)

    def nudge(self) -> None:
        """Counted."""
        self.nudges += 1

    async def lease_taken(self) -> None:
        """At once, and never again."""
        self.terms += 1
        if self.terms > 1:
            self.again.set()
            await asyncio.Event().wait()


async def test_who_lost_the_lease_follows_no_more(mongo: Mongo) -> None:
    """A hundred hints wait to be read when the lease is lost: the relay is left alone from then on."""
    await ensure_hints(mongo)
    await mongo[HINTS].insert_many([{} for _ in range(100)])
    relay = LosesLease()
    following = asyncio.create_task(Hints(mongo, relay).follow())  # type: ignore[arg-type] # a double
    await asyncio.wait_for(relay.again.wait(), 20)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert relay.nudges == 3


async def test_the_relay_of_the_committing_process_needs_no_hint(mongo: Mongo, patient: Settings) -> None:
    """One replica alone: its commits add nothing to the collection."""
    async with replica(mongo, patient, "only") as (relay, door):
        await asyncio.wait_for(relay.lease_taken(), 20)
        await eventually_async(lambda: follows(mongo), 20, "it follows hints")
        for _ in range(5):
            await door.submit(count_up("c"))
            await eventually_async(lambda: outbox_is_empty(mongo), 20, "it is published")
        assert await mongo[HINTS].count_documents({}) == 1
