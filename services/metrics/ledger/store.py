"""The ledger's writing side: what projections.py decides, written in the transaction that moves the position.

Inserts are tried first; only when one meets a duplicate, the batch is done again with `look_first`ly, looking up what is new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.consuming.effect import Applied
from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo, ReplaceOne, Tx, UpdateOne
from chassis.documents import Document
from chassis.offload import offload
from contracts.envelope import Event
from services.metrics.ledger.rules import REGISTERED, Fact, Folded, Increments, Row, fact_id, fold, ledger_row, predecessor

LEDGER = "ledger"
FACTS = "facts"
ROLLUPS = "rollups"
TOTALS = "totals"
PENDING = "pending"
GENERATION = "1"
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


@dataclass(frozen=True, slots=True)
class Counts:
    """What new ledger rows change besides the ledger."""

    folded: Folded
    months: list[UpdateOne]
    totals: list[UpdateOne]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch as rows, the predecessors that aren't in it, and its counts, if they are the same whatever is stored."""

    events: int
    rows: dict[str, Row]
    before: set[str]
    counts: Counts | None


def prepare(events: Sequence[Event]) -> Prepared:
    """What can be computed of a batch before its transaction. Pure."""
    rows = {row["_id"]: row for row in map(ledger_row, events)}
    before = {identity for identity in map(predecessor, events) if identity is not None and identity not in rows}
    counts = None if _facts_wanted(rows.values(), look_first=False) else count(rows.values(), {})
    return Prepared(len(events), rows, before, counts)


def count(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Counts:
    """Fold new rows, given the facts that exist for their people."""
    folded = fold(rows, facts)
    increments = folded.increments()
    return Counts(folded, month_updates(increments), total_updates(increments))


def _facts_wanted(rows: Iterable[Row], *, look_first: bool) -> set[str]:
    """Which facts decide what the rows count. Nearly every P1 is a person's first: it is looked up only after a clash."""
    wanted: set[str] = set()
    for row in rows:
        measure = row.get("measure")
        if measure == "P1" and look_first:
            wanted.add(fact_id(row["person"], "P1"))
        elif measure is not None and measure not in (REGISTERED, "P1"):
            wanted |= {fact_id(row["person"], measure), fact_id(row["person"], "P1")}
    return wanted


class Ledger:
    """`project` is the function that a Projection wants, with `prepare`."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def project(self, tx: Tx, prepared: Prepared, look_first: bool) -> Applied:
        """Ledger rows, facts and rollups of one batch. Counts events seen before and predecessors never seen."""
        rows, counts = prepared.rows, prepared.counts
        if look_first:
            known = set(await self._ids(LEDGER, rows, tx))
            rows, counts = {identity: row for identity, row in rows.items() if identity not in known}, None
        gaps = len(prepared.before) - len(await self._ids(LEDGER, prepared.before, tx)) if prepared.before else 0
        if rows:
            await self._mongo.insert_all(LEDGER, list(rows.values()), tx)
            await self._write(tx, counts or await self._count(tx, rows.values(), look_first=look_first))
        return Applied(duplicates=prepared.events - len(rows), gaps=gaps)

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
            await self._write(tx, await self._count(tx, rows, look_first=True))

        if rows:
            await self._mongo.transaction(work)
        return len(waiting)

    async def _count(self, tx: Tx, rows: Collection[Row], *, look_first: bool) -> Counts:
        wanted = _facts_wanted(rows, look_first=look_first)
        facts = {doc["_id"]: doc for doc in await self._mongo.find_by_ids(FACTS, wanted, tx)} if wanted else {}
        return await offload(len(rows), count, rows, facts)

    async def _write(self, tx: Tx, counts: Counts) -> None:
        folded = counts.folded
        if folded.pending:
            await self._mongo[PENDING].insert_many(folded.pending, session=tx)
        if folded.new_facts:
            await self._mongo.insert_all(FACTS, list(folded.new_facts.values()), tx)
        if folded.earlier_facts:
            requests = [ReplaceOne({"_id": identity}, fact) for identity, fact in folded.earlier_facts.items()]
            await self._mongo[FACTS].bulk_write(requests, session=tx)
        for collection, updates in ((ROLLUPS, counts.months), (TOTALS, counts.totals)):
            if updates:
                await self._mongo[collection].bulk_write(updates, ordered=False, session=tx)

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
