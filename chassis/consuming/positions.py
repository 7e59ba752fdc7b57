"""Stored positions: the next offset of every partition, moved in the transaction of the effect by compare-and-set.

So a crash leaves both the effect and the move, or neither; and a consumer that slept through a rebalance (a zombie) fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo, Tx, UpdateOne
from chassis.documents import Document

POSITIONS = "positions"
FENCED = "position_moved"


def _id(consumer: str, partition: TopicPartition) -> str:
    return f"{consumer}:{partition.topic}:{partition.partition}"


async def load(mongo: Mongo, consumer: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """The stored positions of these partitions; one that has never been read is missing."""
    by_id = {_id(consumer, partition): partition for partition in partitions}
    return {by_id[doc["_id"]]: doc["next_offset"] for doc in await mongo.find_by_ids(POSITIONS, by_id)}


async def begin(mongo: Mongo, consumer: str, partition: TopicPartition, offset: int) -> None:
    """Store where a partition that has never been read begins."""
    await mongo[POSITIONS].update_one(
        {"_id": _id(consumer, partition)},
        {
            "$setOnInsert": {
                "consumer": consumer,
                "topic": partition.topic,
                "partition": partition.partition,
                "next_offset": offset,
            }
        },
        upsert=True,
    )


async def move(mongo: Mongo, consumer: str, moves: Mapping[TopicPartition, tuple[int, int]], tx: Tx) -> None:
    """Move each position from what we believe to what comes next; raises WriteRace if somebody else has moved it.

    Called even where nothing moves: the write makes a zombie's transaction conflict with the new owner's.
    """
    requests = [
        UpdateOne(
            {"_id": _id(consumer, partition), "next_offset": expected},
            {"$set": {"next_offset": following}, "$inc": {"commits": 1}},
        )
        for partition, (expected, following) in moves.items()
    ]
    if requests:
        moved = await mongo[POSITIONS].bulk_write(requests, ordered=False, session=tx)
        if moved.matched_count != len(requests):
            raise WriteRace(FENCED)


async def stored(mongo: Mongo) -> list[Document]:
    """All positions of a service, for operators and for the ledger check."""
    found: list[Document] = await mongo[POSITIONS].find({}).to_list(None)
    return found
