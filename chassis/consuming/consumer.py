"""The consumer: events in, effects committed together with the position. Nothing lost, nothing doubled, nothing silent.

The Kafka group is used for assignment only; the position of every partition lives in the service's database (see
positions.py). Bad messages become dead letters in the same transaction (see batch_committer.py, dead_letters.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from chassis import logs, telemetry
from chassis.consuming import positions
from chassis.consuming.assignment import Assignment
from chassis.consuming.batch import Batch
from chassis.consuming.batch_committer import BatchCommitter, Resynchronised
from chassis.consuming.effect import Effect
from chassis.consuming.fetcher import Fetcher, FetchFails, PositionLost
from chassis.consuming.open_letters import OpenLetters, StopAndPage
from chassis.database.failures import PyMongoError, is_unreachable
from chassis.database.mongo import Mongo
from chassis.pace import Rate
from chassis.settings import Settings

log = logs.get(__name__)
# Under load events gather for a moment: a transaction costs about the same for ten as for a hundred.
_BUSY_EVENTS_PER_SECOND, _PACE_SECONDS = 400, 0.1
_MANY_EVENTS = 1000  # in one batch: no pause at all


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka swallows exceptions raised here; so they are kept and stop the consumer (never read from a wrong place)."""

    def __init__(self, owner: Consumer) -> None:
        self._owner = owner

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all are revoked
        async with self._owner.committing:  # let the batch in hand commit: the next owner would only repeat it
            self._owner.give_up()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            await self._owner.take_over(assigned)
        except Exception as error:  # noqa: BLE001 - see the class: handed to the main loop, which stops and pages
            self._owner.failed = error


class Consumer:
    """One consumer of a service: topics in, one effect out."""

    def __init__(self, mongo: Mongo, settings: Settings, name: str, topics: Sequence[str], effect: Effect) -> None:
        self.name = name
        self.committing = asyncio.Lock()
        self.place = Assignment()
        self.failed: Exception | None = None
        self._healthy = False
        self.fetcher = Fetcher(settings, name, topics, effect, self.place)
        self._mongo = mongo
        self._effect = effect
        self._letters = OpenLetters(mongo, name, settings.kafka_topic_prefix, settings.consumer_waiting_limit)
        self._stopped = asyncio.Event()
        self._rate = Rate()
        self._committer = BatchCommitter(mongo, name, effect, self.place, self._letters, stopped=self._stopped)
        telemetry.begin_consumer(name)

    @property
    def healthy(self) -> bool:
        """Whether it gets what it needs from Kafka and MongoDB."""
        return self._healthy and not self._committer.struggling

    async def run(self) -> None:
        """Consume until stopped; stops and pages when a person must look."""
        await self.fetcher.start(_Assignment(self), self._stopped)
        try:
            while not self._stopped.is_set():
                try:
                    await self._consume()
                except FetchFails:
                    log.error("consumer_client_replaced", consumer=self.name)
                    await self.fetcher.stop()
                    self.give_up()
                    await self.fetcher.start(_Assignment(self), self._stopped)
        except (StopAndPage, PositionLost) as reason:
            self._healthy = False
            telemetry.CONSUMER_FAILING.labels(self.name).set(0)  # no longer failing but stopped, which has its own alert
            telemetry.CONSUMER_STOPPED.labels(self.name).set(1)
            log.critical("consumer_stopped", consumer=self.name, reason=str(reason))
            await self.fetcher.drop()
            await self._stopped.wait()
        finally:
            await self.fetcher.stop()

    async def stop(self) -> None:
        """End after the batch in hand."""
        self._stopped.set()

    async def take_over(self, assigned: set[TopicPartition]) -> None:
        """Seek every assigned partition to its stored position; a partition never read begins at its beginning.

        Without a primary this waits, with nothing expected: a failover takes 10 s and more.
        """
        while not self._stopped.is_set():
            try:
                stored = await self._positions(assigned)
                await self._letters.reload()
            except PyMongoError as error:
                if not is_unreachable(error):
                    raise
                self._healthy = False
                log.warning("consumer_assignment_waits", consumer=self.name, error=type(error).__name__)
                await asyncio.sleep(0.5)
            else:
                # No await from here on: what is fetched between the two would be dropped, and never fetched again.
                self.place.assign(stored)
                self.fetcher.seek()
                log.info("consumer_assigned", consumer=self.name, partitions=len(assigned))
                return

    async def _positions(self, assigned: set[TopicPartition]) -> dict[TopicPartition, int]:
        stored = await positions.load(self._mongo, self.name, assigned)
        fresh = [partition for partition in assigned if partition not in stored]
        if fresh:
            for partition, offset in (await self.fetcher.kafka.beginning_offsets(fresh)).items():
                await positions.begin(self._mongo, self.name, partition, offset)
            stored |= await positions.load(self._mongo, self.name, fresh)
        return stored

    def give_up(self) -> None:
        """The partitions are going to somebody else, who tells their lag from now on."""
        for partition in self.place.revoke():
            telemetry.forget_lag(self.name, partition.topic, partition.partition)

    async def _consume(self) -> None:
        """Batch after batch; the next one is fetched, decoded and prepared while one is being committed."""
        self.fetcher.start_next()
        while not self._stopped.is_set():
            batch = await self.fetcher.take()
            if self._stopped.is_set():
                return
            if self.failed is not None:
                failed, self.failed = self.failed, None
                raise StopAndPage(f"partitions could not be taken over: {failed!r}"[:300]) from failed
            if batch is None:
                self.fetcher.seek()
                batch = Batch()
            self.fetcher.start_next()
            try:
                await self._handle(batch)
                await self._let_gather(len(batch.entries))
            except PyMongoError as error:
                # Trouble beside the batch's transaction (letters, gauges, positions): wait, and go on where we stand.
                if not is_unreachable(error):
                    raise
                self._healthy = False
                log.warning("consumer_database_unreachable", consumer=self.name, error=type(error).__name__)
                self._start_again()
                await asyncio.sleep(1.0)

    async def _let_gather(self, size: int) -> None:
        self._rate.count(size)
        if 0 < size < _MANY_EVENTS and self._rate.per_second > _BUSY_EVENTS_PER_SECOND:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _PACE_SECONDS)

    def _start_again(self) -> None:
        self.place.void()
        self.fetcher.seek()

    async def _handle(self, batch: Batch) -> None:
        async with self.committing:
            if batch.entries:
                started = time.perf_counter()
                # After a resynchronisation the rest of the batch is void too: going on would skip what wasn't committed.
                try:
                    await self._committer.commit(batch)
                except Resynchronised:
                    self.fetcher.seek()
                telemetry.CONSUMER_BATCH.labels(self.name).observe(len(batch.entries))
                telemetry.CONSUMER_SECONDS.labels(self.name).observe(time.perf_counter() - started)
            await self._letters.look_after(self._effect, self.place, self._committer.circumstances(look_first=True))
            self._measure_lag()
            self._healthy = not self.fetcher.failing
            telemetry.CONSUMER_FAILING.labels(self.name).set(not self._healthy)

    def _measure_lag(self) -> None:
        for partition, expected in self.place.expected.items():
            try:
                end = self.fetcher.kafka.highwater(partition)
            except (AssertionError, IllegalStateError):
                continue  # revoked meanwhile
            if end is not None:
                telemetry.CONSUMER_LAG.labels(self.name, partition.topic, str(partition.partition)).set(max(0, end - expected))
