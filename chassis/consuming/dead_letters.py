"""Dead letters: messages that can't be handled, kept with their bytes and the reason, and those parked behind them.

A letter is `dead` (it can't be handled), `waiting` (the event before it was never seen; tried again by itself) or `parked`
(behind another letter of its subject, so that order holds). Redrive is asked for here (by an operator) and done by the consumer
that owns the partition, in order, so that it can't race with new letters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import ConsumerRecord

from chassis import clock, telemetry
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document

DEAD_LETTERS = "dead_letters"
Blocked = Mapping[tuple[str, str], int]  # (topic, subject) -> the sequence from which on its events wait behind a letter
STATES = ("dead", "waiting", "parked")
_RETRY_SECONDS = 5.0  # of a waiting letter
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
    """The document for one message."""
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
        "waits_from": 0,  # events of its subject from this sequence on wait behind it
    }


def event_id(doc: Document) -> str | None:
    """The id of the letter's event, for logs; None if the message hasn't one that can be read."""
    found = dict(doc["headers"]).get("ce_id")
    return bytes(found)[:200].decode(errors="replace") if found else None


async def save(mongo: Mongo, letters: list[Document], tx: Tx) -> None:
    """Insert letters in the transaction that moves the position past them."""
    if letters:
        await mongo[DEAD_LETTERS].insert_many(letters, session=tx)


async def open_subjects(mongo: Mongo, consumer: str) -> tuple[dict[tuple[str, str], int], int]:
    """The subjects whose events wait, and the number of letters in all (one may have no subject)."""
    subject = {"topic": "$topic", "subject": "$subject"}
    # A parked letter waits behind another one, which says from where on.
    waits_from = {"$min": {"$cond": [{"$eq": ["$state", "parked"]}, None, "$waits_from"]}}
    group = {"$group": {"_id": subject, "n": {"$sum": 1}, "waits_from": waits_from}}
    found = await mongo.aggregate(DEAD_LETTERS, [{"$match": {"consumer": consumer}}, group])
    subjects = {
        (doc["_id"]["topic"], doc["_id"]["subject"]): doc["waits_from"] or 0 for doc in found if doc["_id"]["subject"] is not None
    }
    return subjects, sum(doc["n"] for doc in found)


async def requested(mongo: Mongo, consumer: str, partitions: Iterable[tuple[str, int]]) -> list[Document]:
    """The letters to redrive next: all of one subject (or one letter without a subject), in order."""
    owned = [{"topic": topic, "partition": partition} for topic, partition in partitions]
    if not owned:
        return []
    asked = [{"redrive": True}, {"state": "waiting", "at": {"$lt": clock.now() - timedelta(seconds=_RETRY_SECONDS)}}]
    query: dict[str, Any] = {"consumer": consumer, "$and": [{"$or": asked}, {"$or": owned}]}
    first = await mongo[DEAD_LETTERS].find_one(query, sort=[("redrive", -1), ("offset", 1)])
    if first is None:
        return []
    if first["subject"] is None:
        return [first]
    query = {"consumer": consumer, "topic": first["topic"], "subject": first["subject"], "partition": first["partition"]}
    letters: list[Document] = await mongo[DEAD_LETTERS].find(query).sort("offset", 1).to_list(None)
    return letters


async def request_redrive(
    mongo: Mongo, consumer: str | None = None, subject: str | None = None, *, accept_gaps: bool = False
) -> int:
    """Ask for a redrive of everything, of one consumer's letters or of one subject's; returns how many letters it names.

    `accept_gaps`: also of events whose predecessor is missing, since it won't come any more.
    """
    query = {name: value for name, value in (("consumer", consumer), ("subject", subject)) if value is not None}
    updated = await mongo[DEAD_LETTERS].update_many(query, {"$set": {"redrive": True, "accept_gap": accept_gaps}})
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


async def try_again_later(mongo: Mongo, letter_id: str) -> None:
    """The predecessor of a waiting letter is still missing."""
    await mongo[DEAD_LETTERS].update_one({"_id": letter_id}, {"$set": {"at": clock.now(), "redrive": False}})


async def predecessor_came(mongo: Mongo, consumer: str, topic: str, subject: str) -> None:
    """Try the subject's waiting letters as soon as their partition's owner looks."""
    query = {"consumer": consumer, "topic": topic, "subject": subject, "state": "waiting"}
    await mongo[DEAD_LETTERS].update_many(query, {"$set": {"redrive": True}})


async def measure(mongo: Mongo, consumer: str) -> dict[str, int]:
    """Set the gauges of open letters, and return them by state."""
    counts = {state: await mongo[DEAD_LETTERS].count_documents({"consumer": consumer, "state": state}) for state in STATES}
    for state, count in counts.items():
        telemetry.DEAD_LETTERS.labels(consumer, state).set(count)
    return counts


async def ensure_indexes(mongo: Mongo) -> None:
    """Index for redrive and parking."""
    keys: list[tuple[str, Any]] = [("consumer", 1), ("topic", 1), ("subject", 1), ("offset", 1)]
    await mongo[DEAD_LETTERS].create_index(keys)
