"""What the consumer tests share: consumers at work, two effects, and what they left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import REGISTRY

from chassis.consuming import positions
from chassis.consuming.consumer import Consumer
from chassis.consuming.dead_letters import DEAD_LETTERS
from chassis.consuming.effect import Applied, Effect, Projection
from chassis.consuming.letter_requests import Ask
from chassis.consuming.local_view import LocalView
from chassis.consuming.reactions import Reactions
from chassis.database.mongo import Mongo
from chassis.documents import Document
from chassis.errors import RuleBroken
from chassis.settings import Settings
from chassis.writing.decision import Decision, Documents, Outcome, Write
from contracts.envelope import Event
from tests.harness.events import TOPIC, Counted, Echoed
from tests.harness.waiting import eventually_async

SEEN_BY = "heard"
OPERATOR = Ask("usr_operator")


@dataclass
class Switch:
    """Subjects that the effect can't digest, and how it says so, until the cause is gone."""

    refused: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def check(self, event: Event) -> None:
        """Raise for an event that the switch names, by subject or by id."""
        if {event.subject, event.id} & self.broken:
            raise ValueError(f"can't digest {event.id}")
        if {event.subject, event.id} & self.refused:
            raise RuleBroken("refused", "Ditolak.", "Refused.")


def projection(mongo: Mongo, switch: Switch | None = None) -> Projection:
    """Keeps for each subject the values heard, in order."""
    trouble = switch or Switch()

    def fold(document: Document, event: Event) -> Document:
        trouble.check(event)
        return {"values": [*document.get("values", []), event.data.value]}  # type: ignore[attr-defined] # Counted has it

    return Projection(mongo, [Counted], LocalView(mongo, SEEN_BY, fold).project)


def reactions(mongo: Mongo, name: str, switch: Switch | None = None) -> Reactions:
    """The same, and tells of each event by an event of its own."""
    trouble = switch or Switch()

    def react(event: Event) -> Decision:
        def decide(documents: Documents, now: datetime) -> Outcome:
            trouble.check(event)
            before = documents.get(SEEN_BY, event.subject) or {"_id": event.subject, "values": []}
            value = event.data.value  # type: ignore[attr-defined] # Counted has it
            return Outcome({}, (Write(SEEN_BY, {**before, "values": [*before["values"], value]}, (Echoed(value=value),)),))

        return Decision(decide, [(SEEN_BY, event.subject)])

    return Reactions(mongo, name, {Counted: react}, committed=lambda: None)


def effect_of(kind: str, mongo: Mongo, name: str, switch: Switch | None = None) -> Effect:
    """A projection or reactions with the same observable effect."""
    return projection(mongo, switch) if kind == "projection" else reactions(mongo, name, switch)


def consumer(mongo: Mongo, settings: Settings, name: str, effect: Effect) -> Consumer:
    """A consumer of the test topic. Its name is the test's own, so that its series are too."""
    return Consumer(mongo, settings, name, [TOPIC], effect)


@asynccontextmanager
async def consuming(*consumers: Consumer) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Consumers at work, stopped in order at the end; one that failed fails the test unless it was awaited."""
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield tasks
    finally:
        for each in consumers:
            await each.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)


async def heard(mongo: Mongo) -> dict[str, list[int]]:
    """The values that each subject's document holds."""
    return {doc["_id"]: doc["values"] async for doc in mongo[SEEN_BY].find()}


async def until_heard(mongo: Mongo, expected: dict[str, list[int]], timeout: float = 20) -> None:
    """Wait until exactly these values were heard."""

    async def seen() -> bool:
        found = await heard(mongo)
        if found != expected:
            raise AssertionError(f"heard {found}")
        return True

    await eventually_async(seen, timeout, f"heard {str(expected)[:300]}")


async def letters(mongo: Mongo) -> list[tuple[str | None, str, str]]:
    """Subject, state and reason of each dead letter, by partition and offset."""
    found = mongo[DEAD_LETTERS].find().sort([("partition", 1), ("offset", 1)])
    return [(doc["subject"], doc["state"], doc["reason"]) async for doc in found]


async def until_letters(mongo: Mongo, expected: Sequence[Any], timeout: float = 20) -> None:
    """Wait until exactly these dead letters are there."""

    async def seen() -> bool:
        found = await letters(mongo)
        if found != list(expected):
            raise AssertionError(f"letters {found}")
        return True

    await eventually_async(seen, timeout, f"dead letters {str(expected)[:300]}")


def series(name: str, consumer_name: str, **labels: str) -> float:
    """The value of one of the consumer's series; 0.0 before it was ever set."""
    return REGISTRY.get_sample_value(name, {"consumer": consumer_name, **labels}) or 0.0


def nothing() -> Applied:
    """What a batch without effect reports."""
    return Applied()


async def stored_total(mongo: Mongo) -> int:
    """The sum of the stored positions: how many messages were taken in all."""
    return sum(doc["next_offset"] for doc in await positions.stored(mongo))
