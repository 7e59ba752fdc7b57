"""The consumer: events in, effects committed together with the position. Nothing lost, nothing doubled, nothing silent.

The Kafka group is used for assignment only; the position of every partition lives in the service's database (see
positions.py). Bad messages become dead letters in the same transaction (see dead_letters.py, redrive.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError

from chassis import fail_points, logs, telemetry
from chassis.consuming import dead_letters, positions
from chassis.consuming.batch import Batch, Entry
from chassis.consuming.dead_letters import BadWindow
from chassis.consuming.effect import Applied, Effect, Poison
from chassis.consuming.fetcher import FetchFails, PositionLost, Prefetch
from chassis.consuming.redrive import redrive
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.offload import offload
from chassis.settings import Settings
from contracts.envelope import Event

log = logs.get(__name__)

_UNKNOWN_TRIES = 3
_MEASURE_SECONDS = 15.0  # another replica may have put letters aside, or applied them


class StopAndPage(Exception):
    """Going on would lose data or hide a disaster: the consumer stops, its gauge pages somebody, the API stays up."""


class _Resynchronised(Exception):
    """The batch in hand is void: its partitions were sought to their stored positions."""


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka swallows exceptions raised here; so they are kept and stop the process (never read from a wrong place)."""

    def __init__(self, owner: Consumer) -> None:
        self._owner = owner

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all are revoked
        async with self._owner.busy:  # let the batch in hand commit: the next owner would only repeat it
            self._owner.give_up()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        try:
            await self._owner.take_over(assigned)
        except Exception as error:  # noqa: BLE001 - see the class: handed to the main loop, which raises it
            self._owner.failed = error


class Consumer:
    """One consumer of a service: topics in, one effect out."""

    def __init__(self, mongo: Mongo, settings: Settings, name: str, topics: Sequence[str], effect: Effect) -> None:
        self.name = name
        self.busy = asyncio.Lock()
        self.expected: dict[TopicPartition, int] = {}
        self.failed: Exception | None = None
        self.healthy = False
        self.prefetch = Prefetch(settings, name, topics, effect)
        self._mongo = mongo
        self._effect = effect
        self._blocked: set[tuple[str, str]] = set()
        self._letters = 0
        self._window = BadWindow()
        self._measured = 0.0
        self._stopped = asyncio.Event()
        telemetry.CONSUMER_STOPPED.labels(name).set(0)
        telemetry.CONSUMER_FAILING.labels(name).set(0)

    async def run(self) -> None:
        """Consume until stopped. Raises when only a new process can help; stops and pages when a person must."""
        await self.prefetch.start(_Assignment(self), self._stopped)
        try:
            while not self._stopped.is_set():
                try:
                    await self._consume()
                except FetchFails:
                    log.error("consumer_client_replaced", consumer=self.name)
                    await self.prefetch.stop()
                    self.give_up()
                    await self.prefetch.start(_Assignment(self), self._stopped)
        except (StopAndPage, PositionLost) as reason:
            self.healthy = False
            telemetry.CONSUMER_FAILING.labels(self.name).set(0)  # that is over: what it is now wakes people by another name
            telemetry.CONSUMER_STOPPED.labels(self.name).set(1)
            log.critical("consumer_stopped", consumer=self.name, reason=str(reason))
            await self.prefetch.drop()
            await self._stopped.wait()
        finally:
            await self.prefetch.stop()

    async def stop(self) -> None:
        """End after the batch in hand."""
        self._stopped.set()

    async def take_over(self, assigned: set[TopicPartition]) -> None:
        """Seek every assigned partition to its stored position; a partition never read begins at its beginning."""
        stored = await positions.load(self._mongo, self.name, assigned)
        fresh = [partition for partition in assigned if partition not in stored]
        if fresh:
            for partition, offset in (await self.prefetch.kafka.beginning_offsets(fresh)).items():
                await positions.begin(self._mongo, self.name, partition, offset)
            stored |= await positions.load(self._mongo, self.name, fresh)
        blocked, letters = await dead_letters.open_subjects(self._mongo, self.name)
        await dead_letters.measure(self._mongo, self.name)
        # No await from here on: what is fetched between the seek and `expected` would be dropped, and never fetched again.
        self.prefetch.seek(stored)
        self._blocked, self._letters, self.expected = blocked, letters, stored
        log.info("consumer_assigned", consumer=self.name, partitions=len(assigned))

    def give_up(self) -> None:
        """The partitions are going to somebody else, who tells their lag from now on."""
        for partition in self.expected:
            telemetry.forget_lag(self.name, partition.topic, partition.partition)
        self.expected = {}

    async def _consume(self) -> None:
        """Batch after batch; the next one is fetched, decoded and prepared while one is being committed."""
        self.prefetch.start_next(self.expected)
        while not self._stopped.is_set():
            batch = await self.prefetch.take()
            if self._stopped.is_set():
                return
            if self.failed is not None:
                raise self.failed
            if batch is None:
                self.prefetch.seek(self.expected)
                batch = Batch()
            self.prefetch.start_next(self.expected)
            try:
                await self._handle(batch)
            except PyMongoError as error:
                # Trouble beside the batch's transaction (letters, gauges, positions): wait, and go on where we stand.
                if not is_unreachable(error):
                    raise
                self.healthy = False
                log.warning("consumer_database_unreachable", consumer=self.name, error=type(error).__name__)
                self.prefetch.seek(self.expected)
                await asyncio.sleep(1.0)

    async def _handle(self, batch: Batch) -> None:
        async with self.busy:
            if batch.entries:
                started = time.perf_counter()
                # After a resynchronisation the rest of the batch is void too: going on would skip what wasn't committed.
                with contextlib.suppress(_Resynchronised):
                    await self._process(batch)
                telemetry.CONSUMER_BATCH.labels(self.name).observe(len(batch.entries))
                telemetry.CONSUMER_SECONDS.labels(self.name).observe(time.perf_counter() - started)
            if self._letters and await redrive(self._mongo, self.name, self._effect, self.expected):
                self._blocked, self._letters = await dead_letters.open_subjects(self._mongo, self.name)
                await dead_letters.measure(self._mongo, self.name)
            if time.monotonic() > self._measured + _MEASURE_SECONDS:
                await dead_letters.measure(self._mongo, self.name)
                self._measured = time.monotonic()
            self._measure_lag()
            self.healthy = not self.prefetch.failing
            telemetry.CONSUMER_FAILING.labels(self.name).set(not self.healthy)

    async def _process(self, batch: Batch) -> None:
        """Commit the entries; halve around one that fails for an unknown reason until it stands alone."""
        attempt = buried = 0
        while batch.entries:
            try:
                await self._commit(batch)
                return
            except Poison as poison:
                place = batch.bury(self.name, poison)
                buried += 1
                if buried > BadWindow.LIMIT and len(batch.entries) > place + 1:
                    # Enough to stop for: commit this far, rather than try the whole batch again for each bad one.
                    await self._process(Batch(batch.entries[: place + 1]))
                    batch, buried = Batch(batch.entries[place + 1 :]), 0
            except (_Resynchronised, StopAndPage, CommitUnknown, asyncio.CancelledError):
                raise
            except Exception as error:
                if is_unreachable(error):
                    raise  # MongoDB's trouble, not the message's
                attempt += 1
                first, event = batch.entries[0].record, batch.entries[0].event
                log.exception(
                    "consumer_effect_failed",
                    consumer=self.name,
                    events=len(batch.entries),
                    attempt=attempt,
                    first=f"{first.topic}:{first.partition}:{first.offset}",
                    event_id=event.id if event else None,
                )
                if len(batch.entries) > 1:
                    half = len(batch.entries) // 2
                    await self._process(Batch(batch.entries[:half]))
                    await self._process(Batch(batch.entries[half:]))
                    return
                if attempt >= _UNKNOWN_TRIES:
                    if event is None:
                        raise
                    batch.bury(self.name, Poison(event, "unknown_error", f"{type(error).__name__}: {error}"))
                else:
                    await asyncio.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - jitter

    async def _commit(self, batch: Batch) -> None:
        """One transaction: effects, dead letters, positions. Transient trouble is tried again for as long as it lasts."""
        events, letters, moves = batch.sort(self.name, self.expected, self._blocked)
        if not moves:
            return

        async def also(tx: Tx) -> None:
            await dead_letters.save(self._mongo, letters, tx)
            await positions.move(self._mongo, self.name, moves, tx)
            fail_points.hit("consumer.in_transaction")

        prepared = batch.prepared
        if not prepared or events != batch.events:
            prepared = await offload(len(events), self._effect.prepare, events) if events else None
        parents = tuple(event.traceparent for event in events if event.traceparent) if telemetry.tracing() else ()
        with telemetry.span(f"consume {self.name}", "consumer", links=parents):
            applied = await self._persist(prepared, also)
        for partition, (_, following) in moves.items():
            self.expected[partition] = following
        self._count(batch.entries, events, applied, letters)
        if letters:
            self._letters += len(letters)
            self._blocked |= {(doc["topic"], doc["subject"]) for doc in letters if doc["subject"] is not None}
            await dead_letters.measure(self._mongo, self.name)
            if self._window.worst > BadWindow.LIMIT:
                raise StopAndPage(f"more than {BadWindow.LIMIT} of the last {BadWindow.SIZE} messages were bad")

    async def _persist(self, prepared: Any, also: Any) -> Applied:
        attempt, look_first = 0, False
        while True:
            try:
                return await self._effect.commit(prepared, also, look_first=look_first)
            except WriteRace as race:
                if race.reason == positions.FENCED:
                    await self._resynchronise("fenced")
                look_first = True
                log.info("consumer_race", consumer=self.name, reason=race.reason)
            except CommitUnknown:
                await self._resynchronise("commit_unknown")  # the stored position knows the outcome
            except PyMongoError as error:
                if not is_unreachable(error):
                    raise
                self.healthy = False
                log.warning("consumer_database_unreachable", consumer=self.name, error=type(error).__name__)
            attempt += 1
            await asyncio.sleep(random.uniform(0, min(10.0, 0.1 * 2 ** min(attempt, 7))))  # noqa: S311 - full jitter
            if self._stopped.is_set():
                raise _Resynchronised

    async def _resynchronise(self, why: str) -> None:
        """Somebody else moved our position, or a commit's outcome is unknown: start again from what is stored.

        With the position letters may have been stored that nobody here knows of: what follows must be parked behind them.
        """
        log.warning("consumer_resynchronised", consumer=self.name, why=why)
        stored = await positions.load(self._mongo, self.name, set(self.expected))
        blocked, letters = await dead_letters.open_subjects(self._mongo, self.name)
        self.prefetch.seek(stored)
        self._blocked, self._letters, self.expected = blocked, letters, stored
        raise _Resynchronised

    def _count(self, entries: list[Entry], events: list[Event], applied: Applied, letters: list[Document]) -> None:
        dead = [doc for doc in letters if doc["state"] == "dead"]
        for doc in dead:
            telemetry.DEAD_LETTERS_TOTAL.labels(self.name, doc["reason"]).inc()
            event_id = dead_letters.event_id(doc)
            log.error("dead_letter", consumer=self.name, letter=doc["_id"], event_id=event_id, reason=doc["reason"])
        bad = {doc["_id"] for doc in dead}
        # Without bad ones the ids, which cost as much as the events, need not be made.
        self._window.add([bool(bad) and dead_letters.letter_id(self.name, entry.record) in bad for entry in entries])
        telemetry.CONSUMER_EVENTS.labels(self.name).inc(len(events) - applied.duplicates)
        telemetry.CONSUMER_DUPLICATES.labels(self.name).inc(applied.duplicates)
        telemetry.EVENTS_GAP.labels(self.name).inc(applied.gaps)
        if applied.gaps:
            log.error("events_gap", consumer=self.name, gaps=applied.gaps)

    def _measure_lag(self) -> None:
        for partition, expected in self.expected.items():
            try:
                end = self.prefetch.kafka.highwater(partition)
            except (AssertionError, IllegalStateError):
                continue  # revoked meanwhile
            if end is not None:
                telemetry.CONSUMER_LAG.labels(self.name, partition.topic, str(partition.partition)).set(max(0, end - expected))
