"""Dead letters: messages that can't be handled, kept with their bytes and the reason, and those parked behind them.

A letter is `dead` (it can't be handled), `waiting` (the event before it was never seen; tried again by itself) or `parked`
(behind another letter of its subject, so that order holds). An operator asks for a redrive, or to discard it
(letter_requests.py); the consumer that owns the partition does so (redrive.py), in order: it can't race with new letters.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aiokafka import ConsumerRecord

from chassis import clock, telemetry
from chassis.consuming import operator_log
from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from contracts.envelope import GENERATION

DEAD_LETTERS = "dead_letters"
Blocked = Mapping[tuple[str, str], int]  # (topic, subject) -> the sequence from which on its events wait behind a letter
STATES = ("dead", "waiting", "parked")
REDRIVE, DISCARD = "redrive", "discard"  # what an operator may ask for
_DIGITS = 19  # of a sequence that fits into 64 bits
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
    """One letter for a message and consumer, however often it is seen: it has the same id each time."""
    place = f"{consumer}:{record.topic}:{record.partition}:{record.offset}"
    return f"ltr_{hashlib.sha256(place.encode()).hexdigest()[:24]}"


def letter(consumer: str, record: ConsumerRecord, subject: str | None, state: str, reason: str, detail: str) -> Document:
    """The document for one message."""
    value = record.value or b""
    headers = [[name, raw] for name, raw in record.headers]
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
        "headers": headers,
        "at": clock.now(),
        "redrive": False,  # due: to be tried, or discarded if an operator `asked` for that
        "waits_from": _place(headers)["sequence"] or 0,  # events of its subject from this sequence on wait behind it
    }


def event_id(doc: Document) -> str | None:
    """The id of the letter's event, for logs; None if the message hasn't one that can be read."""
    found = dict(doc["headers"]).get("ce_id")
    return bytes(found)[:200].decode(errors="replace") if found else None


async def save(mongo: Mongo, letters: list[Document], tx: Tx) -> None:
    """Insert letters in the transaction that moves the position past them.

    After a position was moved back, messages come again: those that are letters still, or were discarded, don't become new ones.
    """
    if not letters:
        return
    ids = [doc["_id"] for doc in letters]
    known = {doc["_id"] for doc in await mongo.find_by_ids(DEAD_LETTERS, ids, tx)}
    known |= {identity for identity, outcome in (await operator_log.outcomes(mongo, ids)).items() if outcome == "discarded"}
    if new := [doc for doc in letters if doc["_id"] not in known]:
        await mongo[DEAD_LETTERS].insert_many(new, session=tx)


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


async def due(mongo: Mongo, consumer: str, partitions: Iterable[tuple[str, int]]) -> list[Document]:
    """The letters to look at next: one to discard, or all of one subject (or one without a subject), in order."""
    owned = [{"topic": topic, "partition": partition} for topic, partition in partitions]
    if not owned:
        return []
    asked = [{"redrive": True}, {"state": "waiting", "at": {"$lt": clock.now() - timedelta(seconds=_RETRY_SECONDS)}}]
    query: dict[str, Any] = {"consumer": consumer, "$and": [{"$or": asked}, {"$or": owned}]}
    first = await mongo[DEAD_LETTERS].find_one({**query, "asked.act": DISCARD}) or await mongo[DEAD_LETTERS].find_one(
        query, sort=[("redrive", -1), ("offset", 1)]
    )
    if first is None:
        return []
    if first["subject"] is None or act_of(first) == DISCARD:
        return [first]
    letters: list[Document] = await mongo[DEAD_LETTERS].find(_of_subject(first)).sort("offset", 1).to_list(None)
    return letters


def act_of(doc: Document) -> str | None:
    """What an operator has asked for: redrive or discard."""
    asked = doc.get("asked")
    return asked["act"] if asked else None


def _of_subject(doc: Document) -> Document:
    return {name: doc[name] for name in ("consumer", "topic", "subject", "partition")}


async def remove(mongo: Mongo, letter_id: str, tx: Tx) -> None:
    """Forget a letter whose effect is in the same transaction; raises WriteRace if somebody else has ended it."""
    removed = await mongo[DEAD_LETTERS].delete_one({"_id": letter_id}, session=tx)
    if removed.deleted_count == 0:
        raise WriteRace("version")


async def release_followers(mongo: Mongo, doc: Document, tx: Tx) -> None:
    """What was parked behind a letter that has gone without an effect is tried as soon as its owner looks.

    Where the letter didn't tell its sequence, nobody can tell whether the next event follows it: the gap is accepted.
    """
    if doc["subject"] is None:
        return
    behind = _of_subject(doc) | {"offset": {"$gt": doc["offset"]}}
    await mongo[DEAD_LETTERS].update_many(behind, {"$set": {"redrive": True}}, session=tx)
    if place_of(doc)["sequence"] is None:
        query = behind | {"state": "parked"}
        following = await mongo[DEAD_LETTERS].find_one(query, sort=[("offset", 1)], projection=["_id"], session=tx)
        if following is not None:
            await mongo[DEAD_LETTERS].update_one({"_id": following["_id"]}, {"$set": {"accept_gap": True}}, session=tx)


def place_of(doc: Document) -> Document:
    """Where the letter's event stands among its publisher's: None for what its headers don't tell."""
    return _place(doc["headers"])


def _place(pairs: Iterable[Sequence[Any]]) -> Document:
    headers = {name: bytes(raw) for name, raw in pairs if raw is not None}
    source = headers.get("ce_source", b"").decode(errors="replace").partition(GENERATION)[0]
    sequence = headers.get("ce_sequence", b"").decode(errors="replace")
    known = sequence.isascii() and sequence.isdecimal() and len(sequence) < _DIGITS
    return {"source": source[:200] or None, "sequence": int(sequence) if known else None}


async def redrive_failed(mongo: Mongo, letters: Sequence[Document], reason: str, detail: str) -> None:
    """The redrive came to a letter that still can't be handled: note why, and wait for the next request.

    What was asked for since the letters were read, and what is to be discarded, stands.
    """
    seen = [None, *(doc["asked"]["id"] for doc in letters if act_of(doc) == REDRIVE)]
    ended = {"_id": {"$in": [doc["_id"] for doc in letters]}, "asked.id": {"$in": seen}}
    await mongo[DEAD_LETTERS].update_many(ended, {"$set": {"redrive": False}, "$unset": {"asked": ""}})
    await mongo[DEAD_LETTERS].update_one(
        {"_id": letters[0]["_id"]}, {"$set": {"state": "dead", "reason": reason, "detail": detail[:500]}}
    )


async def try_again_later(mongo: Mongo, letter_id: str) -> None:
    """The predecessor of a waiting letter is still missing."""
    waits = {"$set": {"at": clock.now(), "redrive": False}, "$unset": {"asked": ""}}
    await mongo[DEAD_LETTERS].update_one({"_id": letter_id, "asked.act": {"$ne": DISCARD}}, waits)


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
    """For redrive and parking, and for operators' lists."""
    keys: list[tuple[str, Any]] = [("consumer", 1), ("topic", 1), ("subject", 1), ("offset", 1)]
    await mongo[DEAD_LETTERS].create_index(keys)
    await mongo[DEAD_LETTERS].create_index([("at", 1), ("_id", 1)])
