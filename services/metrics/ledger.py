"""The ledger's writing side: what projections.py decides, written in the transaction that moves the position.

Inserts are tried first; only when one meets a duplicate, the batch is done again `careful`ly, looking up what is new.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

from pymongo import ReplaceOne, UpdateOne

from chassis.effect import Applied
from chassis.mongo import Document, Mongo, Tx, WriteRace
from contracts.envelope import Event
from services.metrics.projections import Fact, Folded, Increments, Row, fact_id, fold, ledger_row, predecessor

LEDGER = "ledger"
FACTS = "facts"
ROLLUPS = "rollups"
TOTALS = "totals"
PENDING = "pending"
GENERATION = "1"
_SLICE = 500  # events folded before the event loop gets a turn: well under 20 ms
_PENDING_PAGE = 500
_CODE = re.compile(r"(?<=\d)_(?=\d)")


def total_id(measure: str, dimension: str) -> str:
    """`<generation>|<measure>|<dimension>`: a document `{n: {value: count}}`."""
    return f"{GENERATION}|{measure}|{dimension}"


def month_id(measure: str, dimension: str, month: str) -> str:
    """`<generation>|<measure>|<dimension>|<month>`: `{n: {value: count}, d: {value: {day: count}}}`. Reads are ranges."""
    return f"{total_id(measure, dimension)}|{month}"


def field_of(value: str) -> str:
    """A value as a field name: codes have dots, field names can't."""
    return value.replace(".", "_")


def value_of(field: str) -> str:
    """A field name as the value: no code has an underscore between digits."""
    return _CODE.sub(".", field)


class Ledger:
    """`project` is the function that a Projection wants."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def project(self, tx: Tx, events: Sequence[Event], careful: bool) -> Applied:
        """Ledger rows, facts and rollups of one batch. Counts events seen before and predecessors never seen."""
        rows: dict[str, Row] = {}
        needed: set[str] = set()
        for index, event in enumerate(events, start=1):
            row = ledger_row(event)
            rows[row["_id"]] = row
            before = predecessor(event)
            if before is not None:
                needed.add(before)
            if index % _SLICE == 0:
                await asyncio.sleep(0)
        if careful:
            for known in await self._ids(LEDGER, rows, tx):
                del rows[known]
        missing = needed - rows.keys()
        gaps = len(missing) - len(await self._ids(LEDGER, missing, tx)) if missing else 0
        if rows:
            await self._mongo.insert_all(LEDGER, list(rows.values()), tx)
            await self._count(tx, list(rows.values()), careful=careful)
        return Applied(duplicates=len(events) - len(rows), gaps=gaps)

    async def resolve_pending(self) -> int:
        """Count evidence that came before its person's P1 was seen, now that it may have been; returns how many waited."""
        waiting: list[Row] = await self._mongo[PENDING].find({}).limit(_PENDING_PAGE).to_list(None)
        ready = {
            doc["_id"].rpartition(":")[0]
            for doc in await self._mongo.find_by_ids(FACTS, {fact_id(row["person"], "P1") for row in waiting})
        }
        rows = [row for row in waiting if row["person"] in ready]

        async def work(tx: Tx) -> None:
            deleted = await self._mongo[PENDING].delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx)
            if deleted.deleted_count != len(rows):
                raise WriteRace("pending")  # another process counts some of them: nothing is deleted uncounted
            await self._count(tx, rows, careful=True)

        if rows:
            await self._mongo.transaction(work)
        return len(waiting)

    async def _count(self, tx: Tx, rows: Sequence[Row], *, careful: bool) -> None:
        folded = await self._fold(rows, await self._known_facts(tx, rows, careful=careful))
        if folded.pending:
            await self._mongo[PENDING].insert_many(folded.pending, session=tx)
        if folded.new_facts:
            await self._mongo.insert_all(FACTS, list(folded.new_facts.values()), tx)
        if folded.earlier_facts:
            requests = [ReplaceOne({"_id": identity}, fact) for identity, fact in folded.earlier_facts.items()]
            await self._mongo[FACTS].bulk_write(requests, session=tx)
        increments = folded.increments() if len(rows) <= _SLICE else await asyncio.to_thread(folded.increments)
        for collection, updates in ((ROLLUPS, month_updates(increments)), (TOTALS, total_updates(increments))):
            if updates:
                await self._mongo[collection].bulk_write(updates, ordered=False, session=tx)

    async def _known_facts(self, tx: Tx, rows: Sequence[Row], *, careful: bool) -> dict[str, Fact]:
        """Facts that exist already. Nearly every P1 is a person's first: it is looked up only after a clash."""
        wanted: set[str] = set()
        for row in rows:
            measure = row.get("measure")
            if measure == "P1" and careful:
                wanted.add(fact_id(row["person"], "P1"))
            elif measure is not None and measure.startswith("P") and measure != "P1":
                wanted |= {fact_id(row["person"], measure), fact_id(row["person"], "P1")}
        return {doc["_id"]: doc for doc in await self._mongo.find_by_ids(FACTS, wanted, tx)} if wanted else {}

    @staticmethod
    async def _fold(rows: Sequence[Row], facts: dict[str, Fact]) -> Folded:
        if len(rows) <= _SLICE:
            return fold(rows, facts)
        return await asyncio.to_thread(fold, rows, facts)  # the event loop stays free; fold touches nothing shared

    async def _ids(self, collection: str, ids: Iterable[str], tx: Tx) -> list[str]:
        query = {"_id": {"$in": list(ids)}}
        found: list[Document] = await self._mongo[collection].find(query, projection=["_id"], session=tx).to_list(None)
        return [doc["_id"] for doc in found]


def month_updates(increments: Increments) -> list[UpdateOne]:
    """One upsert for each month and dimension that the batch touches."""
    updates = []
    for (measure, dimension, month), values in increments.months.items():
        steps = {f"n.{field_of(value)}": count for value, count in values.items() if count}
        days = increments.days.get((measure, dimension, month), {})
        steps |= {f"d.{field_of(value)}.{day}": count for (value, day), count in days.items() if count}
        if steps:
            updates.append(UpdateOne({"_id": month_id(measure, dimension, month)}, {"$inc": steps}, upsert=True))
    return updates


def total_updates(increments: Increments) -> list[UpdateOne]:
    """One upsert for each dimension that the batch touches."""
    updates = []
    for (measure, dimension), values in increments.totals.items():
        steps = {f"n.{field_of(value)}": count for value, count in values.items() if count}
        if steps:
            updates.append(UpdateOne({"_id": total_id(measure, dimension)}, {"$inc": steps}, upsert=True))
    return updates
