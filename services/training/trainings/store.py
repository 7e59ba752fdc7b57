"""Queries and indexes of trainings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.database.mongo import Mongo
from services.training.actor import Actor
from services.training.documents import TRAININGS, Training, TrainingStage, TrainingStatus
from services.training.trainings.rules import PUBLIC

_SEARCH_MS: Final = 2000  # longest time that a list may take


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list of trainings; a filter that is None, or empty, excludes nothing."""

    status: TrainingStatus | None = None
    stage: TrainingStage | None = None
    kota: str | None = None  # open to people of this kota
    begins_from: datetime | None = None  # first session at or after
    begins_before: datetime | None = None  # first session before
    ends_from: datetime | None = None  # last session ends at or after
    text: str | None = None  # in title or description, in any case
    after: tuple[datetime, str] | None = None  # sort key of the last item of the page before
    statuses: Sequence[TrainingStatus] = ()  # any of these


async def ensure_indexes(mongo: Mongo) -> None:
    """Few indexes on purpose: every enrolment writes its training, and so pays for each of them."""
    trainings = mongo[TRAININGS]
    await trainings.create_index([("starts_at", 1), ("_id", 1)])
    await trainings.create_index([("partner_id", 1), ("starts_at", 1)])
    await trainings.create_index([("status", 1), ("starts_at", 1)])


class TrainingStore:
    """Reads for the use cases."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def training(self, training_id: str) -> Training | None:
        """One training."""
        found: Training | None = await self._mongo[TRAININGS].find_one({"_id": training_id})
        return found

    async def trainings(self, wanted: Wanted, actor: Actor, limit: int) -> list[Training]:
        """Trainings that the actor may see, by start of the first session and then `_id`."""
        conditions = [_visible_to(actor), *_filters(wanted), *_after(wanted)]
        cursor = self._mongo[TRAININGS].find({"$and": conditions}).sort([("starts_at", 1), ("_id", 1)]).limit(limit)
        found: list[Training] = await cursor.max_time_ms(_SEARCH_MS).to_list(None)
        return found


def _filters(wanted: Wanted) -> list[Mapping[str, Any]]:
    conditions: list[Mapping[str, Any]] = []
    if wanted.status is not None:
        conditions.append({"status": wanted.status})
    if wanted.stage is not None:
        conditions.append({"stage": wanted.stage})
    if wanted.statuses:
        conditions.append({"status": {"$in": list(wanted.statuses)}})
    if wanted.kota is not None:
        # An audience without kota, or without kecamatan, is open to all. A kecamatan's code begins with that of its kota.
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
    return conditions


def _after(wanted: Wanted) -> list[Mapping[str, Any]]:
    if wanted.after is None:
        return []
    starts_at, last = wanted.after
    return [{"$or": [{"starts_at": {"$gt": starts_at}}, {"starts_at": starts_at, "_id": {"$gt": last}}]}]


def _visible_to(actor: Actor) -> Mapping[str, Any]:
    """The query for `trainings.rules.visible`: the two must agree."""
    public: Mapping[str, Any] = {
        "$or": [{"status": {"$in": sorted(PUBLIC)}}, {"status": "cancelled", "published_at": {"$exists": True}}]
    }
    if actor.partner_id is not None:
        return {"$or": [public, {"partner_id": actor.partner_id}]}
    if actor.staff:
        return {} if actor.dinas is None else {"$or": [public, {"dinas": {"$in": [None, actor.dinas]}}]}
    return public
