"""Looking into the outbox: which events wait, commit by commit."""

from __future__ import annotations

from chassis.database.mongo import Mongo
from chassis.writing.outbox import OUTBOX, SavedEvent


async def waiting_events(mongo: Mongo) -> list[SavedEvent]:
    """Every event in the outbox, in the order of its documents."""
    return [event async for document in mongo[OUTBOX].find().sort("_id", 1) for event in document["events"]]


async def outbox_is_empty(mongo: Mongo) -> bool:
    """Whether nothing waits to be published."""
    count: int = await mongo[OUTBOX].count_documents({})
    return count == 0
