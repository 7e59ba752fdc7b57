"""A recount of the ledger over some months, and the same figures as they are shown, at one point in time.

Rows of the ledger say how they were counted (rules.py), so a month is recounted without a look at a person's other rows.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.offload import offload
from contracts.reference import STAGES
from services.metrics.ledger.pending import LATE
from services.metrics.ledger.rollup_ids import figure_prefix, measure_and_dimension, month_of, value_of
from services.metrics.ledger.rules import DAILY, DIMENSIONS, REGISTERED
from services.metrics.ledger.store import LEDGER, ROLLUPS, TOTALS

MEASURES = (REGISTERED, *STAGES)
Figures = Counter[str]
_SECONDS = 60.0  # for one query; a piece takes a few
# Each pass over the rows counts groups of some attributes; the dimensions are sums of its groups. By day in the first pass and by
# month in the others, as the rollups keep them. One pass for all would have nearly as many groups as people.
_DAY, _MONTH = "day", "month"
_PASSES: Sequence[tuple[str, Mapping[str, tuple[str, ...]]]] = (
    (_DAY, {"all": (), "dinas": ("dinas",), "kota": ("kota",), "dinas+kota": ("dinas", "kota")}),
    (_MONTH, {"kecamatan": ("kecamatan",), "category": ("category",), "gender": ("gender",)}),
    (_MONTH, {"commodity": ("commodity",)}),
)


async def months_with_figures(mongo: Mongo) -> dict[str, int]:
    """Each month for which there are rollups or rows, in order, and about how many people count in it."""
    counts: Counter[str] = Counter()
    ranges = [{"_id": {"$gt": figure_prefix(measure, "all"), "$lt": figure_prefix(measure, "all") + "~"}} for measure in MEASURES]
    async for document in mongo[ROLLUPS].find({"$or": ranges}, {"n.all": 1}):
        counts[month_of(document["_id"])] += max(0, document["n"].get("all", 0))
    for order in (1, -1):
        row = await mongo[LEDGER].find_one({"measure": {"$exists": True}}, sort=[("day", order)], projection=["day"])
        if row is not None:
            counts[row["day"][:7]] += 0
    return dict(sorted(counts.items()))


async def recounted(mongo: Mongo, first: str, last: str, snapshot: Tx) -> Figures:
    """The figures of the months from `first` to `last`, from the rows: `measure|dimension|value|month`, and `…|month-day`."""
    figures: Figures = Counter()
    days = {"$gte": f"{first}-01", "$lte": f"{last}-31"}
    counts = {"late": {"$exists": False}, "$or": [{"again": {"$exists": False}}, {"moved_from": {"$exists": True}}]}
    for collection in (LEDGER, LATE):
        counted = {"measure": {"$exists": True}, "day": days, **counts}
        await _add_up(mongo, figures, collection, counted, "day", 1, snapshot)
        await _add_up(mongo, figures, collection, {"moved_from": days}, "moved_from", -1, snapshot)
    return figures


async def _add_up(
    mongo: Mongo, figures: Figures, collection: str, rows: Mapping[str, Any], day: str, sign: int, snapshot: Tx
) -> None:
    for unit, dimensions in _PASSES:
        when = f"${day}" if unit == _DAY else {"$substrBytes": [f"${day}", 0, 7]}
        attributes = {name: f"${name}" for names in dimensions.values() for name in names}
        group = {"$group": {"_id": {"measure": "$measure", "when": when, **attributes}, "n": {"$sum": sign}}}
        found = await mongo.aggregate(collection, [{"$match": rows}, group], snapshot, seconds=_SECONDS)
        if not found:
            return  # nobody: nothing to count in the other dimensions
        await offload(len(found), _add, figures, dimensions, found)


def _add(figures: Figures, dimensions: Mapping[str, tuple[str, ...]], found: Sequence[Document]) -> None:
    for document in found:
        group, n = document["_id"], document["n"]
        when = group["when"]
        for dimension, names in dimensions.items():
            value = "+".join(str(group.get(name)) for name in names) or "all"
            figure = f"{group['measure']}|{dimension}|{value}"
            figures[f"{figure}|{when[:7]}"] += n
            if dimension in DAILY:
                figures[f"{figure}|{when}"] += n


async def shown(mongo: Mongo, first: str, last: str, snapshot: Tx) -> Figures:
    """The same figures from the rollups."""
    figures: Figures = Counter()
    prefixes = [figure_prefix(measure, dimension) for measure in MEASURES for dimension in DIMENSIONS]
    query = {"$or": [{"_id": {"$gte": prefix + first, "$lt": f"{prefix}{last}~"}} for prefix in prefixes]}
    async for document in mongo[ROLLUPS].find(query, session=snapshot):
        measure, dimension = measure_and_dimension(document["_id"])
        month = month_of(document["_id"])
        for name, n in document["n"].items():
            figures[f"{measure}|{dimension}|{value_of(name)}|{month}"] += n
        for name, days in document.get("d", {}).items():
            for day, n in days.items():
                figures[f"{measure}|{dimension}|{value_of(name)}|{month}-{day}"] += n
        await asyncio.sleep(0)
    return figures


async def totals(mongo: Mongo, snapshot: Tx) -> tuple[Figures, Figures]:
    """`measure|dimension|value` as the months add up, and as the totals show it."""
    added: Figures = Counter()
    async for document in mongo[ROLLUPS].find({}, {"n": 1}, session=snapshot):
        _add_values(added, document)
        await asyncio.sleep(0)
    kept: Figures = Counter()
    async for document in mongo[TOTALS].find({}, session=snapshot):
        _add_values(kept, document)
    return added, kept


def _add_values(figures: Figures, document: Document) -> None:
    measure, dimension = measure_and_dimension(document["_id"])
    figures.update({f"{measure}|{dimension}|{value_of(name)}": n for name, n in document["n"].items()})


def differences(counted: Figures, kept: Figures) -> Iterable[Document]:
    """Each figure that differs, in order of their names."""
    for figure in sorted(counted.keys() | kept.keys()):
        if counted[figure] != kept[figure]:
            yield {"figure": figure, "ledger": counted[figure], "rollup": kept[figure]}
