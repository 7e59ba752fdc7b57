"""A lane: the events of one partition on their way to Kafka, in order, one record batch at a time.

A lane that fails or is slow holds up nobody else. The next batch waits until the one before is acknowledged: if that one failed
while the next succeeded, the events that are sent again would come after later ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from chassis import logs, telemetry
from chassis.publishing.producers import Producers
from chassis.writing.outbox import SavedEvent
from contracts.envelope import Headers, to_headers

log = logs.get(__name__)
_QUEUE = 2000  # events
_BACKOFF_SECONDS, _BACKOFF_LIMIT = 0.25, 5.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event of one outbox document."""

    document_id: str
    index: int
    event: SavedEvent


class EventTooLarge(Exception):
    """An event that no record batch can hold."""


class LeaderMoved(Exception):
    """The partition has another leader than the one that a batch was sent to: no answer will come from the old one."""


Acknowledged = Callable[[Sequence[Parcel]], None]


class Lane:
    """Queues events of one partition and sends them. `busy` until all are acknowledged, or one failed."""

    def __init__(
        self,
        partition: TopicPartition,
        producers: Producers,
        source: str,
        seconds: float,
        *,
        may_send: Callable[[], bool],
        acknowledged: Acknowledged,
    ) -> None:
        self.partition = partition
        self.failures = 0
        self.waiting_since: float | None = None  # monotonic; of the batch in flight
        self._producers = producers
        self._source = source
        self._seconds = seconds
        self._may_send = may_send
        self._acknowledged = acknowledged
        self._broken = True  # since it was opened
        self._queue: deque[Parcel] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._retry_at = 0.0
        self._leader: int | None = None
        self._producer: AIOKafkaProducer | None = None
        self._moved: asyncio.Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether events are on their way."""
        return self._task is not None and not self._task.done()

    def open(self) -> bool:
        """Let a sweep hand it events; False while others are on their way, or a failure asks for a pause."""
        self._broken = self.busy or time.monotonic() < self._retry_at
        return not self._broken

    @property
    def retry_in(self) -> float:
        """Seconds until it may try again after a failure."""
        return max(0.0, self._retry_at - time.monotonic())

    @property
    def full(self) -> bool:
        """Whether it takes no more for now."""
        return len(self._queue) >= _QUEUE

    def offer(self, parcel: Parcel) -> bool:
        """Queue an event behind those of this sweep; False if one of them failed: later ones must not pass it."""
        if self._broken:
            return False
        self._queue.append(parcel)
        if not self.busy:
            self._task = asyncio.create_task(self._run(), name=f"lane-{self.partition.topic}-{self.partition.partition}")
        return True

    async def room(self, seconds: float) -> bool:
        """Wait for room; False if none comes in time."""
        self._room.clear()
        try:
            await asyncio.wait_for(self._room.wait(), seconds)
        except TimeoutError:
            return not self.full
        return True

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def leader_is(self, leader: int | None) -> None:
        """What the cluster says now of the partition's leader: a batch that went to another one is given up."""
        moved = self._moved
        if moved is not None and not moved.done() and leader not in (None, -1, self._leader) and self._leader is not None:
            moved.set_exception(LeaderMoved(f"from broker {self._leader} to {leader}"))

    async def _run(self) -> None:
        while self._queue:
            if not self._may_send():
                self._broken = True
                self._queue.clear()
                return
            try:
                parcels = await self._send()
            except Exception as error:  # noqa: BLE001 - whatever it is, this partition waits and the others flow
                self._fail(error)
                return
            finally:
                self.waiting_since = None
                self._room.set()
            self.failures = 0
            self._retry_at = 0.0
            telemetry.RELAY_PUBLISHED.inc(len(parcels))
            self._acknowledged(parcels)

    def _fail(self, error: Exception) -> None:
        self._broken = True
        self._queue.clear()  # the next sweep finds them again, in order
        if isinstance(error, LeaderMoved):
            log.warning("relay_leader_moved", topic=self.partition.topic, partition=self.partition.partition, moved=str(error))
        else:
            self.failures += 1
            pause = min(_BACKOFF_LIMIT, _BACKOFF_SECONDS * 2 ** (self.failures - 1))
            self._retry_at = time.monotonic() + pause
            telemetry.RELAY_FAILURES.inc()
            log.warning(
                "relay_partition_failed",
                topic=self.partition.topic,
                partition=self.partition.partition,
                error=logs.name_of(error),
                retry_in=pause,
            )
        if self._producer is not None and not isinstance(error, EventTooLarge):
            self._producers.replace(self._producer)

    async def _send(self) -> list[Parcel]:
        self.waiting_since = time.monotonic()
        self._producer = None
        producer = self._producer = await self._producers.current()
        batch, parcels = self._pack(producer)
        topic, number = self.partition
        self._leader = producer.client.cluster.leader_for_partition(self.partition)
        self._moved = asyncio.get_running_loop().create_future()
        with self._producers.using(producer):
            sending = asyncio.ensure_future(_acknowledgement(producer, batch, topic, number))
            done, _ = await asyncio.wait({sending, self._moved}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if sending not in done:
                sending.cancel()
                if self._moved in done:
                    self._moved.result()
                raise TimeoutError(f"not acknowledged within {self._seconds:g} s")
            self._moved.cancel()
            sending.result()
        return parcels

    def _pack(self, producer: AIOKafkaProducer) -> tuple[Any, list[Parcel]]:
        batch, parcels = producer.create_batch(), list[Parcel]()
        while self._queue:
            parcel = self._queue[0]
            event = parcel.event
            key, value = event["subject"].encode(), event["value"]
            if batch.append(timestamp=None, key=key, value=value, headers=self._headers(event)) is None:
                break
            parcels.append(self._queue.popleft())
        if not parcels:
            event = self._queue[0].event
            raise EventTooLarge(f"event {event['subject']}:{event['sequence']} is larger than a Kafka batch")
        return batch, parcels

    def _headers(self, event: SavedEvent) -> Headers:
        return to_headers(
            type_name=event["type"],
            source=self._source,
            subject=event["subject"],
            sequence=event["sequence"],
            time=event["time"],
            traceparent=event.get("traceparent"),
        )


async def _acknowledgement(producer: AIOKafkaProducer, batch: Any, topic: str, partition: int) -> None:
    await (await producer.send_batch(batch, topic, partition=partition))
