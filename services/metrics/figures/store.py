"""Queries of totals and rollups. Each answer is one document or one range, however many people there are.

The only reader of these documents besides reconciliation; the ledger is the only writer.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from chassis.database.mongo import Mongo
from contracts.reference import STAGES
from services.metrics.documents import MonthDocument, TotalDocument
from services.metrics.ledger.rollup_ids import AFTER_ALL, field_of, figure_prefix, measure_and_dimension, month_of, value_of
from services.metrics.ledger.store import ROLLUPS, TOTALS


class FigureStore:
    """Counts of people by stage, dimension and day. A `measure` is a stage, or "registered"."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def total(self, measure: str, as_of: date | None) -> int:
        """People with the measure on or before a day; all of them if no day is given."""
        return (await self.cells(measure, "all", as_of)).get("all", 0)

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """People by value of a dimension; as of a day only for the dimensions in `DAILY` (ledger/rules.py)."""
        prefix, cells = figure_prefix(measure, dimension), Counter[str]()
        if as_of is None:
            totals: list[TotalDocument] = await self._mongo[TOTALS].find(_behind(prefix)).to_list(None)
            for total in totals:
                cells.update(total["n"])
        else:
            month = as_of.isoformat()[:7]
            query = {"_id": {"$gt": prefix, "$lt": prefix + month}}
            before: list[TotalDocument] = await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None)
            for document in before:
                cells.update(document["n"])
            last: list[MonthDocument] = await self._mongo[ROLLUPS].find(_behind(f"{prefix}{month}|")).to_list(None)
            for part in last:
                for name, days in part.get("d", {}).items():
                    cells[name] += sum(count for day, count in days.items() if day <= as_of.isoformat()[8:])
        return {value_of(name): count for name, count in cells.items() if count}

    async def days(self, measure: str, dimension: str = "all", value: str = "all") -> list[tuple[str, int]]:
        """Every day with a count, in order, for one value of a dimension in `DAILY` (ledger/rules.py)."""
        query = _behind(figure_prefix(measure, dimension))
        found: list[MonthDocument] = await self._mongo[ROLLUPS].find(query).to_list(None)
        days: Counter[str] = Counter()
        for document in found:
            month = month_of(document["_id"])
            for day, count in document.get("d", {}).get(field_of(value), {}).items():
                days[f"{month}-{day}"] += count
        return sorted((day, count) for day, count in days.items() if count)

    async def joined(self, dimension: str) -> dict[str, dict[str, dict[str, int]]]:
        """By stage and month: the people of each value whose first evidence is of that month. One read for all stages."""
        query = {"$or": [_behind(figure_prefix(stage, dimension)) for stage in STAGES]}
        found: list[TotalDocument] = await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None)
        counts: dict[tuple[str, str], Counter[str]] = {}
        for document in found:
            stage, _ = measure_and_dimension(document["_id"])
            counts.setdefault((stage, month_of(document["_id"])), Counter()).update(document["n"])
        joined: dict[str, dict[str, dict[str, int]]] = {stage: {} for stage in STAGES}
        for (stage, month), cells in counts.items():
            people = {value_of(name): count for name, count in cells.items() if count}
            if people:
                joined[stage][month] = people
        return joined


def _behind(prefix: str) -> dict[str, dict[str, str]]:
    """Every id that begins with the prefix."""
    return {"_id": {"$gt": prefix, "$lt": prefix + AFTER_ALL}}
