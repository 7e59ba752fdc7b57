"""Queries of targets. There are so few that they need no index; rules read through GroupCommit."""

from __future__ import annotations

from chassis.database.mongo import Mongo
from services.metrics.documents import TARGETS, TargetDocument


class TargetStore:
    """Queries of targets for the API, the headline figures and the worker."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def all(self) -> list[TargetDocument]:
        """All targets with all versions, in order of their ids."""
        found: list[TargetDocument] = await self._mongo[TARGETS].find({}).sort("_id", 1).to_list(None)
        return found
