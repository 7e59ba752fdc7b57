"""The outbox: the events of each commit, saved in its transaction, until Kafka has acknowledged them.

One document for each commit: `{_id: <stamp>, events: [...]}`. The stamp begins with the server's logical time, read after the
transaction's first write. MongoDB's cluster time is a hybrid logical clock: whoever could replace what another commit wrote has
heard a time later than that commit's stamp. So of two commits on one subject the later has the higher `_id`, whatever the
clocks of processes say and whichever server is the primary. Next: chassis/publishing/relay.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from chassis.database.mongo import LogicalTime, Mongo, Tx
from chassis.documents import Document
from chassis.writing.staging import StagedEvent

OUTBOX = "outbox"
_DOCUMENT_BYTES = 4_000_000  # far below a document's 16 MB


class SavedEvent(TypedDict):
    """One event of a commit."""

    topic: str
    type: str
    subject: str
    sequence: int
    time: datetime
    value: bytes  # JSON
    traceparent: NotRequired[str]


class OutboxDocument(TypedDict):
    """The events of one commit, in the order decided."""

    _id: str
    events: list[SavedEvent]


def saved(event: StagedEvent, traceparent: str | None) -> SavedEvent:
    """An event as it waits in the outbox."""
    found: SavedEvent = {
        "topic": event.data.TOPIC,
        "type": event.data.TYPE,
        "subject": event.subject,
        "sequence": event.sequence,
        "time": event.time,
        "value": event.data.model_dump_json(exclude_none=True).encode(),
    }
    if traceparent is not None:
        found["traceparent"] = traceparent
    return found


def stamp_of(time: LogicalTime) -> str:
    """The sortable beginning of an `_id`: seconds and increment of the server's logical time."""
    return f"{time[0]:010d}.{time[1]:010d}"


def documents_of(events: Sequence[SavedEvent], time: LogicalTime) -> list[Document]:
    """The documents of one commit: one, or several in order where one would grow too large."""
    prefix = f"{stamp_of(time)}.{secrets.token_hex(6)}"
    found: list[Document] = []
    part: list[SavedEvent] = []
    size = 0
    for event in events:
        length = len(event["value"]) + 300
        if part and size + length > _DOCUMENT_BYTES:
            found.append({"_id": f"{prefix}.{len(found):03d}", "events": part})
            part, size = [], 0
        part.append(event)
        size += length
    found.append({"_id": f"{prefix}.{len(found):03d}", "events": part})
    return found


async def page(mongo: Mongo, after: str, limit: int, snapshot: Tx) -> list[OutboxDocument]:
    """The next documents in `_id` order, at the sweep's snapshot.

    One snapshot for all pages of a sweep: whatever precedes a commit on its subjects is in that snapshot too, and sorts before
    it. With a new snapshot for each page a late commit would be passed over while its successor is sent.
    """
    found: list[OutboxDocument] = (
        await mongo[OUTBOX].find({"_id": {"$gt": after}}, session=snapshot).sort("_id", 1).limit(limit).to_list(None)
    )
    return found


async def delete(mongo: Mongo, ids: Iterable[str]) -> None:
    """Forget documents of which every event is acknowledged. By id, never by range: others may be committed in between."""
    await mongo[OUTBOX].delete_many({"_id": {"$in": list(ids)}})


async def pending(mongo: Mongo, after: str = "", limit: int = 10_000) -> tuple[int, datetime | None]:
    """How many documents wait behind `after` (counted up to `limit`), and the time of the oldest event.

    Both are read, not estimated: the collection's metadata drifts after a crash of mongod and would hide a stuck outbox.
    """
    query: dict[str, Any] = {"_id": {"$gt": after}}
    oldest = await mongo[OUTBOX].find_one(query, sort=[("_id", 1)], projection={"events": {"$slice": 1}})
    if oldest is None:
        return 0, None
    count: int = await mongo[OUTBOX].count_documents(query, limit=limit)
    return count, oldest["events"][0]["time"]
