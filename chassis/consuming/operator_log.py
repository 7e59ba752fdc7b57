"""What operators did with letters and positions: appended in the transaction of the act, and never changed.

Discarded letters are looked up here: the events behind one must not wait for it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chassis import clock
from chassis.consuming.effect import gap_key
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from contracts.envelope import Event

OPERATOR_LOG = "operator_log"


async def append(mongo: Mongo, tx: Tx, *, by: str, act: str, outcome: str, reason: str, about: Document) -> None:
    """One entry. `by` is the operator's caller id or `cli:<account>`, `about` names what was touched, never a message's bytes."""
    entry = {"_id": clock.new_id("act"), "at": clock.now(), "by": by, "act": act, "outcome": outcome, "reason": reason}
    await mongo[OPERATOR_LOG].insert_one(entry | about, session=tx)


async def latest(mongo: Mongo, limit: int) -> list[Document]:
    """The newest entries first."""
    found: list[Document] = await mongo[OPERATOR_LOG].find({}).sort("at", -1).limit(limit).to_list(None)
    return found


async def outcomes(mongo: Mongo, letter_ids: Sequence[str]) -> dict[str, str]:
    """The last outcome of each of these letters that an operator has ended."""
    query = {"letter_id": {"$in": list(letter_ids)}}
    return {entry["letter_id"]: entry["outcome"] async for entry in mongo[OPERATOR_LOG].find(query).sort("at", 1)}


async def behind_discarded(mongo: Mongo, consumer: str, events: Iterable[Event]) -> frozenset[str]:
    """Which of these events follow one that was discarded, as `gap_key`s: nothing will come before them any more."""
    found = set[str]()
    for event in events:
        place = {"consumer": consumer, "source": event.source, "subject": event.subject, "sequence": event.sequence - 1}
        if await mongo[OPERATOR_LOG].find_one({**place, "outcome": "discarded"}, projection=["_id"]) is not None:
            found.add(gap_key(event))
    return frozenset(found)


async def ensure_indexes(mongo: Mongo) -> None:
    """By letter, and by the place of an event."""
    place: list[tuple[str, Any]] = [("consumer", 1), ("subject", 1), ("sequence", 1)]
    await mongo[OPERATOR_LOG].create_index(place)
    await mongo[OPERATOR_LOG].create_index("letter_id")
    await mongo[OPERATOR_LOG].create_index("at")
