"""Reconciliation: recount the ledger and compare with the rollups, at one point in time. The difference must be 0.

Runs inside the database and may take seconds for each million events; figures stay readable and writable meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from chassis import clock, logs
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.offload import offload
from contracts.reference import STAGES
from services.metrics import telemetry
from services.metrics.ledger.rules import ATTRIBUTES, DAILY, REGISTERED
from services.metrics.ledger.store import FACTS, LEDGER, PENDING, ROLLUPS, TOTALS, value_of

log = logs.get(__name__)
RECONCILIATIONS = "reconciliations"
_PATIENCE_SECONDS = 300.0  # for one pass: mongod forgets a snapshot after so long
_MONTH = {"$substrBytes": ["$day", 0, 7]}
# Each pass over the people counts groups of some attributes; the dimensions are sums of its groups. By day in the first pass
# and by month in the others, as the rollups keep them. One pass for all would have nearly as many groups as people.
_PASSES: Sequence[tuple[Any, Mapping[str, tuple[str, ...]]]] = (
    ("$day", {"all": (), "dinas": ("dinas",), "kota": ("kota",), "dinas+kota": ("dinas", "kota")}),
    (_MONTH, {"kecamatan": ("kecamatan",), "category": ("category",), "gender": ("gender",)}),
    (_MONTH, {"commodity": ("commodity",)}),
)


class Reconciliation:
    """Recounts, compares, remembers the last result."""

    def __init__(self, mongo: Mongo, every_seconds: float) -> None:
        self._mongo = mongo
        self._every = every_seconds
        self._running = asyncio.Lock()
        self._working = False

    async def latest(self) -> Document | None:
        """The last result."""
        found: Document | None = await self._mongo[RECONCILIATIONS].find_one({"_id": "latest"})
        return found

    async def run(self) -> Document:
        """Recount now; one at a time in this process."""
        async with self._running:
            started = clock.now()
            async with self._mongo.snapshot() as tx:
                pending = [doc["_id"] async for doc in self._mongo[PENDING].find({}, projection=["_id"], session=tx)]
                counted = await self._recounted(tx, pending)
                shown = await self._shown(tx)
                events = await self._mongo[LEDGER].estimated_document_count()
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
                "pending": len(pending),
                "difference": difference,
                "differences": differences[:100],
            }
            await self._mongo[RECONCILIATIONS].replace_one({"_id": "latest"}, result, upsert=True)
            if self._working:  # elsewhere nobody would set it again once the difference is gone
                telemetry.reconciled(difference)
            if differences:
                log.error("reconciliation_difference", difference=result["difference"], first=differences[0]["figure"])
            return result

    async def work(self) -> None:
        """Worker: recount at the start and then at the configured pace."""
        self._working = True
        await self.run()
        await asyncio.sleep(self._every)

    async def _shown(self, tx: Tx) -> dict[str, int]:
        """Every figure that is shown: `measure|dimension|value|month`, `…|day`, and totals without either."""
        figures: dict[str, int] = {}
        async for doc in self._mongo[TOTALS].find({}, session=tx):
            _, measure, dimension = doc["_id"].split("|")
            figures.update({f"{measure}|{dimension}|{value_of(name)}": n for name, n in doc["n"].items() if n})
        async for doc in self._mongo[ROLLUPS].find({}, session=tx):
            _, measure, dimension, month = doc["_id"].split("|")
            for name, n in doc["n"].items():
                if n:
                    figures[f"{measure}|{dimension}|{value_of(name)}|{month}"] = n
            for name, days in doc.get("d", {}).items():
                figures.update({f"{measure}|{dimension}|{value_of(name)}|{month}-{day}": n for day, n in days.items() if n})
            await asyncio.sleep(0)
        return figures

    async def _recounted(self, tx: Tx, pending: Sequence[str]) -> dict[str, int]:
        """The same figures from the ledger, with attributes of facts. What is pending isn't counted yet, so not here either."""
        figures: Counter[str] = Counter()
        for people in (_registered(), _first_evidence("P1"), _later_stages(pending)):
            for when, dimensions in _PASSES:
                attributes = {name: f"${name}" for names in dimensions.values() for name in names}
                count = {"$group": {"_id": {"measure": "$measure", "when": when, **attributes}, "n": {"$sum": 1}}}
                found = await self._mongo.aggregate(LEDGER, [*people, count], tx, seconds=_PATIENCE_SECONDS)
                if not found:
                    break  # nobody: nothing to count in the other dimensions
                await offload(len(found), _add, figures, dimensions, found)
        return dict(figures)


def _add(figures: Counter[str], dimensions: Mapping[str, tuple[str, ...]], found: Sequence[Document]) -> None:
    for doc in found:
        group, n = doc["_id"], doc["n"]
        when = group["when"]
        for dimension, names in dimensions.items():
            value = "+".join(str(group.get(name)) for name in names) or "all"
            total = f"{group['measure']}|{dimension}|{value}"
            figures[total] += n
            figures[f"{total}|{when[:7]}"] += n
            if dimension in DAILY:
                figures[f"{total}|{when}"] += n


def _registered() -> list[dict[str, Any]]:
    return [{"$match": {"measure": REGISTERED}}]


def _first_evidence(stage: str) -> list[dict[str, Any]]:
    """One document for each person with the stage: first day, and the attributes of the event that was told first.

    Told first, not of the first day: a fact keeps its attributes when evidence of an earlier day comes (projections.py), and
    a person's events come in order.
    """
    told_first = {"sortBy": {"at": 1, "_id": 1}, "output": {name: f"${name}" for name in ATTRIBUTES}}
    first = {"$group": {"_id": "$person", "day": {"$min": "$day"}, "told": {"$top": told_first}}}
    shape = {"$project": {"day": 1, "measure": {"$literal": stage}, **{name: f"$told.{name}" for name in ATTRIBUTES}}}
    return [{"$match": {"measure": stage}}, first, shape]


def _later_stages(pending: Sequence[str]) -> list[dict[str, Any]]:
    """One document for each person and later stage: first day, and the attributes of the person's P1."""
    first = {"$group": {"_id": {"p": "$person", "s": "$measure"}, "day": {"$min": "$day"}}}
    person = {
        "$lookup": {
            "from": FACTS,
            "let": {"fact": {"$concat": ["$_id.p", ":P1"]}},
            "pipeline": [{"$match": {"$expr": {"$eq": ["$_id", "$$fact"]}}}],
            "as": "p1",
        }
    }
    attributes = {name: {"$first": f"$p1.{name}"} for name in ATTRIBUTES}
    shape = {"$project": {"day": 1, "measure": "$_id.s", **attributes}}
    evidence = {"$match": {"measure": {"$in": list(STAGES[1:])}, "_id": {"$nin": list(pending)}}}
    return [evidence, first, person, {"$match": {"p1": {"$ne": []}}}, shape]
