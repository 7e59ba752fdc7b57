"""The consumer's view of Kafka: fetch, decode and prepare the next batch while the one before is being committed.

The commit waits for MongoDB most of the time; what only computes is done meanwhile.
Next: chassis/consuming/consumer.py, which owns the positions and commits what is prepared here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnsupportedCodecError,
)

from chassis import logs, telemetry
from chassis.consuming import dead_letters
from chassis.consuming.assignment import Assignment, Ticket
from chassis.consuming.batch import Batch, Entry
from chassis.consuming.effect import Effect
from chassis.offload import offload
from chassis.publishing import kafka
from chassis.settings import Settings
from contracts.envelope import BadEvent, from_message

log = logs.get(__name__)

_CORRUPT_TRIES = 5
_FAILING_SECONDS = 60.0  # longer than any rebalance or change of leaders
_PAGE = 2000  # records that aiokafka unpacks in one go: some 7 ms of the event loop


class FetchFails(Exception):
    """This client has given nothing but errors for a while: another one may do better (its coordination can end for good)."""


class PositionLost(Exception):
    """Kafka no longer gives what comes next, retention took it or it can't be unpacked: events that were never applied."""


class Fetcher:
    """One batch ahead. `start_next` begins to fetch it, `take` gives it; what `place` says counts."""

    def __init__(self, settings: Settings, name: str, topics: Sequence[str], effect: Effect, place: Assignment) -> None:
        self.kafka: AIOKafkaConsumer = None
        self._settings = settings
        self._name = name
        self._topics = topics
        self._effect = effect
        self._place = place
        self._corrupt = 0
        self._failing_since: float | None = None
        self._stopping: asyncio.Task[bool] | None = None
        self._ticket = place.ticket()
        self._next: asyncio.Task[Batch] | None = None

    async def start(self, listener: ConsumerRebalanceListener, stopped: asyncio.Event) -> None:
        """Join the group, as soon as Kafka is there."""
        self._failing_since = None
        self._stopping = asyncio.create_task(stopped.wait())
        group = f"{self._settings.mongodb_database_prefix}.{self._name}"
        while not stopped.is_set():
            # A new client for each try: one whose start failed half-way can't be started again.
            self.kafka = kafka.consumer(self._settings, group, listener, self._topics)
            try:
                # A topic that nobody has created yet would join the assignment only with the next metadata refresh.
                await self._ensure_topics()
                await asyncio.wait_for(self.kafka.start(), 30)
            except (KafkaError, TimeoutError) as error:
                telemetry.CONSUMER_FAILING.labels(self._name).set(1)
                log.warning("consumer_kafka_unreachable", consumer=self._name, error=type(error).__name__)
                await self._leave()
                await asyncio.sleep(1.0)
            else:
                return

    async def _ensure_topics(self) -> None:
        try:
            await kafka.ensure_topics(self._settings, self._topics)
        except KafkaError as refusal:
            if refusal.retriable:
                raise
            # Not ours to make, say: the topics that are there are read all the same.
            log.warning("topics_refused", consumer=self._name, error=repr(refusal)[:200])

    async def drop(self) -> None:
        """Forget what is on its way: nothing more will be taken."""
        if self._next is not None:
            self._next.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._next
            self._next = None

    async def stop(self) -> None:
        """Leave the group."""
        await self.drop()
        if self._stopping is not None:
            self._stopping.cancel()
        await self._leave()

    async def _leave(self) -> None:
        try:
            await asyncio.wait_for(asyncio.shield(self.kafka.stop()), 10)
        except (KafkaError, TimeoutError) as error:
            # aiokafka's stop() can hang while Kafka is down; the group does without us after the session's end.
            log.warning("consumer_left_without_goodbye", consumer=self._name, error=type(error).__name__)

    @property
    def failing(self) -> bool:
        """Whether the last fetch gave nothing but an error."""
        return self._failing_since is not None

    def seek(self) -> None:
        """Fetch next what is expected."""
        for partition, offset in self._place.expected.items():
            with contextlib.suppress(IllegalStateError):  # no longer ours
                self.kafka.seek(partition, offset)

    def start_next(self) -> None:
        """Begin to fetch what lies at or after the expected offsets. Nothing else may be on its way."""
        self._ticket = self._place.ticket()
        self._next = asyncio.create_task(self._fetch(self._ticket))

    async def take(self) -> Batch | None:
        """The batch that `start_next` began, or an empty one when it is time to stop; None if it no longer counts: seek then.

        Raises FetchFails and PositionLost.
        """
        assert self._next is not None, "start_next comes first"  # noqa: S101 - a mistake of the caller
        waited = {self._next} if self._stopping is None else {self._next, self._stopping}
        # Without a group (Kafka is away) getmany waits for ever: stopping must not.
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not self._next.done():
            return Batch()
        try:
            batch = await self._next
        except PositionLost:
            if self._place.counts(self._ticket):
                raise
            return None
        return batch if self._place.counts(self._ticket) else None

    async def _fetch(self, ticket: Ticket) -> Batch:
        if self._place.lost is not None:
            raise PositionLost(self._place.lost)
        fetched: dict[TopicPartition, list[ConsumerRecord]] = {}
        count = await self._fetch_pages(ticket, fetched)
        return await offload(count, self._batch, fetched, ticket.expected)

    async def _fetch_pages(self, ticket: Ticket, fetched: dict[TopicPartition, list[ConsumerRecord]]) -> int:
        count, limit = 0, self._settings.consumer_batch_limit
        try:
            while count < limit:
                page = await self.kafka.getmany(timeout_ms=0 if fetched else 250, max_records=min(_PAGE, limit - count))
                if not page:
                    break
                for partition, records in page.items():
                    fetched.setdefault(partition, []).extend(records)
                    count += len(records)
                await asyncio.sleep(0)  # with records at hand getmany doesn't give the event loop a turn
        except NoOffsetForPartitionError:
            pass  # aiokafka asked for a position before the assignment callback had sought to it
        except OffsetOutOfRangeError as error:
            gone = f"the stored position is no longer in Kafka: {error}"
            self._place.lose(ticket, gone)
            if not fetched:
                raise PositionLost(gone) from error
        except (CorruptRecordException, UnsupportedCodecError, UnicodeDecodeError) as error:  # the last: a header's name
            # aiokafka may have taken records of other partitions before it came to this one, and they are gone with the error.
            self._corrupt += 1
            if self._corrupt >= _CORRUPT_TRIES:
                raise PositionLost(f"what comes next can't be unpacked: {type(error).__name__}") from error
            if self._place.counts(ticket):
                self._place.void()
            await self._failed(error, nothing=True)
        except (KafkaError, IllegalStateError) as error:
            await self._failed(error, nothing=not fetched)
        else:
            self._failing_since = None
            self._corrupt = 0 if count else self._corrupt
        return count

    async def _failed(self, error: Exception, *, nothing: bool) -> None:
        log.warning("consumer_fetch_failed", consumer=self._name, error=logs.name_of(error))
        now = time.monotonic()
        since = (self._failing_since or now) if nothing else None
        self._failing_since = since
        if since is not None and now - since > _FAILING_SECONDS:
            raise FetchFails from error
        await asyncio.sleep(0.5)

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
