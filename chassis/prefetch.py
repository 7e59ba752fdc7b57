"""The consumer's view of Kafka: fetch, decode and prepare the next batch while the one before is being committed.

The commit waits for MongoDB most of the time; what only computes is done meanwhile.
Next: chassis/consumer.py, which owns the positions and commits what is prepared here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from chassis import dead_letters, kafka, logs
from chassis.effect import Effect
from chassis.mongo import Document
from chassis.offload import offload
from chassis.settings import Settings
from contracts.envelope import BadEvent, Event, from_message

log = logs.get(__name__)

_PAGE = 2000  # records that aiokafka unpacks in one go: well under 20 ms of the event loop


class PositionLost(Exception):
    """Kafka no longer has what comes next: events are gone that were never applied."""


@dataclass(slots=True)
class Entry:
    """One message on its way: either an event to apply or a letter to put aside."""

    partition: TopicPartition
    record: ConsumerRecord
    event: Event | None = None
    letter: Document | None = None


@dataclass(slots=True)
class Batch:
    """Messages in order; and the effect's preparation for exactly `events`, if that is what will be applied."""

    entries: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    prepared: Any = None


class Prefetch:
    """One batch ahead. `start_next` begins to fetch it, `take` gives it; after a `seek` what was on its way is void."""

    def __init__(self, settings: Settings, name: str, topics: Sequence[str], effect: Effect) -> None:
        self.kafka: AIOKafkaConsumer = None
        self._settings = settings
        self._name = name
        self._topics = topics
        self._effect = effect
        self._sought = 0
        self._next: asyncio.Task[tuple[int, Batch]] | None = None

    async def start(self, listener: ConsumerRebalanceListener, stopped: asyncio.Event) -> None:
        """Join the group, as soon as Kafka is there."""
        group = f"{self._settings.mongodb_database_prefix}.{self._name}"
        self.kafka = kafka.consumer(self._settings, group, listener, self._topics)
        while not stopped.is_set():
            try:
                # A topic that nobody has created yet would join the assignment only with the next metadata refresh.
                await kafka.ensure_topics(self._settings, self._topics)
                await asyncio.wait_for(self.kafka.start(), 30)
            except (KafkaError, TimeoutError) as error:
                log.warning("consumer_kafka_unreachable", consumer=self._name, error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                return

    async def stop(self) -> None:
        """Leave the group."""
        if self._next is not None:
            self._next.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._next
        # aiokafka's stop() can hang while Kafka is down.
        await asyncio.wait_for(asyncio.shield(self.kafka.stop()), 10)

    def seek(self, places: Mapping[TopicPartition, int]) -> None:
        """Fetch from these places next."""
        self._sought += 1
        for partition, offset in places.items():
            with contextlib.suppress(IllegalStateError):  # no longer ours
                self.kafka.seek(partition, offset)

    def start_next(self, expected: Mapping[TopicPartition, int]) -> None:
        """Begin to fetch what lies at or after these offsets. Nothing else may be on its way."""
        self._next = asyncio.create_task(self._fetch(self._sought, expected))

    async def take(self) -> Batch | None:
        """The batch that `start_next` began; None if partitions were sought meanwhile.

        Then it may hold what lies behind the new place, and aiokafka won't give that again: seek once more.
        """
        assert self._next is not None, "start_next comes first"  # noqa: S101 - a mistake of the caller
        sought, batch = await self._next
        return batch if sought == self._sought else None

    async def _fetch(self, sought: int, expected: Mapping[TopicPartition, int]) -> tuple[int, Batch]:
        limit = self._settings.consumer_batch_limit
        try:
            fetched = await self.kafka.getmany(timeout_ms=250, max_records=min(_PAGE, limit))
        except NoOffsetForPartitionError:
            return sought, Batch()  # aiokafka asked for a position before the assignment callback had sought to it
        except OffsetOutOfRangeError as error:
            raise PositionLost(f"the stored position is no longer in Kafka: {error}") from error
        except (KafkaError, IllegalStateError) as error:
            log.warning("consumer_fetch_failed", consumer=self._name, error=repr(error)[:200])
            await asyncio.sleep(0.5)
            return sought, Batch()
        count = _count(fetched)
        # What was fetched must not be dropped for an error of a later page, which comes again with the next batch.
        with contextlib.suppress(KafkaError, IllegalStateError):
            while 0 < count < limit:
                page = await self.kafka.getmany(timeout_ms=0, max_records=min(_PAGE, limit - count))
                if not page:
                    break
                count += _count(page)
                for partition, records in page.items():
                    fetched.setdefault(partition, []).extend(records)
        return sought, await offload(count, self._batch, fetched, expected)

    def _batch(self, fetched: Mapping[TopicPartition, list[ConsumerRecord]], expected: Mapping[TopicPartition, int]) -> Batch:
        entries: list[Entry] = []
        for partition, records in fetched.items():
            first = expected.get(partition)
            if first is not None:  # else revoked, or not taken over yet: its next owner begins at the stored position
                entries += [self.entry(partition, record) for record in records if record.offset >= first]
        events = [entry.event for entry in entries if entry.event is not None]
        try:
            return Batch(entries, events, self._effect.prepare(events) if events else None)
        except Exception:  # noqa: BLE001 - the commit prepares again, and finds the event that it fails for
            return Batch(entries, events)

    def entry(self, partition: TopicPartition, record: ConsumerRecord) -> Entry:
        """Decode one message; what can't be understood becomes a letter."""
        try:
            return Entry(partition, record, event=from_message(record.headers, record.value, self._effect.types))
        except BadEvent as bad:
            subject = record.key.decode(errors="replace") if record.key else None
            return Entry(partition, record, letter=dead_letters.letter(self._name, record, subject, "dead", bad.reason, str(bad)))


def _count(fetched: Mapping[TopicPartition, list[ConsumerRecord]]) -> int:
    """How many records are in there."""
    return sum(map(len, fetched.values()))
