"""The relay: publishes the outbox in order, one relay a service at a time.

A sweep reads the outbox page by page in `_id` order at one snapshot and hands each event to the lane of its partition; a document
is deleted when all its events are acknowledged. A crash in between sends events again: same ids, and consumers drop what they
have seen. No trouble of Kafka or MongoDB ever ends `run()`. Next: chassis/consuming/consumer.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections.abc import Sequence

from aiokafka import TopicPartition

from chassis import clock, fail_points, logs, telemetry
from chassis.database.failures import PyMongoError
from chassis.database.lease import LeaseKeeper
from chassis.database.mongo import Mongo
from chassis.pace import Rate
from chassis.publishing import generations, topics
from chassis.publishing.lane import Lane, Parcel
from chassis.publishing.leaders import watch_leaders
from chassis.publishing.outbox_progress import OutboxProgress
from chassis.publishing.producers import Producers
from chassis.settings import Settings
from chassis.writing import outbox
from chassis.writing.outbox import OutboxDocument
from contracts.envelope import source_of

LEASE = "relay"
log = logs.get(__name__)
_PACE_SECONDS = 0.01
# Under load events gather for a moment: a sweep costs about the same for one as for fifty, and so do Kafka and each consumer.
_BUSY_EVENTS_PER_SECOND, _BUSY_PACE_SECONDS = 400, 0.1
_MANY_EVENTS = 2000  # in one sweep: no pause at all
_SETTLE_SECONDS = 0.25  # that a sweep waits for its lanes; a slower one settles while the next sweep serves the others
_STALL_SECONDS = 0.5  # that a sweep waits for room in a lane
_SWEEP_SECONDS = 30.0  # a snapshot lives for some minutes
_WHOLE_SECONDS = 60.0  # between sweeps that start at the beginning, whatever is known
_MEASURE_SECONDS, _MEASURE_ASIDE_SECONDS = 1.0, 10.0  # with and without the lease
_TROUBLE_SECONDS = 1.0


class Relay:
    """Publishes one service's outbox; `run()` until stopped."""

    def __init__(self, mongo: Mongo, settings: Settings, service: str, owner: str) -> None:
        self._mongo = mongo
        self._settings = settings
        self._service = service
        self._source = ""
        self._producers = Producers(settings, f"{service}-relay")
        self._lease = LeaseKeeper(
            mongo, LEASE, owner, seconds=settings.relay_lease_seconds, renew_seconds=settings.relay_renew_seconds
        )
        self._wake = asyncio.Event()
        self._stopping = False
        self._lanes: dict[TopicPartition, Lane] = {}
        self._partitions: dict[str, int] = {}
        self._progress = OutboxProgress(settings.mongo_transaction_seconds)
        self._whole_at = float("-inf")
        self._rate = Rate()
        self._measured = float("-inf")
        self._progress_at = time.monotonic()  # when Kafka last took an event, or none was waiting

    @property
    def holds_lease(self) -> bool:
        """Whether this is the service's relay now."""
        return self._lease.held

    async def lease_taken(self) -> None:
        """Wait until this is the service's relay; it may have ceased to be meanwhile."""
        await self._lease.taken()
        if not self._lease.held:
            await asyncio.sleep(_TROUBLE_SECONDS)

    def nudge(self) -> None:
        """There is something to publish: the wake-up inside the process. Costs nothing without the lease."""
        self._wake.set()

    async def run(self) -> None:
        """Hold the lease and publish until stopped."""
        self._lease.start()
        watching = asyncio.create_task(watch_leaders(self._settings, self._lanes))
        try:
            while not self._stopping:
                try:
                    await (self._publish() if self._lease.held else self._stand_by())
                except PyMongoError as error:
                    log.warning("relay_database_trouble", error=logs.name_of(error))
                    await asyncio.sleep(_TROUBLE_SECONDS)
            await self._settle(2.0)
            with contextlib.suppress(PyMongoError):
                await self._delete()
        finally:
            watching.cancel()
            await self._lease.stop()
            telemetry.RELAY_LEASE.set(0)
            await self._producers.close()

    async def stop(self) -> None:
        """End after what is on its way and let another relay take over at once."""
        self._stopping = True
        self._wake.set()

    async def _stand_by(self) -> None:
        telemetry.RELAY_LEASE.set(0)
        self._forget()
        waits = [asyncio.create_task(self._lease.taken()), asyncio.create_task(self._stopped())]
        await asyncio.wait(waits, timeout=_MEASURE_ASIDE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if not self._lease.held:
            await self._measure(_MEASURE_ASIDE_SECONDS)

    async def _stopped(self) -> None:
        while not self._stopping:
            self._wake.clear()
            await self._wake.wait()

    def _forget(self) -> None:
        """What is known of the outbox holds for one tenure: the next one starts at the beginning."""
        self._progress = OutboxProgress(self._settings.mongo_transaction_seconds)
        self._progress_at = time.monotonic()

    async def _publish(self) -> None:
        telemetry.RELAY_LEASE.set(1)
        self._wake.clear()
        begun = time.monotonic()
        offered = await self._sweep()
        await self._settle(_SETTLE_SECONDS)
        await self._delete()
        await self._measure(_MEASURE_SECONDS)
        if await self._is_stuck():
            return
        self._rate.count(offered)
        if offered < _MANY_EVENTS:
            took = time.monotonic() - begun
            pace = _BUSY_PACE_SECONDS if self._rate.per_second > _BUSY_EVENTS_PER_SECOND else _PACE_SECONDS
            await asyncio.sleep(max(pace - took, 0.0) if offered else min(took, _TROUBLE_SECONDS))
        retry = min(
            (lane.retry_in for lane in self._lanes.values() if lane.retry_in > 0), default=self._settings.relay_poll_seconds
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min(retry, self._settings.relay_poll_seconds))

    async def _sweep(self) -> int:
        """One walk over the outbox at one snapshot; returns how many events it handed to lanes."""
        self._progress.begin_sweep()
        begun = time.monotonic()
        whole = begun - self._whole_at >= _WHOLE_SECONDS
        if whole:
            self._partitions.clear()  # a topic may have been grown
        after = "" if whole else self._progress.floor
        offered, unsent = 0, None
        opened = {partition for partition, lane in self._lanes.items() if lane.open()}
        async with self._mongo.snapshot() as snapshot:
            while True:
                documents = await outbox.page(self._mongo, after, self._settings.relay_page, snapshot)
                handed = 0
                for document in documents:
                    if not self._may_send():
                        return offered
                    handed += await self._hand_out(document, opened)
                    if unsent is None and self._progress.waits(document):
                        unsent = document["_id"]
                offered += handed
                if len(documents) < self._settings.relay_page:
                    break
                if time.monotonic() - begun > _SWEEP_SECONDS or not (handed or opened):
                    return offered
                after = documents[-1]["_id"]
                await self._delete()
            time_shown = self._mongo.snapshot_time(snapshot)
        if whole:
            self._whole_at = begun
        self._progress.swept(begun, time_shown, unsent)
        if unsent is None:
            self._progress_at = time.monotonic()
        return offered

    async def _hand_out(self, document: OutboxDocument, opened: set[TopicPartition]) -> int:
        """Give the document's events to their lanes; returns how many were taken."""
        taken = 0
        for index in self._progress.to_send(document):
            event = document["events"][index]
            lane = await self._lane(event["topic"], event["subject"], opened)
            if lane.partition not in opened:
                continue
            # The first that isn't taken closes the lane for this sweep: none may pass it.
            parcel = Parcel(document["_id"], index, event)
            if (lane.full and not await lane.room(_STALL_SECONDS)) or not lane.offer(parcel):
                opened.discard(lane.partition)
                continue
            self._progress.handed_out(document)
            taken += 1
        return taken

    def _may_send(self) -> bool:
        return self._lease.held and not self._stopping

    async def _lane(self, topic: str, subject: str, opened: set[TopicPartition]) -> Lane:
        count = self._partitions.get(topic)
        if count is None:
            count = self._partitions[topic] = await topics.partition_count(self._mongo, topic)
        if not self._source:  # once in the life of a process
            self._source = source_of(self._service, await generations.current(self._mongo))
        partition = TopicPartition(self._settings.kafka_topic_prefix + topic, zlib.crc32(subject.encode()) % count)
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = Lane(
                partition,
                self._producers,
                self._source,
                self._settings.relay_send_timeout_seconds,
                may_send=self._may_send,
                acknowledged=self._acknowledged,
            )
            lane.open()
            opened.add(partition)
        return lane

    def _acknowledged(self, parcels: Sequence[Parcel]) -> None:
        self._progress_at = time.monotonic()
        self._progress.acknowledged(parcels)

    async def _settle(self, seconds: float) -> None:
        """Wait a moment for lanes; one that is slower wakes the relay when it is done."""
        busy = [asyncio.ensure_future(lane.settled()) for lane in self._lanes.values() if lane.busy]
        if busy:
            _, slow = await asyncio.wait(busy, timeout=seconds)
            for task in slow:
                task.add_done_callback(lambda _: self._wake.set())

    async def _delete(self) -> None:
        if not self._progress.complete:
            return
        ids, self._progress.complete = self._progress.complete, []
        fail_points.hit("relay.after_send")
        try:
            await outbox.delete(self._mongo, ids)
        except PyMongoError:
            self._progress.complete += ids
            raise
        self._progress.deleted(ids)

    async def _is_stuck(self) -> bool:
        """Whether Kafka takes nothing from this process: then another one may do better."""
        failing = any(lane.failures for lane in self._lanes.values())
        stuck = failing and time.monotonic() - self._progress_at > self._settings.relay_stuck_seconds
        if stuck:
            log.error("relay_stuck", seconds=self._settings.relay_stuck_seconds)
            self._progress_at = time.monotonic()
            telemetry.RELAY_LEASE.set(0)
            await self._lease.give_away(self._settings.relay_renew_seconds * 1.5)
        return stuck

    async def _measure(self, every: float) -> None:
        if time.monotonic() - self._measured < every:
            return
        self._measured = time.monotonic()
        count, oldest = await outbox.pending(self._mongo, self._progress.floor)
        telemetry.OUTBOX_ROWS.set(count)
        telemetry.OUTBOX_AGE.set((clock.now() - oldest).total_seconds() if oldest else 0.0)
