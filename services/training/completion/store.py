"""Queries and indexes of completion: what is still to settle."""

from __future__ import annotations

from typing import Final

from chassis.database.mongo import Mongo
from services.training.completion.rules import LIVE
from services.training.documents import ENROLMENTS, TRAININGS
from services.training.enrolments.store import ids_of_training

_ENDED: Final = ["completed", "cancelled"]


async def ensure_indexes(mongo: Mongo) -> None:
    """A partial index for the worker: it holds only trainings that are being settled."""
    await mongo[TRAININGS].create_index("settling", name="ending", partialFilterExpression={"settling": {"$in": _ENDED}})


class CompletionStore:
    """Reads for the use cases."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def trainings_to_settle(self, limit: int) -> list[str]:
        """Ids of trainings that have ended and whose enrolments are not all settled."""
        query = {"settling": {"$in": _ENDED}}
        return [f["_id"] for f in await self._mongo[TRAININGS].find(query, projection={"_id": 1}).limit(limit).to_list(None)]

    async def live_enrolments(self, training_id: str, after: str | None, limit: int) -> list[str]:
        """Ids of a training's enrolments that are still to settle, in order, after the id `after`."""
        query = {"_id": ids_of_training(training_id, after), "status": {"$in": sorted(LIVE)}}
        cursor = self._mongo[ENROLMENTS].find(query, projection={"_id": 1}).sort("_id", 1).limit(limit)
        return [found["_id"] for found in await cursor.to_list(None)]
