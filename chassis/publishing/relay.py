"""The relay: publishes the outbox in order, one relay a service at a time.

Sweeps the outbox page by page in `_id` order, round and round; sends a page, waits for Kafka's acknowledgement of every
row, then deletes the rows under the lease's epoch. A crash in between sends a page again: same ids, and consumers drop
what they have seen. Next: chassis/consuming/consumer.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from typing import Any

from aiokafka import AIOKafkaProducer

from chassis import clock, fail_points, logs, telemetry
from chassis.database import lease
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.publishing import kafka
from chassis.settings import Settings
from chassis.writing import outbox
from contracts.envelope import Headers, to_headers

log = logs.get(__name__)
_PACE_SECONDS = 0.01
_BUSY_ROWS, _BUSY_PACE_SECONDS = 8, 0.04
_MEASURE_SECONDS = 1.0
_STUCK_PAUSE_SECONDS = 1.0


class RelayStuck(Exception):
    """Kafka didn't acknowledge in time, or refused. aiokafka's producer may never recover from that: it is replaced."""


class Relay:
    """Publishes one service's outbox; `run()` until stopped."""

    def __init__(self, mongo: Mongo, settings: Settings, service: str, owner: str) -> None:
        self._mongo = mongo
        self._producer: AIOKafkaProducer = None
        self._client_id = f"{service}-relay"
        self._settings = settings
        self._source = f"/services/{service}"
        self._owner = owner
        self._wake = asyncio.Event()
        self._lease: lease.Lease | None = None
        self._renewed = 0.0
        self._stopping = False
        self._measured = 0.0
        self._partition_counts: dict[str, int] = {}

    def nudge(self) -> None:
        """There is something to publish: the wake-up inside the process."""
        self._wake.set()

    async def run(self) -> None:
        """Hold the lease and publish until stopped. Raises TimeoutError when only a new process can help."""
        while not self._stopping:
            self._producer = kafka.producer(self._settings, self._client_id)
            try:
                await asyncio.wait_for(self._producer.start(), self._settings.relay_send_timeout_seconds)
                await self._publish()
            except RelayStuck as stuck:
                log.error("relay_stuck", reason=str(stuck)[:300])
                telemetry.RELAY_LEASE.set(0)  # until it is renewed
                await asyncio.sleep(_STUCK_PAUSE_SECONDS)  # a refusal may come at once, again and again
            except (kafka.KafkaError, TimeoutError) as error:
                log.warning("relay_kafka_unreachable", error=type(error).__name__)
                telemetry.RELAY_LEASE.set(0)
                await self._measure_quietly()
                await asyncio.sleep(1.0)
            finally:
                # stop() can hang while Kafka is down; then the process exits and the supervisor starts a new one.
                await asyncio.wait_for(self._producer.stop(), 10)
        await self._release()

    async def _publish(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                begun = time.monotonic()
                rows = await self._sweep() if await self._hold_lease() else 0
                await self._measure()
                # Let rows gather under load: a sweep costs about the same for one row as for fifty.
                pace = _BUSY_PACE_SECONDS if rows >= _BUSY_ROWS else _PACE_SECONDS
                await asyncio.sleep(max(0.0, pace - (time.monotonic() - begun)))
            except WriteRace as race:
                # Somebody else is the relay now; what we sent last, it sends again.
                log.warning("relay_lease_lost", reason=race.reason)
                self._lose()
            except CommitUnknown:
                log.warning("relay_delete_unknown")
            except PyMongoError as error:
                if not is_unreachable(error):
                    raise
                log.warning("relay_database_unreachable", error=type(error).__name__)
                await asyncio.sleep(1.0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._settings.relay_poll_seconds)

    async def stop(self) -> None:
        """End after the page in hand and let another relay take over at once."""
        self._stopping = True
        self._wake.set()

    async def _release(self) -> None:
        if self._lease is not None:
            await lease.release(self._mongo, self._lease)
            self._lose()

    def _lose(self) -> None:
        self._lease = None
        telemetry.RELAY_LEASE.set(0)

    async def _hold_lease(self) -> bool:
        if self._lease is not None and time.monotonic() - self._renewed < self._settings.relay_renew_seconds:
            return True
        before = time.monotonic()
        held = await lease.acquire(self._mongo, "relay", self._owner, self._settings.relay_lease_seconds)
        if held is None:
            self._lose()
            return False
        if self._lease is None or self._lease.epoch != held.epoch:
            log.info("relay_lease_taken", epoch=held.epoch)
        self._lease, self._renewed = held, before
        telemetry.RELAY_LEASE.set(1)
        return True

    async def _sweep(self) -> int:
        """One round over the outbox; returns how many rows. A page is read and sent while the last one is being deleted."""
        total = 0
        after: str | None = None
        deleting: asyncio.Task[None] | None = None
        try:
            while not self._stopping and await self._hold_lease():
                rows = await outbox.page(self._mongo, after, self._settings.relay_page)
                if rows:
                    await self._send(rows)
                if deleting is not None:
                    await deleting
                    deleting = None
                if not rows:
                    break
                total += len(rows)
                fail_points.hit("relay.after_send")
                deleting = asyncio.create_task(self._delete([row["_id"] for row in rows]))
                after = rows[-1]["_id"] if len(rows) == self._settings.relay_page else None
                if after is None:
                    break
        except BaseException:
            if deleting is not None:  # its own failure isn't the news: a stuck producer must be replaced
                await asyncio.gather(deleting, return_exceptions=True)
            raise
        if deleting is not None:
            await deleting
        return total

    async def _send(self, rows: list[Document]) -> None:
        """Send a page and wait until every row is acknowledged."""
        parents = tuple(row["traceparent"] for row in rows if row.get("traceparent"))
        with telemetry.span("relay publish", "producer", links=parents):
            try:
                await asyncio.wait_for(self._send_batches(rows), self._settings.relay_send_timeout_seconds)
            except Exception as error:
                raise RelayStuck(f"{len(rows)} events not acknowledged: {error!r}") from error
        telemetry.RELAY_PUBLISHED.inc(len(rows))

    async def _send_batches(self, rows: list[Document]) -> None:
        # One record batch for each partition, built by us: a third of the cost of the producer's own send() of each row.
        batches: dict[tuple[str, int], Any] = {}
        acknowledged: list[Any] = []
        for row in rows:
            topic = self._settings.kafka_topic_prefix + row["topic"]
            key = row["subject"].encode()
            place = (topic, zlib.crc32(key) % await self._partitions(topic))
            message = {"timestamp": None, "key": key, "value": row["value"], "headers": self._headers(row)}
            batch = batches.get(place) or batches.setdefault(place, self._producer.create_batch())
            if batch.append(**message) is None:
                # Full. The next one of this partition waits until this one is acknowledged: if it failed while the next
                # succeeded, the events that are sent again would come after later ones, and be taken for seen.
                await (await self._producer.send_batch(batch, topic, partition=place[1]))
                batches[place] = self._producer.create_batch()
                if batches[place].append(**message) is None:
                    raise ValueError(f"event {row['_id']} is larger than a Kafka batch")
        for (topic, partition), batch in batches.items():
            acknowledged.append(await self._producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*acknowledged)

    async def _partitions(self, topic: str) -> int:
        """How many partitions a topic has. A subject stays on one as long as that number stays."""
        known = self._partition_counts.get(topic)
        if known is None:
            known = self._partition_counts[topic] = len(await self._producer.partitions_for(topic))
        return known

    def _headers(self, row: Document) -> Headers:
        return to_headers(
            type_name=row["type"],
            source=self._source,
            subject=row["subject"],
            sequence=row["sequence"],
            time=row["time"],
            traceparent=row.get("traceparent"),
        )

    async def _delete(self, ids: list[str]) -> None:
        held = self._lease
        if held is None:
            raise WriteRace(lease.LOST)

        async def work(tx: Tx) -> None:
            await lease.check(self._mongo, held, tx)
            await outbox.delete(self._mongo, ids, tx)

        while True:
            try:
                await self._mongo.transaction(work)
                return
            except WriteRace as race:
                # Our own renewal, at the same moment, makes the check fail too: sending the page again would be a waste.
                if race.reason == lease.LOST:
                    raise

    async def _measure_quietly(self) -> None:
        with contextlib.suppress(PyMongoError):
            await self._measure()

    async def _measure(self) -> None:
        if time.monotonic() - self._measured < _MEASURE_SECONDS:
            return
        self._measured = time.monotonic()
        count, oldest = await outbox.pending(self._mongo)
        telemetry.OUTBOX_ROWS.set(count)
        telemetry.OUTBOX_AGE.set((clock.now() - oldest).total_seconds() if oldest else 0.0)


async def nudge_from_changes(mongo: Mongo, relay: Relay) -> None:
    """The hint between processes: wake the relay when another process saved events. Losing it costs only the poll."""
    while True:
        try:
            pipeline: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]
            async with mongo.watch(outbox.OUTBOX, pipeline) as changes:
                async for _ in changes:
                    relay.nudge()
        except PyMongoError as error:
            log.info("relay_hint_lost", error=type(error).__name__)
            await asyncio.sleep(1.0)
