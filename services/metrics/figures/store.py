"""Queries of totals and rollups. Each answer is one document or one range, however many people there are.

The only reader of these documents besides reconciliation; the ledger is the only writer.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from chassis.database.mongo import Mongo
from contracts.reference import STAGES
from services.metrics.documents import MonthDocument, TotalDocument
from services.metrics.ledger.store import ROLLUPS, TOTALS, field_of, month_id, total_id, value_of

_AFTER_ALL = "\uffff"  # sorts after every month


class FigureStore:
    """Counts of people by stage, dimension and day. A `measure` is a stage, or "registered"."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def total(self, measure: str, as_of: date | None) -> int:
        """People with the measure on or before a day; all of them if no day is given."""
        return (await self.cells(measure, "all", as_of)).get("all", 0)

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """People by value of a dimension; as of a day only for the dimensions in `DAILY` (ledger/rules.py)."""
        if as_of is None:
            totals: TotalDocument | None = await self._mongo[TOTALS].find_one({"_id": total_id(measure, dimension)})
            return {value_of(name): count for name, count in totals["n"].items() if count} if totals else {}
        cells: Counter[str] = Counter()
        month = month_id(measure, dimension, as_of.isoformat()[:7])
        query = {"_id": {"$gt": f"{total_id(measure, dimension)}|", "$lt": month}}
        before: list[TotalDocument] = await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None)
        for document in before:
            cells.update(document["n"])
        last: MonthDocument | None = await self._mongo[ROLLUPS].find_one({"_id": month})
        if last is not None:
            for name, days in last.get("d", {}).items():
                cells[name] += sum(count for day, count in days.items() if day <= as_of.isoformat()[8:])
        return {value_of(name): count for name, count in cells.items() if count}

    async def days(self, measure: str, dimension: str = "all", value: str = "all") -> list[tuple[str, int]]:
        """Every day with a count, in order, for one value of a dimension in `DAILY` (ledger/rules.py)."""
        start = f"{total_id(measure, dimension)}|"
        query = {"_id": {"$gt": start, "$lt": start + _AFTER_ALL}}
        found: list[MonthDocument] = await self._mongo[ROLLUPS].find(query).to_list(None)
        days = [
            (f"{document['_id'].rpartition('|')[2]}-{day}", count)
            for document in found
            for day, count in document.get("d", {}).get(field_of(value), {}).items()
            if count
        ]
        return sorted(days)

    async def joined(self, dimension: str) -> dict[str, dict[str, dict[str, int]]]:
        """By stage and month: the people of each value whose first evidence is of that month. One read for all stages."""
        starts = [f"{total_id(stage, dimension)}|" for stage in STAGES]
        query = {"$or": [{"_id": {"$gt": start, "$lt": start + _AFTER_ALL}} for start in starts]}
        joined: dict[str, dict[str, dict[str, int]]] = {stage: {} for stage in STAGES}
        found: list[TotalDocument] = await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None)
        for document in found:
            _, stage, _, month = document["_id"].split("|")
            people = {value_of(name): count for name, count in document["n"].items() if count}
            if people:
                joined[stage][month] = people
        return joined
