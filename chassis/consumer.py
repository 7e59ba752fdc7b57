"""The consumer: events in, effects committed together with the position. Nothing lost, nothing doubled, nothing silent.

The Kafka group is used for assignment only; the position of every partition lives in the service's database (see
positions.py). Bad messages become dead letters in the same transaction (see dead_letters.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from pymongo.errors import PyMongoError

from chassis import dead_letters, fail_points, kafka, logs, positions, telemetry
from chassis.effect import Applied, Effect, Poison
from chassis.mongo import CommitUnknown, Document, Mongo, Tx, WriteRace, is_unreachable
from chassis.settings import Settings
from contracts.envelope import BadEvent, Event, from_message

log = logs.get(__name__)

_SLICE = 500  # events decoded before the event loop gets a turn: well under 20 ms
_UNKNOWN_TRIES = 3
_BAD_WINDOW, _BAD_LIMIT = 1000, 50


class StopAndPage(Exception):
    """Going on would lose data or hide a disaster: the consumer stops, its gauge pages somebody, the API stays up."""


@dataclass(slots=True)
class Entry:
    """One message on its way: either an event to apply or a letter to put aside."""

    partition: TopicPartition
    record: ConsumerRecord
    event: Event | None = None
    letter: Document | None = None


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka swallows exceptions raised here; so they are kept and stop the process (never read from a wrong place)."""

    def __init__(self, owner: Consumer) -> None:
        self._owner = owner

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002 - all are revoked
        async with self._owner.busy:  # let the batch in hand commit: the next owner would only repeat it
            self._owner.expected.clear()

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
        self._mongo = mongo
        self._settings = settings
        self._topics = topics
        self._effect = effect
        self._kafka: AIOKafkaConsumer = None
        self._blocked: set[tuple[str, str]] = set()
        self._letters = 0
        self._sought = 0
        self._recent: deque[bool] = deque(maxlen=_BAD_WINDOW)
        self._worst = 0
        self._stopped = asyncio.Event()
        telemetry.CONSUMER_STOPPED.labels(name).set(0)

    async def run(self) -> None:
        """Consume until stopped. Raises when only a new process can help; stops and pages when a person must."""
        group = f"{self._settings.mongodb_database_prefix}.{self.name}"
        self._kafka = kafka.consumer(self._settings, group, _Assignment(self), self._topics)
        await self._start()
        try:
            await self._consume()
        except StopAndPage as reason:
            self.healthy = False
            telemetry.CONSUMER_STOPPED.labels(self.name).set(1)
            log.critical("consumer_stopped", consumer=self.name, reason=str(reason))
            await self._stopped.wait()
        finally:
            # aiokafka's stop() can hang while Kafka is down.
            await asyncio.wait_for(asyncio.shield(self._kafka.stop()), 10)

    async def stop(self) -> None:
        """End after the batch in hand."""
        self._stopped.set()

    async def _start(self) -> None:
        while not self._stopped.is_set():
            try:
                # A topic that nobody has created yet would join the assignment only with the next metadata refresh.
                await kafka.ensure_topics(self._settings, self._topics)
                await asyncio.wait_for(self._kafka.start(), 30)
            except (KafkaError, TimeoutError) as error:
                log.warning("consumer_kafka_unreachable", consumer=self.name, error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                return

    async def take_over(self, assigned: set[TopicPartition]) -> None:
        """Seek every assigned partition to its stored position; a partition never read begins at its beginning."""
        stored = await positions.load(self._mongo, self.name, assigned)
        fresh = [partition for partition in assigned if partition not in stored]
        if fresh:
            for partition, offset in (await self._kafka.beginning_offsets(fresh)).items():
                await positions.begin(self._mongo, self.name, partition, offset)
            stored |= await positions.load(self._mongo, self.name, fresh)
        blocked, letters = await dead_letters.open_subjects(self._mongo, self.name)
        await dead_letters.measure(self._mongo, self.name)
        # No await from here on: what is fetched between the seek and `expected` would be dropped, and never fetched again.
        self._seek(stored)
        self._blocked, self._letters, self.expected = blocked, letters, stored
        log.info("consumer_assigned", consumer=self.name, partitions=len(assigned))

    async def _consume(self) -> None:
        """Batch after batch; the next one is fetched and decoded while one is being committed."""
        ahead = asyncio.create_task(self._fetch())
        try:
            while not self._stopped.is_set():
                sought, entries = await ahead
                if self.failed is not None:
                    raise self.failed
                stale = sought != self._sought
                if stale:
                    # Partitions were sought while this batch was on its way: it may hold what lies behind the new place,
                    # and aiokafka won't give that again. Nothing else is on its way now: go back to where we stand.
                    self._seek(self.expected)
                ahead = asyncio.create_task(self._fetch())
                try:
                    await self._handle([] if stale else entries)
                except PyMongoError as error:
                    # Trouble beside the batch's transaction (letters, gauges, positions): wait, and go on where we stand.
                    if not is_unreachable(error):
                        raise
                    self.healthy = False
                    log.warning("consumer_database_unreachable", consumer=self.name, error=type(error).__name__)
                    self._seek(self.expected)
                    await asyncio.sleep(1.0)
        finally:
            ahead.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await ahead

    async def _fetch(self) -> tuple[int, list[Entry]]:
        """The next messages, decoded, and the number of the seek after which they were fetched."""
        sought = self._sought
        try:
            fetched = await self._kafka.getmany(timeout_ms=250, max_records=self._settings.consumer_batch_limit)
        except NoOffsetForPartitionError:
            return sought, []  # aiokafka asked for a position before the assignment callback had sought to it
        except OffsetOutOfRangeError as error:
            raise StopAndPage(f"the stored position is no longer in Kafka: {error}") from error
        except (KafkaError, IllegalStateError) as error:
            log.warning("consumer_fetch_failed", consumer=self.name, error=repr(error)[:200])
            await asyncio.sleep(0.5)
            return sought, []
        return sought, await self._decode(fetched)

    def _seek(self, places: Mapping[TopicPartition, int]) -> None:
        """Fetch from these places next; what is on its way now is void."""
        self._sought += 1
        for partition, offset in places.items():
            with contextlib.suppress(IllegalStateError):  # no longer ours
                self._kafka.seek(partition, offset)

    async def _handle(self, entries: list[Entry]) -> None:
        async with self.busy:
            if entries:
                started = time.perf_counter()
                # After a resynchronisation the rest of the batch is void too: going on would skip what wasn't committed.
                with contextlib.suppress(_Resynchronised):
                    await self._process(entries)
                telemetry.CONSUMER_BATCH.labels(self.name).observe(len(entries))
                telemetry.CONSUMER_SECONDS.labels(self.name).observe(time.perf_counter() - started)
            if self._letters:
                await self._redrive()
            self._measure_lag()
            self.healthy = True

    async def _decode(self, fetched: dict[TopicPartition, list[ConsumerRecord]]) -> list[Entry]:
        entries: list[Entry] = []
        for partition, records in fetched.items():
            expected = self.expected.get(partition)
            if expected is None:
                continue  # revoked, or not taken over yet: its next owner begins at the stored position
            for record in records:
                if record.offset < expected:
                    continue
                entries.append(self._entry(partition, record))
                if len(entries) % _SLICE == 0:
                    await asyncio.sleep(0)
        return entries

    def _entry(self, partition: TopicPartition, record: ConsumerRecord) -> Entry:
        try:
            return Entry(partition, record, event=from_message(record.headers, record.value, self._effect.types))
        except BadEvent as bad:
            subject = record.key.decode(errors="replace") if record.key else None
            return Entry(partition, record, letter=self._dead(record, subject, bad.reason, str(bad)))

    def _dead(self, record: ConsumerRecord, subject: str | None, reason: str, detail: str) -> Document:
        return dead_letters.letter(self.name, record, subject, "dead", reason, detail)

    async def _process(self, entries: list[Entry]) -> None:
        """Commit the entries; halve around one that fails for an unknown reason until it stands alone."""
        attempt = buried = 0
        while entries:
            try:
                await self._commit(entries)
                return
            except Poison as poison:
                place = self._bury(entries, poison)
                buried += 1
                if buried > _BAD_LIMIT and len(entries) > place + 1:
                    # Enough to stop for: commit this far, rather than try the whole batch again for each bad one.
                    await self._process(entries[: place + 1])
                    entries, buried = entries[place + 1 :], 0
            except (_Resynchronised, StopAndPage, CommitUnknown, asyncio.CancelledError):
                raise
            except Exception as error:
                if is_unreachable(error):
                    raise  # MongoDB's trouble, not the message's
                attempt += 1
                first = entries[0].record
                log.exception(
                    "consumer_effect_failed",
                    consumer=self.name,
                    events=len(entries),
                    attempt=attempt,
                    first=f"{first.topic}:{first.partition}:{first.offset}",
                )
                if len(entries) > 1:
                    half = len(entries) // 2
                    await self._process(entries[:half])
                    await self._process(entries[half:])
                    return
                if attempt >= _UNKNOWN_TRIES:
                    event = entries[0].event
                    if event is None:
                        raise
                    self._bury(entries, Poison(event, "unknown_error", f"{type(error).__name__}: {error}"))
                else:
                    await asyncio.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - jitter

    def _bury(self, entries: list[Entry], poison: Poison) -> int:
        """Make a letter of the poisonous event; returns its place."""
        place = next(index for index, entry in enumerate(entries) if entry.event is poison.event)
        entries[place].event = None
        entries[place].letter = self._dead(entries[place].record, poison.event.subject, poison.reason, str(poison))
        return place

    async def _commit(self, entries: list[Entry]) -> None:
        """One transaction: effects, dead letters, positions. Transient trouble is tried again for as long as it lasts."""
        events, letters, moves = self._sort(entries)
        if not moves:
            return

        async def also(tx: Tx) -> None:
            await dead_letters.save(self._mongo, letters, tx)
            await positions.move(self._mongo, self.name, moves, tx)
            fail_points.hit("consumer.in_transaction")

        parents = tuple(event.traceparent for event in events if event.traceparent)
        with telemetry.span(f"consume {self.name}", "consumer", links=parents):
            applied = await self._persist(events, also)
        for partition, (_, following) in moves.items():
            self.expected[partition] = following
        self._count(entries, applied, letters)
        if letters:
            self._letters += len(letters)
            self._blocked |= {(doc["topic"], doc["subject"]) for doc in letters if doc["subject"] is not None}
            await dead_letters.measure(self._mongo, self.name)
            if self._worst > _BAD_LIMIT:
                raise StopAndPage(f"more than {_BAD_LIMIT} of the last {_BAD_WINDOW} messages were bad")

    async def _persist(self, events: list[Event], also: Any) -> Applied:
        attempt, careful = 0, False
        while True:
            try:
                return await self._effect.commit(events, also, careful=careful)
            except WriteRace as race:
                if race.reason == positions.FENCED:
                    await self._resynchronise("fenced")
                careful = True
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
        """Somebody else moved our position, or a commit's outcome is unknown: start again from what is stored."""
        log.warning("consumer_resynchronised", consumer=self.name, why=why)
        assigned = set(self.expected)
        stored = await positions.load(self._mongo, self.name, assigned)
        self._seek(stored)
        self.expected = stored
        raise _Resynchronised

    def _sort(self, entries: list[Entry]) -> tuple[list[Event], list[Document], dict[TopicPartition, tuple[int, int]]]:
        events: list[Event] = []
        letters: list[Document] = []
        moves: dict[TopicPartition, tuple[int, int]] = {}
        blocked = set(self._blocked)
        for entry in entries:
            expected = self.expected.get(entry.partition)
            if expected is None or entry.record.offset < expected:
                continue
            moves[entry.partition] = (expected, entry.record.offset + 1)
            event, letter = entry.event, entry.letter
            if blocked and event is not None and (entry.record.topic, event.subject) in blocked:
                letter = dead_letters.letter(self.name, entry.record, event.subject, "parked", "behind_dead_letter", "")
            if letter is not None:
                letters.append(letter)
                if letter["subject"] is not None:
                    blocked.add((letter["topic"], letter["subject"]))
            elif event is not None:
                events.append(event)
        return events, letters, moves

    def _count(self, entries: list[Entry], applied: Applied, letters: list[Document]) -> None:
        dead = [doc for doc in letters if doc["state"] == "dead"]
        for doc in dead:
            telemetry.DEAD_LETTERS_TOTAL.labels(self.name, doc["reason"]).inc()
            log.error("dead_letter", consumer=self.name, letter=doc["_id"], subject=doc["subject"], reason=doc["reason"])
        bad = {doc["_id"] for doc in dead}
        if bad:
            places = [dead_letters.letter_id(self.name, entry.record) in bad for entry in entries]
            # Looked at message by message, as they came: a batch is larger than the window.
            for place in places:
                self._recent.append(place)
                self._worst = max(self._worst, sum(self._recent) if place else 0)
        else:
            self._recent.extend([False] * min(len(entries), _BAD_WINDOW))
        telemetry.CONSUMER_EVENTS.labels(self.name).inc(len(entries) - len(letters) - applied.duplicates)
        telemetry.CONSUMER_DUPLICATES.labels(self.name).inc(applied.duplicates)
        telemetry.EVENTS_GAP.labels(self.name).inc(applied.gaps)
        if applied.gaps:
            log.error("events_gap", consumer=self.name, gaps=applied.gaps)

    def _measure_lag(self) -> None:
        for partition, expected in self.expected.items():
            try:
                end = self._kafka.highwater(partition)
            except (AssertionError, IllegalStateError):
                continue  # revoked meanwhile
            if end is not None:
                telemetry.CONSUMER_LAG.labels(self.name, partition.topic, str(partition.partition)).set(max(0, end - expected))

    async def _redrive(self) -> None:
        """Do what an operator asked for: the letters of one subject, in order, each with its effect in one transaction."""
        owned = [(partition.topic, partition.partition) for partition in self.expected]
        letters = await dead_letters.requested(self._mongo, self.name, owned)
        for index, doc in enumerate(letters):
            failure = await self._redrive_one(doc)
            if failure is not None:
                await dead_letters.redrive_failed(self._mongo, letters[index:], *failure)
                break
        if letters:
            self._blocked, self._letters = await dead_letters.open_subjects(self._mongo, self.name)
            await dead_letters.measure(self._mongo, self.name)

    async def _redrive_one(self, doc: Document) -> tuple[str, str] | None:
        partition = TopicPartition(doc["topic"], doc["partition"])
        expected = self.expected.get(partition)
        if expected is None:
            return "not_owned", "the partition moved to another consumer"

        async def also(tx: Tx) -> None:
            await dead_letters.remove(self._mongo, doc["_id"], tx)
            await positions.move(self._mongo, self.name, {partition: (expected, expected)}, tx)

        try:
            event = from_message([(name, bytes(raw)) for name, raw in doc["headers"]], bytes(doc["value"]), self._effect.types)
            applied = await self._effect.commit([event], also, careful=True)
        except BadEvent as bad:
            return bad.reason, str(bad)
        except Poison as poison:
            return poison.reason, str(poison)
        except (WriteRace, CommitUnknown, PyMongoError) as error:
            return "unavailable", type(error).__name__
        except Exception as error:
            log.exception("redrive_failed", consumer=self.name, letter=doc["_id"])
            return "unknown_error", f"{type(error).__name__}: {error}"
        telemetry.CONSUMER_EVENTS.labels(self.name).inc(1 - applied.duplicates)
        log.info("redriven", consumer=self.name, letter=doc["_id"])
        return None


class _Resynchronised(Exception):
    """The batch in hand is void: its partitions were sought to their stored positions."""
