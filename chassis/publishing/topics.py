"""How many partitions a topic has, as a stored fact: an event's partition is its subject's hash modulo this number.

Were it read from Kafka, somebody who adds partitions would move every subject at that moment, on each replica at another one.
Growing a topic: docs/runbook.md.
"""

from __future__ import annotations

from chassis.database.mongo import Mongo, ReturnDocument

TOPICS = "topics"
PARTITIONS = 6


async def partition_count(mongo: Mongo, topic: str) -> int:
    """The stored number; the first that asks stores the number that topics are created with."""
    found = await mongo[TOPICS].find_one_and_update(
        {"_id": topic}, {"$setOnInsert": {"partitions": PARTITIONS}}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return int(found["partitions"])
