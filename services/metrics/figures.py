"""Reading figures: totals and months of rollups, never facts. Each answer is one range over `_id`, flat with people.

The only reader of the rollups' documents; ledger.py is the only writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chassis.mongo import Document, Mongo, Tx
from services.metrics import domain
from services.metrics.ledger import GENERATION, ROLLUPS, TOTALS
from services.metrics.projections import STAGES

_PERIOD_LENGTH = {"day": 10, "month": 7, "year": 4}


class Figures:
    """Counts by measure, dimension and day."""

    def __init__(self, mongo: Mongo, smallest_cell: int) -> None:
        self._mongo = mongo
        self._smallest = smallest_cell

    async def total(self, measure: str, as_of: date | None) -> int:
        """People with the measure on or before a day; all of them without one."""
        return (await self.cells(measure, "all", as_of)).get("", 0)

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """Counts by value of a dimension."""
        start = f"{GENERATION}|{measure}|{dimension}|"
        within = {"_id": {"$gte": start, "$lt": start + "\uffff"}}
        if as_of is None:
            totals = await self._mongo[TOTALS].find(within).to_list(None)
            return {doc["_id"].rpartition("|")[2]: doc["n"] for doc in totals if doc["n"]}
        cells: dict[str, int] = {}
        for doc in await self._mongo[ROLLUPS].find(within).to_list(None):
            value, month = doc["_id"].rsplit("|", 2)[1:]
            count = _until(doc, month, as_of)
            if count:
                cells[value] = cells.get(value, 0) + count
        return cells

    async def days(self, measure: str, tx: Tx = None) -> list[tuple[str, int]]:
        """Every day with a count, in order."""
        start = f"{GENERATION}|{measure}|all||"
        found = await self._mongo[ROLLUPS].find({"_id": {"$gte": start, "$lt": start + "\uffff"}}, session=tx).to_list(None)
        days = [
            (f"{doc['_id'].rpartition('|')[2]}-{day}", count) for doc in found for day, count in doc.get("d", {}).items() if count
        ]
        return sorted(days)

    async def series(self, measure: str, by: str, start: date | None, end: date | None) -> list[Document]:
        """Count and cumulative count of each period that has any."""
        items: list[Document] = []
        cumulative = 0
        for day, count in await self.days(measure):
            cumulative += count
            if (start and day < start.isoformat()) or (end and day > end.isoformat()):
                continue
            period = f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}" if by == "quarter" else day[: _PERIOD_LENGTH[by]]
            if items and items[-1]["period"] == period:
                items[-1]["count"] += count
                items[-1]["cumulative"] = cumulative
            else:
                items.append({"period": period, "count": count, "cumulative": cumulative})
        return items

    async def public_cells(self, measure: str, dimension: str, as_of: date | None) -> list[Document]:
        """Cells as the public may see them (R18). Kecamatan are protected within their kota, whose sum is public too."""
        cells = await self.cells(measure, dimension, as_of)
        hidden: set[str] = set()
        for group in _groups(cells, dimension):
            hidden |= domain.suppressed(group, self._smallest)
        return [
            {"value": value, "people": None if value in hidden else count, "suppressed": value in hidden}
            for value, count in sorted(cells.items())
        ]

    async def funnel(self, as_of: date | None, dinas: str | None, kota: str | None) -> list[Document]:
        """Distinct people with each stage (R8), in percent of P1; small cells suppressed (R18)."""
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
        if dinas is not None and kota is not None:
            cells = await self.cells(stage, "dinas+kota", as_of)
            wanted = f"{dinas}+{kota}"
            tables = [
                {name: count for name, count in cells.items() if name.startswith(f"{dinas}+")},
                {name: count for name, count in cells.items() if name.endswith(f"+{kota}")},
            ]
        else:
            dimension, wanted = ("dinas", dinas) if dinas is not None else ("kota", str(kota))
            cells = await self.cells(stage, dimension, as_of)
            tables = [cells]
        if any(wanted in domain.suppressed(table, self._smallest) for table in tables):
            return None
        return cells.get(str(wanted), 0)


def _until(doc: Mapping[str, Any], month: str, as_of: date) -> int:
    limit = as_of.isoformat()
    if month < limit[:7]:
        return int(doc["n"])
    if month > limit[:7]:
        return 0
    return sum(count for day, count in doc.get("d", {}).items() if day <= limit[8:])


def _groups(cells: dict[str, int], dimension: str) -> list[dict[str, int]]:
    if dimension != "kecamatan":
        return [cells]
    groups: dict[str, dict[str, int]] = {}
    for value, count in cells.items():
        groups.setdefault(value[:5], {})[value] = count
    return list(groups.values())
