"""Reading figures: totals and months of rollups, never facts. Each answer is one document or one range: flat with people.

The only reader of the rollups' documents; ledger.py is the only writer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date

from chassis.mongo import Document, Mongo
from services.metrics import domain, suppression
from services.metrics.ledger import ROLLUPS, TOTALS, field_of, month_id, total_id, value_of
from services.metrics.projections import STAGES


class Figures:
    """Counts by measure, dimension and day."""

    def __init__(self, mongo: Mongo, smallest_cell: int) -> None:
        self._mongo = mongo
        self._smallest = smallest_cell

    async def total(self, measure: str, as_of: date | None) -> int:
        """People with the measure on or before a day; all of them without one."""
        return (await self.cells(measure, "all", as_of)).get("all", 0)

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """Counts by value of a dimension; as of a day only for the dimensions in projections.DAILY."""
        if as_of is None:
            totals = await self._mongo[TOTALS].find_one({"_id": total_id(measure, dimension)})
            return {value_of(name): count for name, count in (totals or {"n": {}})["n"].items() if count}
        cells: Counter[str] = Counter()
        month = month_id(measure, dimension, as_of.isoformat()[:7])
        query = {"_id": {"$gt": f"{total_id(measure, dimension)}|", "$lt": month}}
        for doc in await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None):
            cells.update(doc["n"])
        last = await self._mongo[ROLLUPS].find_one({"_id": month})
        for name, days in (last or {}).get("d", {}).items():
            cells[name] += sum(count for day, count in days.items() if day <= as_of.isoformat()[8:])
        return {value_of(name): count for name, count in cells.items() if count}

    async def days(self, measure: str, dimension: str = "all", value: str = "all") -> list[tuple[str, int]]:
        """Every day with a count, in order; of a value of a dimension in projections.DAILY."""
        start = f"{total_id(measure, dimension)}|"
        found = await self._mongo[ROLLUPS].find({"_id": {"$gt": start, "$lt": start + "\uffff"}}).to_list(None)
        days = [
            (f"{doc['_id'].rpartition('|')[2]}-{day}", count)
            for doc in found
            for day, count in doc.get("d", {}).get(field_of(value), {}).items()
            if count
        ]
        return sorted(days)

    async def series(self, measure: str, by: str, start: date | None, end: date | None) -> list[Document]:
        """Count and cumulative count of each period as the public may see them (R18).

        `start` and `end` choose whole periods: parts of periods would have differences of their own to compute.
        """
        first = suppression.period_of(start.isoformat(), by) if start else ""
        last = suppression.period_of(end.isoformat(), by) if end else "\uffff"
        periods = suppression.public_series(await self.days(measure), by, self._smallest)
        return [
            {**asdict(period), "suppressed": period.count is None or period.cumulative is None}
            for period in periods
            if first <= period.period <= last
        ]

    async def public_cells(self, measure: str, dimension: str) -> list[Document]:
        """Cells as the public may see them (R18). Kecamatan are protected within their kota, whose sum is public too."""
        cells = await self.cells(measure, dimension, None)
        hide = suppression.suppressed_kecamatan if dimension == "kecamatan" else suppression.suppressed
        hidden = hide(cells, self._smallest)
        return [
            {"value": value, "people": None if value in hidden else count, "suppressed": value in hidden}
            for value, count in sorted(cells.items())
        ]

    async def funnel(self, as_of: date | None, dinas: str | None, kota: str | None) -> list[Document]:
        """Distinct people with each stage (R8), in percent of P1; small cells suppressed (R18).

        Not so without a filter: the programme's published totals carry no attributes.
        """
        stages = []
        base: int | None = None
        for stage in STAGES:
            people = await self._stage(stage, as_of, dinas, kota)
            if stage == "P1":
                base = people
            share = domain.percent(people, base) if people is not None and base else None
            stages.append({"stage": stage, "people": people, "percent_of_p1": share, "suppressed": people is None})
        return stages

    async def _stage(self, stage: str, as_of: date | None, dinas: str | None, kota: str | None) -> int | None:
        if dinas is None and kota is None:
            return await self.total(stage, as_of)
        hide = suppression.suppressed
        if dinas is not None and kota is not None:
            dimension, wanted, hide = "dinas+kota", f"{dinas}+{kota}", suppression.suppressed_table
        else:
            dimension, wanted = ("dinas", dinas) if dinas is not None else ("kota", str(kota))
        cells = await self.cells(stage, dimension, as_of)
        if wanted in hide(cells, self._smallest):
            return None
        return cells.get(wanted, 0)
