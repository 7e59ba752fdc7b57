"""Queries and indexes of enrolments.

An enrolment's id begins with its training's id, so the people of a training are a range of `_id`s and need no index.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis.database.mongo import Mongo
from services.training.documents import ENROLMENTS, TRAININGS, Enrolment, EnrolmentStatus


async def ensure_indexes(mongo: Mongo) -> None:
    """Two partial indexes for the worker that lets offers lapse: they hold only what has an open offer."""
    await mongo[TRAININGS].create_index("starts_at", name="offering", partialFilterExpression={"offered": {"$gt": 0}})
    await mongo[ENROLMENTS].create_index("offer_expires_at", name="offers", partialFilterExpression={"status": "offered"})


class EnrolmentStore:
    """Reads for the use cases."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def enrolment(self, enrolment_id: str) -> Enrolment | None:
        """One enrolment."""
        found: Enrolment | None = await self._mongo[ENROLMENTS].find_one({"_id": enrolment_id})
        return found

    async def enrolments(
        self, training_id: str, status: EnrolmentStatus | None, after: str | None, limit: int
    ) -> list[Enrolment]:
        """The enrolments of a training in the order of their ids, after the id `after`."""
        query: dict[str, Any] = {"_id": ids_of_training(training_id, after)}
        if status is not None:
            query["status"] = status
        found: list[Enrolment] = await self._mongo[ENROLMENTS].find(query).sort("_id", 1).limit(limit).to_list(None)
        return found

    async def offers_due(self, now: datetime, cut_off_before: datetime, limit: int) -> list[str]:
        """Ids of enrolments whose offer has lapsed: by its own date, or because the training starts before `cut_off_before`."""
        offers = self._mongo[ENROLMENTS]
        query: dict[str, Any] = {"status": "offered", "offer_expires_at": {"$lte": now}}
        due = [f["_id"] for f in await offers.find(query, projection={"_id": 1}).limit(limit).to_list(None)]
        late = self._mongo[TRAININGS].find({"offered": {"$gt": 0}, "starts_at": {"$lte": cut_off_before}}, projection={"_id": 1})
        for training in await late.limit(limit).to_list(None):
            query = {"_id": ids_of_training(training["_id"]), "status": "offered"}
            due += [f["_id"] for f in await offers.find(query, projection={"_id": 1}).limit(limit).to_list(None)]
        return list(dict.fromkeys(due))[:limit]


def ids_of_training(training_id: str, after: str | None = None) -> Mapping[str, str]:
    """The condition on `_id` for the enrolments of a training, after the id `after`."""
    # In the order of bytes ';' follows ':', so these bounds enclose all ids that begin with "<training_id>:".
    return {"$gt": after or f"{training_id}:", "$lt": f"{training_id};"}
