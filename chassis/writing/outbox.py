"""The outbox: events saved in the transaction of the change that they tell of, until Kafka has acknowledged them.

`_id` = `<subject>:<sequence, zero-padded>`, so that a page sorted by `_id` is a prefix of what each subject has pending.
Next: chassis/publishing/relay.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.writing.staging import StagedEvent

OUTBOX = "outbox"


def row_of(event: StagedEvent, traceparent: str | None) -> Document:
    """The outbox row of one event."""
    return {
        "_id": f"{event.subject}:{event.sequence:012d}",
        "topic": event.data.TOPIC,
        "type": event.data.TYPE,
        "subject": event.subject,
        "sequence": event.sequence,
        "time": event.time,
        "value": event.data.model_dump_json(exclude_none=True).encode(),
        "traceparent": traceparent,
    }


async def page(mongo: Mongo, after: str | None, limit: int) -> list[Document]:
    """The next rows in `_id` order.

    Read at one snapshot: a plain find may let go of its snapshot half-way and then show event 6 of a subject, committed
    meanwhile, when it had already passed the place of event 5.
    """
    query: dict[str, Any] = {} if after is None else {"_id": {"$gt": after}}
    async with mongo.snapshot() as tx:
        rows: list[Document] = await mongo[OUTBOX].find(query, session=tx).sort("_id", 1).limit(limit).to_list(None)
    return rows


async def delete(mongo: Mongo, ids: Iterable[str], tx: Tx) -> None:
    """Forget acknowledged rows. By id, never by range: rows may have been committed in between."""
    await mongo[OUTBOX].delete_many({"_id": {"$in": list(ids)}}, session=tx)


async def pending(mongo: Mongo) -> tuple[int, Any]:
    """How many rows wait, and the time of the oldest event (None when empty).

    Oldest in natural order, which is the order of insertion: near enough for an age, and free where an index would cost
    every write.
    """
    count = await mongo[OUTBOX].estimated_document_count()
    oldest = await mongo[OUTBOX].find_one({}, sort=[("$natural", 1)], projection={"time": 1}) if count else None
    return count, oldest["time"] if oldest else None
