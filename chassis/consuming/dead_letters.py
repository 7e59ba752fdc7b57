"""Dead letters: messages that can't be handled, kept with their bytes and the reason, and those parked behind them.

Later events of a subject wait behind its dead letter, so that order holds. Redrive is asked for here (by an operator) and
done by the consumer that owns the partition, in order, so that it can't race with new letters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import ConsumerRecord

from chassis import clock, telemetry
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document

DEAD_LETTERS = "dead_letters"
_VALUE_KEPT = 4_000_000  # bytes: twice what our brokers take, and far below a document's 16 MB


class BadWindow:
    """How many of the last messages were bad, at the worst: many at once are a disaster, not bad messages."""

    SIZE, LIMIT = 1000, 50

    def __init__(self) -> None:
        self.worst = 0
        self._recent: deque[bool] = deque(maxlen=self.SIZE)

    def add(self, places: Sequence[bool]) -> None:
        """Whether each of a batch's messages was bad. One by one, as they came: a batch is larger than the window."""
        if not any(places):
            self._recent.extend(places[-self.SIZE :])
            return
        for bad in places:
            self._recent.append(bad)
            self.worst = max(self.worst, sum(self._recent) if bad else 0)


def letter_id(consumer: str, record: ConsumerRecord) -> str:
    """One letter for a message and consumer, however often it is seen."""
    return f"{consumer}:{record.topic}:{record.partition}:{record.offset}"


def letter(consumer: str, record: ConsumerRecord, subject: str | None, state: str, reason: str, detail: str) -> Document:
    """The document for one message. `state` is dead, or parked behind a dead one of the same subject."""
    value = record.value or b""
    return {
        "_id": letter_id(consumer, record),
        "consumer": consumer,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "subject": subject,
        "state": state,
        "reason": reason,
        "detail": detail[:500],
        "key": record.key,
        "value": value[:_VALUE_KEPT],
        "value_bytes": len(value),
        "headers": [[name, raw] for name, raw in record.headers],
        "at": clock.now(),
        "redrive": False,
    }


def event_id(doc: Document) -> str | None:
    """The id of the letter's event, for logs; None if the message hasn't one that can be read."""
    found = dict(doc["headers"]).get("ce_id")
    return bytes(found)[:200].decode(errors="replace") if found else None


async def save(mongo: Mongo, letters: list[Document], tx: Tx) -> None:
    """Insert letters in the transaction that moves the position past them."""
    if letters:
        await mongo[DEAD_LETTERS].insert_many(letters, session=tx)


async def open_subjects(mongo: Mongo, consumer: str) -> tuple[set[tuple[str, str]], int]:
    """The (topic, subject) pairs that must be parked, and the number of letters in all (one may have no subject)."""
    found = await mongo.aggregate(
        DEAD_LETTERS,
        [{"$match": {"consumer": consumer}}, {"$group": {"_id": {"topic": "$topic", "subject": "$subject"}, "n": {"$sum": 1}}}],
    )
    subjects = {(doc["_id"]["topic"], doc["_id"]["subject"]) for doc in found if doc["_id"]["subject"] is not None}
    return subjects, sum(doc["n"] for doc in found)


async def requested(mongo: Mongo, consumer: str, partitions: Iterable[tuple[str, int]]) -> list[Document]:
    """The letters to redrive next: all of one subject (or one letter without a subject), in order."""
    owned = [{"topic": topic, "partition": partition} for topic, partition in partitions]
    if not owned:
        return []
    first = await mongo[DEAD_LETTERS].find_one({"consumer": consumer, "redrive": True, "$or": owned}, sort=[("offset", 1)])
    if first is None:
        return []
    if first["subject"] is None:
        return [first]
    query = {"consumer": consumer, "topic": first["topic"], "subject": first["subject"]}
    letters: list[Document] = await mongo[DEAD_LETTERS].find(query).sort("offset", 1).to_list(None)
    return letters


async def request_redrive(mongo: Mongo, consumer: str | None = None, subject: str | None = None) -> int:
    """Ask for a redrive of everything, of one consumer's letters or of one subject's; returns how many letters it names."""
    query = {name: value for name, value in (("consumer", consumer), ("subject", subject)) if value is not None}
    updated = await mongo[DEAD_LETTERS].update_many(query, {"$set": {"redrive": True}})
    matched: int = updated.matched_count
    return matched


async def remove(mongo: Mongo, letter_id: str, tx: Tx) -> None:
    """Forget a letter whose effect is in the same transaction."""
    await mongo[DEAD_LETTERS].delete_one({"_id": letter_id}, session=tx)


async def redrive_failed(mongo: Mongo, letters: list[Document], reason: str, detail: str) -> None:
    """The redrive came to a letter that still can't be handled: note why and wait for the next request."""
    await mongo[DEAD_LETTERS].update_many({"_id": {"$in": [doc["_id"] for doc in letters]}}, {"$set": {"redrive": False}})
    await mongo[DEAD_LETTERS].update_one(
        {"_id": letters[0]["_id"]}, {"$set": {"state": "dead", "reason": reason, "detail": detail[:500]}}
    )


async def measure(mongo: Mongo, consumer: str) -> None:
    """Set the gauges of open letters."""
    for state in ("dead", "parked"):
        count = await mongo[DEAD_LETTERS].count_documents({"consumer": consumer, "state": state})
        telemetry.DEAD_LETTERS.labels(consumer, state).set(count)


async def ensure_indexes(mongo: Mongo) -> None:
    """Index for redrive and parking."""
    keys: list[tuple[str, Any]] = [("consumer", 1), ("topic", 1), ("subject", 1), ("offset", 1)]
    await mongo[DEAD_LETTERS].create_index(keys)
