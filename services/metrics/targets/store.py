"""Metrics' queries beside the figures and the ledger: targets."""

from __future__ import annotations

from chassis.database.mongo import Mongo
from chassis.documents import Document
from services.metrics.domain import TARGETS


class Store:
    """Reads for the API and the workers. Rules read through GroupCommit."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def targets(self) -> list[Document]:
        """All targets with all versions, in order of their ids."""
        found: list[Document] = await self._mongo[TARGETS].find({}).sort("_id", 1).to_list(None)
        return found
