"""ingest: events a second through metrics' consumer, against pymongo's `insert_many` of the documents that it stores.

The peer has them in memory and makes one call for each collection: ledger and facts. A second line counts the ledger alone.

Ours: Kafka, decode, dedupe, ledger, rollups, stage facts and positions in one transaction a batch. Aim: ratio >= 0.35.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from pymongo import MongoClient

from bench import events
from bench.result import Result, compared
from chassis.publishing import kafka
from chassis.publishing.kafka import PARTITIONS
from chassis.settings import Settings
from contracts import registration
from deploy.local.stack import Stack
from tests.harness.platform import Platform

PEOPLE, ROUNDS = 60_000, 3


def measure(stack: Stack, directory: Path) -> list[Result]:
    """Pairs in turn, each on fresh topics and databases; then two and four consumers beside one."""
    stored, ledger = [], []
    for _ in range(ROUNDS):
        with Platform(stack, directory) as platform:
            asyncio.run(_publish(platform.settings()))
            ours = _consume(stack, platform)
        stored.append((ours, _insert_many(stack, platform, ("ledger", "facts"))))
        ledger.append((ours, _insert_many(stack, platform, ("ledger",))))
    return [
        compared("ingest", "events/s", stored, "pymongo insert_many of the same documents", ">= 0.35"),
        compared("ingest, against the ledger's rows alone", "events/s", ledger, "pymongo insert_many of the ledger's rows", "-"),
        *(_beside(stack, directory, consumers) for consumers in (2, 4)),
    ]


def _beside(stack: Stack, directory: Path, consumers: int) -> Result:
    pairs = []
    for _ in range(2):
        rates = []
        for number in (consumers, 1):
            with Platform(stack, directory) as platform:
                asyncio.run(_publish(platform.settings()))
                rates.append(_consume(stack, platform, number))
        pairs.append((rates[0], rates[1]))
    return compared(f"ingest, {consumers} consumers", "events/s", pairs, "one consumer", ">= 1.0")


def _consume(stack: Stack, platform: Platform, consumers: int = 1) -> float:
    """Real consumer processes; events a second between their first and their last transaction."""
    client: MongoClient[dict[str, int]] = MongoClient(stack.environment()["JAKPRENEUR_MONGODB_URL"])
    positions = client[f"{platform.prefix}_metrics"]["positions"]
    for _ in range(consumers):
        platform.start("metrics", "consumer")
    try:
        begun: tuple[float, int] | None = None
        deadline = time.perf_counter() + 120
        while time.perf_counter() < deadline:
            done = sum(doc["next_offset"] for doc in positions.find({"topic": {"$regex": "registration"}}))
            now = time.perf_counter()
            if done and begun is None:
                begun = (now, done)
            if begun is not None and done >= 2 * PEOPLE:
                return (done - begun[1]) / (now - begun[0])
            time.sleep(0.02)
        raise TimeoutError("the consumer didn't reach the end")
    finally:
        client.close()


async def _publish(settings: Settings) -> None:
    await kafka.ensure_topics(settings, [registration.TOPIC])
    topic = settings.kafka_topic_prefix + registration.TOPIC
    producer = kafka.producer(settings, "bench")
    await producer.start()
    try:
        batches = {partition: producer.create_batch() for partition in range(PARTITIONS)}
        sent = []
        for pair in events.people(PEOPLE):
            for event in pair:
                message = events.message(event)
                partition = zlib.crc32(event.subject.encode()) % PARTITIONS
                if batches[partition].append(timestamp=None, **message) is None:
                    sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
                    batches[partition] = producer.create_batch()
                    batches[partition].append(timestamp=None, **message)
        sent += [await producer.send_batch(batch, topic, partition=partition) for partition, batch in batches.items()]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def _insert_many(stack: Stack, platform: Platform, collections: Sequence[str]) -> float:
    client: MongoClient[dict[str, object]] = MongoClient(
        stack.environment()["JAKPRENEUR_MONGODB_URL"], w="majority", journal=True
    )
    try:
        ours, peer = client[f"{platform.prefix}_metrics"], f"peer_{platform.prefix}"
        documents = {name: list(ours[name].find({})) for name in collections}
        client.drop_database(peer)
        started = time.perf_counter()
        for name, found in documents.items():
            client[peer][name].insert_many(found, ordered=False)
        return 2 * PEOPLE / (time.perf_counter() - started)
    finally:
        client.close()
