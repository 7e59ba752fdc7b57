"""Where consumers stand: their stored positions beside what Kafka has, and the verb that corrects one.

Next: positions.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis import clock
from chassis.consuming import operator_log, positions
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.errors import FieldError, Unavailable, invalid, not_found
from chassis.publishing import kafka
from chassis.settings import Settings

_KAFKA_SECONDS = 10.0
_FETCH_MILLISECONDS = 3000


@dataclass(frozen=True, slots=True)
class Standing:
    """One consumer's place in one partition."""

    consumer: str
    topic: str
    partition: int
    next_offset: int  # to be applied next
    beginning: int  # the first that Kafka still has
    end: int  # behind the last
    age_seconds: float | None  # of the first message that isn't applied; None where nothing waits

    @property
    def lag(self) -> int:
        """Messages to be applied."""
        return max(0, self.end - self.next_offset)

    @property
    def lost(self) -> int:
        """Messages that Kafka no longer has and that were never applied: more than 0 stops the consumer."""
        return max(0, self.beginning - self.next_offset)


async def standings(mongo: Mongo, settings: Settings) -> list[Standing]:
    """Every stored position, by consumer, topic and partition. Raises Unavailable while Kafka can't be reached."""
    stored = sorted(await positions.stored(mongo), key=lambda doc: (doc["consumer"], doc["topic"], doc["partition"]))
    if not stored:
        return []
    async with _kafka(settings) as reader:
        places = {TopicPartition(doc["topic"], doc["partition"]) for doc in stored}
        beginnings, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
        ages = await _ages(reader, [doc for doc in stored if doc["next_offset"] < ends[_place(doc)]])
    return [
        Standing(
            doc["consumer"],
            doc["topic"],
            doc["partition"],
            doc["next_offset"],
            beginnings[_place(doc)],
            ends[_place(doc)],
            ages.get((doc["consumer"], _place(doc))),
        )
        for doc in stored
    ]


def _place(doc: Document) -> TopicPartition:
    return TopicPartition(doc["topic"], doc["partition"])


async def _ages(reader: AIOKafkaConsumer, behind: Sequence[Document]) -> dict[tuple[str, TopicPartition], float]:
    """Seconds since Kafka got the message that each position waits at; consumer by consumer, since they share partitions."""
    now = clock.now().timestamp()
    found: dict[tuple[str, TopicPartition], float] = {}
    for consumer in sorted({doc["consumer"] for doc in behind}):
        waits_at = {_place(doc): doc["next_offset"] for doc in behind if doc["consumer"] == consumer}
        beginnings = await reader.beginning_offsets(waits_at)
        reader.assign(list(waits_at))
        for partition, offset in waits_at.items():
            reader.seek(partition, max(offset, beginnings[partition]))
        left = set(waits_at)
        until = asyncio.get_running_loop().time() + _FETCH_MILLISECONDS / 1000
        while left and asyncio.get_running_loop().time() < until:
            for partition, records in (await reader.getmany(*left, timeout_ms=500, max_records=len(left))).items():
                found[consumer, partition] = max(0.0, now - records[0].timestamp / 1000)
                left.discard(partition)
                reader.pause(partition)
    return found


async def move(
    mongo: Mongo,
    settings: Settings,
    consumer: str,
    partition: TopicPartition,
    to: int | Literal["beginning", "end"],
    *,
    by: str,
    reason: str,
) -> tuple[int, int]:
    """Correct a stored position, knowingly; returns where it was and where it is.

    Backwards, events are applied again, which dedupes; forwards, what lies between has no effect for ever. A consumer that runs
    meets the move and starts again from there; one that has stopped itself has to be restarted. Raises NotFound, Invalid for an
    offset that Kafka doesn't have, Unavailable without Kafka, and WriteRace when the consumer moved on meanwhile.
    """
    stored = await positions.load(mongo, consumer, [partition])
    if partition not in stored:
        raise not_found("Posisi", "The position")
    async with _kafka(settings) as reader:
        beginning = (await reader.beginning_offsets([partition]))[partition]
        end = (await reader.end_offsets([partition]))[partition]
    target = {"beginning": beginning, "end": end}.get(str(to), to)
    if not isinstance(target, int) or not beginning <= target <= end:
        text = (f"Harus dari {beginning} sampai {end}.", f"Must be from {beginning} to {end}.")
        raise invalid(FieldError("to", "offset", *text))
    before = stored[partition]

    async def work(tx: Tx) -> None:
        await positions.move(mongo, consumer, {partition: (before, target)}, tx)
        about = {"consumer": consumer, "topic": partition.topic, "partition": partition.partition, "from": before, "to": target}
        await operator_log.append(mongo, tx, by=by, act="move_position", outcome="moved", reason=reason, about=about)

    await mongo.transaction(work)
    return before, target


@asynccontextmanager
async def _kafka(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    reader = kafka.reader(settings)
    try:
        try:
            await asyncio.wait_for(reader.start(), _KAFKA_SECONDS)
            yield reader
        finally:
            await asyncio.wait_for(reader.stop(), _KAFKA_SECONDS)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable("The service can't reach Kafka.") from error


__all__ = ["Standing", "TopicPartition", "move", "standings"]
