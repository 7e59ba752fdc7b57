"""Reading figures: totals and months of rollups, never facts. Each answer is one document or one range: flat with people.

The only reader of the rollups' documents; ledger.py is the only writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from chassis.database.mongo import Mongo
from chassis.documents import Document
from contracts.reference import STAGES
from services.metrics import domain
from services.metrics.disclosure import month_ends as snapshots
from services.metrics.disclosure import suppression
from services.metrics.ledger.store import ROLLUPS, TOTALS, field_of, month_id, total_id, value_of

_HIDE = {"kecamatan": suppression.suppressed_kecamatan, "dinas+kota": suppression.suppressed_table}


class Figures:
    """Counts by measure, dimension and day."""

    def __init__(self, mongo: Mongo, smallest_cell: int) -> None:
        self._mongo = mongo
        self.smallest_cell = smallest_cell

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
        periods = suppression.public_series(await self.days(measure), by, self.smallest_cell)
        return [
            {**asdict(period), "suppressed": period.count is None or period.cumulative is None}
            for period in periods
            if first <= period.period <= last
        ]

    async def joined(self, dimension: str) -> dict[str, dict[str, dict[str, int]]]:
        """By stage and month, the people of each value whose first evidence is of that month; all in one read."""
        starts = [f"{total_id(stage, dimension)}|" for stage in STAGES]
        query = {"$or": [{"_id": {"$gt": start, "$lt": start + "\uffff"}} for start in starts]}
        joined: dict[str, dict[str, dict[str, int]]] = {stage: {} for stage in STAGES}
        for doc in await self._mongo[ROLLUPS].find(query, {"n": 1}).to_list(None):
            _, stage, _, month = doc["_id"].split("|")
            people = {value_of(name): count for name, count in doc["n"].items() if count}
            if people:
                joined[stage][month] = people
        return joined

    async def public_cells(self, measure: str, dimension: str) -> list[Document]:
        """Cells as the public may see them (R18): none where nothing can be shown.

        Kecamatan are protected within their kota, whose sum is public too.
        """
        cells = await self.cells(measure, dimension, None)
        hidden = self._hidden(dimension, cells)
        if hidden is None:
            return []
        return [
            {"value": value, "people": None if value in hidden else count, "suppressed": value in hidden}
            for value, count in sorted(cells.items())
        ]

    async def funnel(self, as_of: date | None, dinas: str | None, kota: str | None) -> tuple[date | None, list[Document]]:
        """Distinct people with each stage (R8), in percent of P1; and the day on which they had it. No day: live.

        With a filter small cells are suppressed, and a past day is answered with the last month end of which P1 may be shown
        (R18): other stages that may not, and all if there is none, are suppressed. Not so without a filter: the programme's
        published totals carry no attributes.
        """
        if dinas is None and kota is None:
            return as_of, _stages({stage: await self.total(stage, as_of) for stage in STAGES})
        if dinas is not None and kota is not None:
            dimension, wanted = "dinas+kota", f"{dinas}+{kota}"
        else:
            dimension, wanted = ("dinas", dinas) if dinas is not None else ("kota", str(kota))
        if as_of is None:
            return None, _stages(
                {stage: self._public(dimension, wanted, await self.cells(stage, dimension, None)) for stage in STAGES}
            )
        month_end = domain.last_month_end(as_of)
        joined = await self.joined(dimension)
        shown = await self._shown(dimension, joined)
        last = snapshots.snapshot(joined["P1"], shown["P1"], month_end)
        if last is None:
            return month_end, _stages(dict.fromkeys(STAGES))
        tables = {stage: snapshots.people_on(joined[stage], shown[stage], last.day) for stage in STAGES}
        return last.day, _stages({stage: None if table is None else table.get(wanted, 0) for stage, table in tables.items()})

    async def _shown(self, dimension: str, joined: Mapping[str, snapshots.Joined]) -> dict[str, list[str]]:
        """The months of each stage whose ends may be shown."""
        if dimension != "dinas+kota":
            return {stage: snapshots.published(joined[stage], self.smallest_cell) for stage in STAGES}
        dinas, kota = [await self._shown(sums, await self.joined(sums)) for sums in ("dinas", "kota")]
        both = {stage: set(dinas[stage]) & set(kota[stage]) for stage in STAGES}
        return {stage: snapshots.published(joined[stage], self.smallest_cell, both[stage]) for stage in STAGES}

    def _hidden(self, dimension: str, cells: Mapping[str, int]) -> set[str] | None:
        return _HIDE.get(dimension, suppression.suppressed)(cells, self.smallest_cell)

    def _public(self, dimension: str, value: str, cells: Mapping[str, int]) -> int | None:
        """People of one value. Where nothing can be shown, nor can it be that a value has nobody: it would say who has."""
        hidden = self._hidden(dimension, cells)
        return None if hidden is None or value in hidden else cells.get(value, 0)


def _stages(people: Mapping[str, int | None]) -> list[Document]:
    base = people["P1"]
    return [
        {
            "stage": stage,
            "people": count,
            "percent_of_p1": domain.percent(count, base) if count is not None and base else None,
            "suppressed": count is None,
        }
        for stage, count in people.items()
    ]
