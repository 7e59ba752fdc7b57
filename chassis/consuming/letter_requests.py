"""What an operator sees of dead letters and asks for: the consumer that owns the partition does it. Next: redrive.py.

Whoever asks first is served: a letter that somebody else has asked something else for is refused until that has its outcome.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chassis import clock
from chassis.consuming import operator_log
from chassis.consuming.dead_letters import DEAD_LETTERS, DISCARD, REDRIVE
from chassis.database.mongo import Mongo
from chassis.documents import Document
from chassis.errors import Conflict, not_found

Outcome = Literal["applied", "discarded", "failed", "waiting", "parked", "asked"]
_LOOK_SECONDS = 0.2
_AT_ONCE = 10_000  # letters that one request names
_BINARY_SHOWN = 500  # bytes of a value that is no JSON


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, and why."""

    by: str
    reason: str = ""
    accept_gaps: bool = False  # also apply events whose predecessor is lost for good

    def document(self, act: str) -> Document:
        """As it is kept with the letters."""
        return {"id": clock.new_id("ask"), "act": act, "by": self.by, "reason": self.reason, "at": clock.now()}


async def letters(mongo: Mongo, wanted: Mapping[str, str], after: tuple[datetime, str] | None, limit: int) -> list[Document]:
    """Letters with these values (of consumer, state, subject), oldest first, from behind (at, id); without their bytes."""
    query: dict[str, Any] = dict(wanted)
    if after is not None:
        at, identity = after
        query["$or"] = [{"at": {"$gt": at}}, {"at": at, "_id": {"$gt": identity}}]
    cursor = mongo[DEAD_LETTERS].find(query, projection={"value": 0}).sort([("at", 1), ("_id", 1)]).limit(limit)
    found: list[Document] = await cursor.to_list(None)
    return found


async def letter(mongo: Mongo, letter_id: str) -> Document:
    """One letter; raises NotFound."""
    found: Document | None = await mongo[DEAD_LETTERS].find_one({"_id": letter_id})
    if found is None:
        raise not_found("Surat mati", "The dead letter")
    return found


def decoded(doc: Document) -> tuple[dict[str, str | None], Any]:
    """A letter's headers as text, and its value: JSON if it is any, else how it begins."""
    headers = {name: None if raw is None else bytes(raw).decode(errors="backslashreplace") for name, raw in doc["headers"]}
    value = bytes(doc["value"])
    try:
        return headers, json.loads(value)
    except (ValueError, RecursionError):
        return headers, value[:_BINARY_SHOWN].decode(errors="backslashreplace")


async def count_behind(mongo: Mongo, doc: Document) -> int:
    """How many letters of its subject wait behind a letter."""
    if doc["subject"] is None:
        return 0
    place = {name: doc[name] for name in ("consumer", "topic", "subject", "partition")}
    count: int = await mongo[DEAD_LETTERS].count_documents(place | {"offset": {"$gt": doc["offset"]}})
    return count


async def ask_redrive(
    mongo: Mongo, ask: Ask, *, consumer: str | None = None, subject: str | None = None, letter_id: str | None = None
) -> list[str]:
    """Ask for a redrive of all letters, or of those named; returns their ids. Those asked for already are left as they are."""
    names = (("consumer", consumer), ("subject", subject), ("_id", letter_id))
    query = {name: value for name, value in names if value is not None}
    found = await mongo[DEAD_LETTERS].find(query, projection=["_id"]).sort("at", 1).to_list(_AT_ONCE)
    ids = [doc["_id"] for doc in found]
    changes = {"redrive": True, "accept_gap": ask.accept_gaps, "asked": ask.document(REDRIVE)}
    await mongo[DEAD_LETTERS].update_many({"_id": {"$in": ids}, "asked": None}, {"$set": changes})
    return ids


async def redrive_one(mongo: Mongo, letter_id: str, ask: Ask) -> None:
    """Ask for a redrive of one letter; raises NotFound, and Conflict if somebody has asked for something else."""
    await ask_redrive(mongo, ask, letter_id=letter_id)
    _check_ours(await letter(mongo, letter_id), REDRIVE, ask)


async def discard(mongo: Mongo, letter_id: str, ask: Ask) -> None:
    """Ask for a letter to be discarded; raises NotFound, and Conflict if somebody has asked for something else."""
    changes = {"redrive": True, "asked": ask.document(DISCARD)}
    await mongo[DEAD_LETTERS].update_one({"_id": letter_id, "asked": None}, {"$set": changes})
    _check_ours(await letter(mongo, letter_id), DISCARD, ask)


def _check_ours(doc: Document, act: str, ask: Ask) -> None:
    asked = doc.get("asked")
    if asked is not None and (asked["act"], asked["by"], asked["reason"]) != (act, ask.by, ask.reason):
        who, what = asked["by"], asked["act"]
        raise Conflict(
            "asked_already",
            f"{who} sudah meminta {what} untuk surat ini; tunggu hasilnya.",
            f"{who} has asked for a {what} of this letter; wait for its outcome.",
        )


async def outcomes(mongo: Mongo, letter_ids: Sequence[str]) -> dict[str, tuple[Outcome, str]]:
    """What has become of letters, with the reason of those that still can't be handled."""
    found = await mongo[DEAD_LETTERS].find({"_id": {"$in": list(letter_ids)}}, projection={"value": 0}).to_list(None)
    open_letters = {doc["_id"]: doc for doc in found}
    ended = await operator_log.outcomes(mongo, [letter_id for letter_id in letter_ids if letter_id not in open_letters])
    result: dict[str, tuple[Outcome, str]] = {}
    for letter_id in letter_ids:
        doc = open_letters.get(letter_id)
        if doc is None:
            result[letter_id] = ("discarded" if ended.get(letter_id) == "discarded" else "applied", "")
        elif doc.get("asked") is not None or doc["redrive"]:
            result[letter_id] = ("asked", "")
        else:
            state: Outcome = "failed" if doc["state"] == "dead" else doc["state"]
            result[letter_id] = (state, f"{doc['reason']}: {doc['detail']}".removesuffix(": "))
    return result


async def wait_for_outcomes(mongo: Mongo, letter_ids: Sequence[str], seconds: float) -> dict[str, tuple[Outcome, str]]:
    """The same as soon as each has one; after so many seconds some may still be `asked`: does their consumer run?"""
    until = time.monotonic() + seconds
    while True:
        found = await outcomes(mongo, letter_ids)
        if time.monotonic() > until or all(outcome != "asked" for outcome, _ in found.values()):
            return found
        await asyncio.sleep(_LOOK_SECONDS)
