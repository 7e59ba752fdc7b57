"""Reconciliation: recount the ledger and compare with the rollups, at one point in time. The difference must be 0.

Runs inside the database and may take seconds for each million events; figures stay readable and writable meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chassis import clock, logs
from chassis.mongo import Document, Mongo, Tx
from services.metrics import telemetry
from services.metrics.ledger import FACTS, GENERATION, LEDGER, PENDING, ROLLUPS, TOTALS
from services.metrics.projections import ATTRIBUTES, REGISTERED, STAGES

log = logs.get(__name__)
RECONCILIATIONS = "reconciliations"
_DIMENSIONS: Mapping[str, Any] = {
    "all": "",
    **{name: f"${name}" for name in ATTRIBUTES},
    "dinas+kota": {"$concat": ["$dinas", "+", "$kota"]},
}


class Reconciliation:
    """Recounts, compares, remembers the last result."""

    def __init__(self, mongo: Mongo, every_seconds: float) -> None:
        self._mongo = mongo
        self._every = every_seconds
        self._running = asyncio.Lock()

    async def latest(self) -> Document | None:
        """The last result."""
        found: Document | None = await self._mongo[RECONCILIATIONS].find_one({"_id": "latest"})
        return found

    async def run(self) -> Document:
        """Recount now; one at a time in this process."""
        async with self._running:
            started = clock.now()
            async with self._mongo.snapshot() as tx:
                counted = await self._recount(tx)
                shown = await self._rollups(tx)
                events = await self._mongo[LEDGER].estimated_document_count()
                pending = len(await self._mongo[PENDING].find({}, session=tx).limit(10_000).to_list(None))
            differences: list[Document] = [
                {"figure": figure, "ledger": counted.get(figure, 0), "rollup": shown.get(figure, 0)}
                for figure in sorted(counted.keys() | shown.keys())
                if counted.get(figure, 0) != shown.get(figure, 0)
            ]
            difference = sum(abs(counted.get(d["figure"], 0) - shown.get(d["figure"], 0)) for d in differences)
            result: Document = {
                "_id": "latest",
                "checked_at": started.isoformat(),
                "seconds": round((clock.now() - started).total_seconds(), 3),
                "figures": len(shown),
                "events": events,
                "pending": pending,
                "difference": difference,
                "differences": differences[:100],
            }
            await self._mongo[RECONCILIATIONS].replace_one({"_id": "latest"}, result, upsert=True)
            telemetry.reconciled(difference)
            if differences:
                log.error("reconciliation_difference", difference=result["difference"], first=differences[0]["figure"])
            return result

    async def work(self) -> None:
        """Worker: recount at the start and then at the configured pace."""
        await self.run()
        await asyncio.sleep(self._every)

    async def _rollups(self, tx: Tx) -> dict[str, int]:
        """Every shown figure: `measure|dimension|value|month`, and totals without the month."""
        figures: dict[str, int] = {}
        for collection in (ROLLUPS, TOTALS):
            async for doc in self._mongo[collection].find({}, {"n": 1}, session=tx):
                generation, _, figure = doc["_id"].partition("|")
                if generation == GENERATION and doc["n"]:
                    figures[figure] = doc["n"]
        return figures

    async def _recount(self, tx: Tx) -> dict[str, int]:
        figures: dict[str, int] = {}
        for measure in (REGISTERED, *STAGES):
            for dimension, value in _DIMENSIONS.items():
                pipeline = [
                    *_people(measure),
                    {"$group": {"_id": {"v": value, "m": {"$substrBytes": ["$day", 0, 7]}}, "n": {"$sum": 1}}},
                ]
                found = await self._mongo.aggregate(LEDGER, pipeline, tx)
                for doc in found:
                    total = f"{measure}|{dimension}|{doc['_id']['v']}"
                    figures[f"{total}|{doc['_id']['m']}"] = doc["n"]
                    figures[total] = figures.get(total, 0) + doc["n"]
                if dimension == "all" and not found:
                    break  # nobody has this stage: nothing to count in the other dimensions
        return figures


def _people(measure: str) -> list[dict[str, Any]]:
    """One document for each person with the measure, with their attributes and first day, from the ledger alone."""
    match: dict[str, Any] = {"$match": {"measure": measure}}
    if measure == REGISTERED:
        return [match]
    attributes = {name: {"$first": f"${name}"} for name in ATTRIBUTES}
    first = {"$group": {"_id": "$person", "day": {"$min": "$day"}, **(attributes if measure == "P1" else {})}}
    if measure == "P1":
        return [match, first]
    person = {
        "$lookup": {
            "from": FACTS,
            "let": {"fact": {"$concat": ["$_id", ":P1"]}},
            "pipeline": [{"$match": {"$expr": {"$eq": ["$_id", "$$fact"]}}}],
            "as": "p1",
        }
    }
    attributes_of_p1 = {name: {"$first": f"$p1.{name}"} for name in ATTRIBUTES}
    return [match, first, person, {"$match": {"p1": {"$ne": []}}}, {"$project": {"day": 1, **attributes_of_p1}}]
