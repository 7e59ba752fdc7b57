"""What is left after a run, as plain data: the clients' ledger, every service's database, every topic from its beginning.

checker.py works on this alone, so that it can be tested without a server.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from pymongo import MongoClient

from chassis.privacy import vault as privacy
from chassis.publishing import kafka
from chassis.settings import Settings
from contracts.catalogue import TOPICS
from services.metrics.ledger.rollup_ids import measure_and_dimension, month_of, value_of
from services.metrics.ledger.rules import DAILY
from tests.faults.ledger import Act

SERVICES = ("registration", "training", "metrics")
DAYS = DAILY  # dimensions in which metrics keeps days beside months
ALL_TOPICS = tuple(topic for topics in TOPICS.values() for topic in topics)
Place = tuple[str, int]  # topic without prefix, partition
_READ_SECONDS = 300.0

# Collections and the fields that the checker needs: a person's ciphertexts stay where they are.
_FIELDS: dict[str, dict[str, Sequence[str]]] = {
    "registration": {"jakpreneurs": ("status", "registered_on"), "identities": ("jakpreneur_id",)},
    "training": {
        "jakpreneurs": ("status", "last", "kelurahan", "kecamatan", "kota", "category", "gender", "commodity", "dinas"),
        "trainings": ("status", "quota", "confirmed", "offered", "waiting"),
        "enrolments": ("status", "training_id", "jakpreneur_id"),
        "waiting": ("enrolments",),
        "schedules": ("trainings",),
    },
    "metrics": {
        "ledger": ("type",),
        "facts": ("stage", "day", "kota", "kecamatan", "commodity", "category", "gender", "dinas"),
        "pending": ("measure",),
    },
}
_NO_SUBJECTS = frozenset({"outbox", "dead_letters", "ledger", "pending"})  # their `sequence` is an event's, not a document's


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a topic. `headers` decoded; those that aren't text are left out."""

    topic: str
    partition: int
    offset: int
    headers: dict[str, str]
    value: bytes

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it lies."""
        return self.topic, self.partition, self.offset


@dataclass(frozen=True, slots=True)
class Planted:
    """A bad message that we put on a topic, and what each consumer that reads it must make of it."""

    topic: str
    partition: int
    offset: int
    state: str
    reason: str

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it lies."""
        return self.topic, self.partition, self.offset


@dataclass
class ServiceState:
    """One service's database."""

    documents: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)  # collection -> _id -> document
    sequences: dict[str, int] = field(default_factory=dict)  # subject -> sequence of its document
    outbox: list[str] = field(default_factory=list)
    positions: dict[tuple[str, str, int], int] = field(default_factory=dict)  # consumer, topic, partition -> next offset
    letters: dict[tuple[str, str, int, int], tuple[str, str]] = field(default_factory=dict)  # … offset -> state, reason
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)  # idempotency key -> stored reply
    figures: dict[str, int] = field(default_factory=dict)  # metrics' cells that aren't 0, see `cell`


def cell(measure: str, dimension: str, value: str, period: str = "") -> str:
    """The name of one figure: `P1|kota|31.71` is a total, `P1|kota|31.71|2021-02` a month, `…|2021-02-05` a day."""
    return f"{measure}|{dimension}|{value}" + (f"|{period}" if period else "")


@dataclass
class Collected:
    """Everything that the check looks at. Topic names are without the run's prefix."""

    acts: list[Act] = field(default_factory=list)
    services: dict[str, ServiceState] = field(default_factory=dict)
    log: list[Message] = field(default_factory=list)  # each partition in order
    ends: dict[Place, int] = field(default_factory=dict)
    subscriptions: dict[str, tuple[str, Sequence[str]]] = field(default_factory=dict)  # consumer -> service, topics
    planted: list[Planted] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)  # NIK of an act -> the person whom its identity names
    reconciliation: dict[str, Any] | None = None


# Who reads what. A consumer that joins the platform and isn't here is an error of the check itself: its positions are unknown.
SUBSCRIPTIONS: dict[str, tuple[str, Sequence[str]]] = {
    "metrics-ledger": ("metrics", ALL_TOPICS),
    "people": ("training", TOPICS["registration"]),
}


async def collect(
    settings: Settings,
    acts: list[Act],
    *,
    planted: Iterable[Planted] = (),
    caller: str,
    reconciliation: dict[str, Any] | None = None,
    services: Sequence[str] = SERVICES,
) -> Collected:
    """Read it all. `caller` is the id under which the clients' idempotency keys are stored."""
    records = _records(settings, caller, [act.key for act in acts])
    states = {name: await asyncio.to_thread(_service, settings, name, records) for name in services}
    log, ends = await read_topics(settings, ALL_TOPICS)
    vault = privacy.vault(settings)
    identities = states["registration"].documents["identities"]
    by_index = {vault.blind_index("nik", act.what["nik"]): act.what["nik"] for act in acts if act.kind == "register"}
    people = {nik: identities[index]["jakpreneur_id"] for index, nik in by_index.items() if index in identities}
    subscriptions = {name: found for name, found in SUBSCRIPTIONS.items() if found[0] in services}
    return Collected(acts, states, log, ends, subscriptions, list(planted), people, reconciliation)


def _records(settings: Settings, caller: str, keys: Iterable[str]) -> dict[str, str]:
    """The idempotency records of these keys: as the APIs store them, by a keyed hash, and as use cases are called without one."""
    pepper = base64.b64decode(settings.idempotency_pepper.get_secret_value())
    found: dict[str, str] = {}
    for key in keys:
        found[hmac.digest(pepper, json.dumps([caller, key]).encode(), "sha256").hex()] = key
        found[f"{caller}:{key}"] = key
    return found


def _service(settings: Settings, name: str, records: dict[str, str]) -> ServiceState:
    prefix = settings.kafka_topic_prefix
    with MongoClient[dict[str, Any]](settings.mongodb_url.get_secret_value(), tz_aware=True) as client:
        database = client[f"{settings.mongodb_database_prefix}_{name}"]
        state = ServiceState()
        for collection, fields in _FIELDS[name].items():
            state.documents[collection] = {doc["_id"]: doc for doc in database[collection].find({}, projection=list(fields))}
        for collection in set(database.list_collection_names()) - _NO_SUBJECTS:
            found = database[collection].find({"sequence": {"$exists": True}}, projection=["sequence"])
            state.sequences |= {doc["_id"]: doc["sequence"] for doc in found}
        state.outbox = [doc["_id"] for doc in database["outbox"].find({}, projection=["_id"])]
        for doc in database["positions"].find({}):
            state.positions[doc["consumer"], doc["topic"].removeprefix(prefix), doc["partition"]] = doc["next_offset"]
        for doc in database["dead_letters"].find({}):
            place = (doc["consumer"], doc["topic"].removeprefix(prefix), doc["partition"], doc["offset"])
            state.letters[place] = (doc["state"], doc["reason"])
        if name == "metrics":
            figures = Counter[str]()  # of all slots together
            for name, count in _figures(database["totals"].find({}), database["rollups"].find({})):
                figures[name] += count
            state.figures = {name: count for name, count in figures.items() if count}
        for doc in database["idempotency"].find({}, projection=["reply"]):
            if doc["_id"] in records:
                state.replies[records[doc["_id"]]] = doc["reply"]
    return state


def _figures(totals: Iterable[dict[str, Any]], rollups: Iterable[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Metrics' documents as single cells: the one place here that knows how it stores them."""
    for doc in totals:
        measure, dimension = measure_and_dimension(doc["_id"])
        for name, count in doc["n"].items():
            if count:
                yield cell(measure, dimension, value_of(name)), count
    for doc in rollups:
        (measure, dimension), month = measure_and_dimension(doc["_id"]), month_of(doc["_id"])
        for name, count in doc["n"].items():
            if count:
                yield cell(measure, dimension, value_of(name), month), count
        for name, days in doc.get("d", {}).items():
            for day, count in days.items():
                if count:
                    yield cell(measure, dimension, value_of(name), f"{month}-{day}"), count


async def read_topics(settings: Settings, topics: Sequence[str]) -> tuple[list[Message], dict[Place, int]]:
    """Every message of the topics, each partition in order, and where each partition ends."""
    prefix = settings.kafka_topic_prefix
    log: list[Message] = []
    async with asyncio.timeout(_READ_SECONDS), _reader(settings, topics) as (reader, partitions):
        ends = await reader.end_offsets(partitions)
        waiting = {partition for partition, end in ends.items() if end > 0}
        while waiting:
            for partition, records in (await reader.getmany(timeout_ms=500)).items():
                log += [_message(record, prefix) for record in records]
                if records and records[-1].offset + 1 >= ends[partition]:
                    waiting.discard(partition)
    return log, {(partition.topic.removeprefix(prefix), partition.partition): end for partition, end in ends.items()}


async def end_offsets(settings: Settings) -> dict[Place, int]:
    """Where the partitions of all the platform's topics end now."""
    prefix = settings.kafka_topic_prefix
    async with _reader(settings, ALL_TOPICS) as (reader, partitions):
        ends = await reader.end_offsets(partitions)
    return {(partition.topic.removeprefix(prefix), partition.partition): end for partition, end in ends.items()}


@asynccontextmanager
async def _reader(settings: Settings, topics: Sequence[str]) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """A consumer without a group that stands at the beginning of every partition of the topics."""
    prefix = settings.kafka_topic_prefix
    reader = AIOKafkaConsumer(
        **kafka.connection(settings), enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=5000
    )
    await reader.start()
    try:
        await reader._client.force_metadata_update()
        metadata = await reader._client.fetch_all_metadata()
        numbers = {topic: sorted(metadata.partitions_for_topic(prefix + topic) or ()) for topic in topics}
        partitions = [TopicPartition(prefix + topic, number) for topic, found in numbers.items() for number in found]
        reader.assign(partitions)
        yield reader, partitions
    finally:
        await reader.stop()


def _message(record: ConsumerRecord, prefix: str) -> Message:
    headers: dict[str, str] = {}
    for name, raw in record.headers:
        try:
            headers[name] = raw.decode()
        except UnicodeDecodeError:
            continue
    return Message(record.topic.removeprefix(prefix), record.partition, record.offset, headers, record.value or b"")
