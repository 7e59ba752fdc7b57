"""How many partitions a topic has, as a stored fact: an event's partition is its subject's hash modulo this number.

Were it read from Kafka, somebody who adds partitions would move every subject at that moment, on each replica at another one.
`grow` is the only way that changes it.
"""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import for_code

from chassis.database.mongo import Mongo, ReturnDocument
from chassis.publishing import kafka
from chassis.settings import Settings

TOPICS = "topics"


async def partition_count(mongo: Mongo, topic: str) -> int:
    """The stored number; the first that asks stores the number that topics are created with."""
    found = await mongo[TOPICS].find_one_and_update(
        {"_id": topic}, {"$setOnInsert": {"partitions": kafka.PARTITIONS}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return int(found["partitions"])


async def grow(mongo: Mongo, settings: Settings, topic: str, partitions: int) -> None:
    """Give a topic more partitions while everything runs. Raises ValueError for fewer than it has, KafkaError when Kafka refuses.

    Kafka's partitions first, then the stored number, from which on subjects move: a relay notices within a minute. Events of a
    subject in its new partition wait in each consumer until those in the old one were applied (consuming/open_letters.py).
    """
    known = await partition_count(mongo, topic)
    if partitions < known:
        raise ValueError(f"{topic} has {known} partitions: a topic can't shrink")
    name = settings.kafka_topic_prefix + topic
    admin = AIOKafkaAdminClient(**kafka.connection(settings), client_id="grow-topic")
    await asyncio.wait_for(admin.start(), 20)
    try:
        [described] = await admin.describe_topics([name])
        if len(described["partitions"]) < partitions:
            reply = await admin.create_partitions({name: NewPartitions(partitions)})
            for _, code, *_ in reply.topic_errors:
                if code:
                    raise for_code(code)(name)
    finally:
        await admin.close()
    await mongo[TOPICS].update_one({"_id": topic, "partitions": known}, {"$set": {"partitions": partitions}})
