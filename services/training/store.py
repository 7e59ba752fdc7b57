"""Training's collections, indexes and queries: nothing else in the service knows them.

Enrolment ids begin with their training's id, so that the people of a training are a range of `_id`s and need no index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.database.mongo import Mongo
from chassis.documents import Document
from services.training.documents import API_KEYS, ENROLMENTS, PARTNERS, TRAININGS, WAITING, waiting_page_id
from services.training.enrolments.eligibility import LIVE
from services.training.policy import Actor
from services.training.trainings.rules import PUBLIC

_SEATS_OF: Final = ["published", "closed", "running"]
_SEARCH_MS: Final = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list of trainings; None asks for nothing."""

    status: str | None = None
    stage: str | None = None
    kota: str | None = None
    begins_from: datetime | None = None
    begins_before: datetime | None = None
    ends_from: datetime | None = None
    text: str | None = None
    after: tuple[datetime, str] | None = None
    statuses: Sequence[str] = ()


async def ensure_indexes(mongo: Mongo) -> None:
    """Few on purpose: every index is paid for by every enrolment."""
    trainings = mongo[TRAININGS]
    await trainings.create_index([("starts_at", 1), ("_id", 1)])
    await trainings.create_index([("partner_id", 1), ("starts_at", 1)])
    await trainings.create_index([("status", 1), ("starts_at", 1)])
    await trainings.create_index(
        "settling", name="ending", partialFilterExpression={"settling": {"$in": ["completed", "cancelled"]}}
    )
    await trainings.create_index("starts_at", name="offering", partialFilterExpression={"offered": {"$gt": 0}})
    await mongo[ENROLMENTS].create_index("offer_expires_at", name="offers", partialFilterExpression={"status": "offered"})


class Store:
    """Reads for the API and for the workers."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def partner(self, partner_id: str) -> Document | None:
        """One partner."""
        return await self._one(PARTNERS, partner_id)

    async def training(self, training_id: str) -> Document | None:
        """One training."""
        return await self._one(TRAININGS, training_id)

    async def enrolment(self, enrolment_id: str) -> Document | None:
        """One enrolment."""
        return await self._one(ENROLMENTS, enrolment_id)

    async def _one(self, collection: str, identity: str) -> Document | None:
        found: Document | None = await self._mongo[collection].find_one({"_id": identity})
        return found

    async def api_key(self, kid: str) -> Document | None:
        """An API key with its partner's status as `partner_status`; None for one that never was."""
        key = await self._one(API_KEYS, kid)
        if key is None:
            return None
        partner = await self._one(PARTNERS, key["partner_id"])
        return {**key, "partner_status": partner["status"] if partner else "ended"}

    async def api_keys(self, kids: Sequence[str]) -> list[Document]:
        """Keys by kid."""
        return await self._mongo.find_by_ids(API_KEYS, kids)

    async def trainings(self, wanted: Wanted, actor: Actor, limit: int) -> list[Document]:
        """By start. What isn't published is in the list only for its owner: the filter sits here, from the credential."""
        conditions: list[Mapping[str, Any]] = [_visible_to(actor)]
        conditions += [{name: value} for name in ("status", "stage") if (value := getattr(wanted, name)) is not None]
        if wanted.statuses:
            conditions.append({"status": {"$in": list(wanted.statuses)}})
        if wanted.kota is not None:
            # What isn't named is open to all; kecamatan that are named lie in their kota, by their codes.
            inside = {"$regex": f"^{re.escape(wanted.kota)}\\."}
            conditions.append({"$or": [{"audience.kota": {"$exists": False}}, {"audience.kota": wanted.kota}]})
            conditions.append({"$or": [{"audience.kecamatan": {"$exists": False}}, {"audience.kecamatan": inside}]})
        if wanted.begins_from is not None:
            conditions.append({"starts_at": {"$gte": wanted.begins_from}})
        if wanted.begins_before is not None:
            conditions.append({"starts_at": {"$lt": wanted.begins_before}})
        if wanted.ends_from is not None:
            conditions.append({"ends_at": {"$gte": wanted.ends_from}})
        if wanted.text:
            found_in = {"$regex": re.escape(wanted.text), "$options": "i"}
            conditions.append({"$or": [{"title": found_in}, {"description": found_in}]})
        if wanted.after is not None:
            starts_at, last = wanted.after
            conditions.append({"$or": [{"starts_at": {"$gt": starts_at}}, {"starts_at": starts_at, "_id": {"$gt": last}}]})
        cursor = self._mongo[TRAININGS].find({"$and": conditions}).sort([("starts_at", 1), ("_id", 1)]).limit(limit)
        found: list[Document] = await cursor.max_time_ms(_SEARCH_MS).to_list(None)
        return found

    async def enrolments(self, training_id: str, status: str | None, after: str | None, limit: int) -> list[Document]:
        """The people of a training, in the order of their ids."""
        query: dict[str, Any] = {"_id": _of_training(training_id, after)}
        if status is not None:
            query["status"] = status
        found: list[Document] = await self._mongo[ENROLMENTS].find(query).sort("_id", 1).limit(limit).to_list(None)
        return found

    async def live_enrolments(self, training_id: str, after: str | None, limit: int) -> list[str]:
        """Ids of enrolments that are still to settle."""
        query = {"_id": _of_training(training_id, after), "status": {"$in": sorted(LIVE)}}
        cursor = self._mongo[ENROLMENTS].find(query, projection={"_id": 1}).sort("_id", 1).limit(limit)
        return [found["_id"] for found in await cursor.to_list(None)]

    async def offers_due(self, now: datetime, cut_off_before: datetime, limit: int) -> list[str]:
        """Ids of offers that have lapsed: by their own date, or since their training starts before `cut_off_before`."""
        offers = self._mongo[ENROLMENTS]
        query: dict[str, Any] = {"status": "offered", "offer_expires_at": {"$lte": now}}
        due = [f["_id"] for f in await offers.find(query, projection={"_id": 1}).limit(limit).to_list(None)]
        late = self._mongo[TRAININGS].find({"offered": {"$gt": 0}, "starts_at": {"$lte": cut_off_before}}, projection={"_id": 1})
        for training in await late.limit(limit).to_list(None):
            query = {"_id": _of_training(training["_id"], None), "status": "offered"}
            due += [f["_id"] for f in await offers.find(query, projection={"_id": 1}).limit(limit).to_list(None)]
        return list(dict.fromkeys(due))[:limit]

    async def ending(self, limit: int) -> list[str]:
        """Trainings whose enrolments are not all settled."""
        query = {"settling": {"$in": ["completed", "cancelled"]}}
        return [f["_id"] for f in await self._mongo[TRAININGS].find(query, projection={"_id": 1}).limit(limit).to_list(None)]

    async def position(self, enrolment: Mapping[str, Any], training: Mapping[str, Any]) -> int | None:
        """A waiting person's place in the line, from 1; None for one who doesn't wait."""
        if enrolment["page"] is None:
            return None
        first, own = (waiting_page_id(training["_id"], n) for n in (training["queue_first"], enrolment["page"]))
        pages = await self._mongo[WAITING].find({"_id": {"$gte": first, "$lte": own}}).sort("_id", 1).to_list(None)
        line = [identity for page in pages for identity in page["enrolments"]]
        return line.index(enrolment["_id"]) + 1 if enrolment["_id"] in line else None

    async def seats(self) -> tuple[int, Mapping[str, int]]:
        """Open trainings, and their seats: confirmed, offered, waiting, free."""
        totals: dict[str, Any] = {name: {"$sum": f"${name}"} for name in ("confirmed", "offered", "waiting", "quota")}
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"status": {"$in": _SEATS_OF}}},
            {"$group": {"_id": None, "trainings": {"$sum": 1}, **totals}},
        ]
        found = await self._mongo.aggregate(TRAININGS, pipeline)
        if not found:
            return 0, {"confirmed": 0, "offered": 0, "waiting": 0, "free": 0}
        sums = found[0]
        free = sums["quota"] - sums["confirmed"] - sums["offered"]
        return sums["trainings"], {name: sums[name] for name in ("confirmed", "offered", "waiting")} | {"free": free}


def _of_training(training_id: str, after: str | None) -> Mapping[str, str]:
    # ';' comes after ':' in the order of bytes: all ids that begin with "<training_id>:".
    return {"$gt": after or f"{training_id}:", "$lt": f"{training_id};"}


def _visible_to(actor: Actor) -> Mapping[str, Any]:
    public: Mapping[str, Any] = {
        "$or": [{"status": {"$in": sorted(PUBLIC)}}, {"status": "cancelled", "published_at": {"$exists": True}}]
    }
    if actor.partner_id is not None:
        return {"$or": [public, {"partner_id": actor.partner_id}]}
    if actor.staff:
        return {} if actor.dinas is None else {"$or": [public, {"dinas": {"$in": [None, actor.dinas]}}]}
    return public
