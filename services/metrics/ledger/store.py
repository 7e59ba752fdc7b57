"""The ledger's writing side: what rules.py decides, written in the transaction that moves the position.

Inserts are tried first; only when one meets a duplicate the batch is done again, looking up what is new.
Next: pending.py, for evidence that came before its person; reconciliation.py, which recounts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chassis.consuming.effect import Applied, Circumstances, Gap, OtherContent
from chassis.database.mongo import Mongo, ReplaceOne, Tx, UpdateOne
from chassis.offload import offload
from contracts.envelope import Event
from services.metrics.documents import FACTS
from services.metrics.ledger.rollup_ids import field_of, month_id, total_id
from services.metrics.ledger.rules import (
    REGISTERED,
    Fact,
    Folded,
    Increments,
    Row,
    fact_id,
    fold,
    ledger_row,
    predecessor,
)

LEDGER = "ledger"
ROLLUPS = "rollups"
TOTALS = "totals"
PENDING = "pending"


async def ensure_indexes(mongo: Mongo) -> None:
    """Recounts go month by month; few rows move a count; what waits is found by its person."""
    await mongo[LEDGER].create_index("day", name="counted", partialFilterExpression={"measure": {"$exists": True}})
    await mongo[LEDGER].create_index("moved_from", name="moved", partialFilterExpression={"moved_from": {"$exists": True}})
    await mongo[PENDING].create_index("person")


@dataclass(frozen=True, slots=True)
class Counts:
    """What new ledger rows change besides the ledger."""

    folded: Folded
    increments: Increments


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch as rows, the predecessors that aren't in it, and its counts, if they are the same whatever is stored."""

    events: Mapping[str, Event]  # by ledger id
    duplicates: int  # within the batch
    conflicting: Event | None  # has the id of another one in the batch, and says something else
    rows: Mapping[str, Row]
    before: Mapping[str, Event]  # ledger id of a predecessor -> the event that follows it
    counts: Counts | None


def prepare(events: Sequence[Event]) -> Prepared:
    """What can be computed of a batch before its transaction. Pure."""
    rows: dict[str, Row] = {}
    by_id: dict[str, Event] = {}
    conflicting: Event | None = None
    for event in events:
        row = ledger_row(event)
        known = rows.setdefault(row["_id"], row)
        by_id.setdefault(row["_id"], event)
        if known["content"] != row["content"]:
            conflicting = conflicting or event
    before: dict[str, Event] = {}
    for event in by_id.values():
        identity = predecessor(event)
        if identity is not None and identity not in rows:
            before[identity] = event
    counts = None if facts_wanted(rows.values(), look_first=False) else count(rows.values(), {})
    return Prepared(by_id, len(events) - len(rows), conflicting, rows, before, counts)


def count(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Counts:
    """Fold new rows, given the facts that exist for their people."""
    folded = fold(rows, facts)
    return Counts(folded, folded.increments())


def facts_wanted(rows: Iterable[Row], *, look_first: bool) -> set[str]:
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

    async def project(self, tx: Tx, prepared: Prepared, circumstances: Circumstances) -> Applied:
        """Ledger rows, facts and rollups of one batch. Raises Gap and OtherContent before anything is written."""
        if prepared.conflicting is not None:
            raise OtherContent(prepared.conflicting)
        rows, counts, duplicates = prepared.rows, prepared.counts, prepared.duplicates
        if circumstances.look_first:
            known = await self._known(prepared, tx)
            rows, counts = {identity: row for identity, row in rows.items() if identity not in known}, None
            duplicates += len(known)
        await self._require_predecessors(prepared, rows, circumstances, tx)
        if rows:
            if counts is None:
                counts = await self.count_of(tx, rows.values(), look_first=circumstances.look_first)
            marked = [counts.folded.marked(row) for row in rows.values()] if counts.folded.marks else list(rows.values())
            await self._mongo.insert_all(LEDGER, marked, tx)
            await self.write(tx, counts, circumstances.slot)
        return Applied(duplicates)

    async def _known(self, prepared: Prepared, tx: Tx) -> set[str]:
        """Which rows are stored already; raises OtherContent for one that says something else."""
        query = {"_id": {"$in": list(prepared.rows)}}
        known = set[str]()
        for stored in await self._mongo[LEDGER].find(query, projection=["content"], session=tx).to_list(None):
            identity = stored["_id"]
            if stored.get("content", prepared.rows[identity]["content"]) != prepared.rows[identity]["content"]:
                raise OtherContent(prepared.events[identity])
            known.add(identity)
        return known

    async def _require_predecessors(
        self, prepared: Prepared, rows: Mapping[str, Row], circumstances: Circumstances, tx: Tx
    ) -> None:
        """A lookup, not an update for each event: a predecessor is in the batch or in the ledger."""
        if not prepared.before:
            return
        query = {"_id": {"$in": list(prepared.before)}}
        found = await self._mongo[LEDGER].find(query, projection=["_id"], session=tx).to_list(None)
        missing = prepared.before.keys() - {stored["_id"] for stored in found}
        gaps = [prepared.before[identity] for identity in missing]
        new = [event for event in gaps if ledger_row(event)["_id"] in rows and not circumstances.accepts_gap(event)]
        if new:
            raise Gap(new)

    async def count_of(self, tx: Tx, rows: Collection[Row], *, look_first: bool) -> Counts:
        """Fold rows against the stored facts of their people."""
        wanted = facts_wanted(rows, look_first=look_first)
        facts = {doc["_id"]: doc for doc in await self._mongo.find_by_ids(FACTS, wanted, tx)} if wanted else {}
        return await offload(len(rows), count, rows, facts)

    async def write(self, tx: Tx, counts: Counts, slot: str) -> None:
        """Facts, what waits, and the slot's totals and rollups."""
        folded = counts.folded
        if folded.pending:
            await self._mongo.insert_all(PENDING, folded.pending, tx)
        if folded.new_facts:
            await self._mongo.insert_all(FACTS, list(folded.new_facts.values()), tx)
        if folded.earlier_facts:
            requests = [ReplaceOne({"_id": identity}, fact) for identity, fact in folded.earlier_facts.items()]
            await self._mongo[FACTS].bulk_write(requests, session=tx)
        for collection, updates in (
            (ROLLUPS, month_updates(counts.increments, slot)),
            (TOTALS, total_updates(counts.increments, slot)),
        ):
            if updates:
                await self._mongo[collection].bulk_write(updates, ordered=False, session=tx)


def month_updates(increments: Increments, slot: str) -> list[UpdateOne]:
    """One upsert for each month and dimension that the batch touches."""
    updates = []
    for (measure, dimension, month), values in increments.months.items():
        steps = {f"n.{field_of(value)}": count for value, count in values.items() if count}
        days = increments.days.get((measure, dimension, month), {})
        steps |= {f"d.{field_of(value)}.{day}": count for (value, day), count in days.items() if count}
        if steps:
            updates.append(UpdateOne({"_id": month_id(measure, dimension, month, slot)}, {"$inc": steps}, upsert=True))
    return updates


def total_updates(increments: Increments, slot: str) -> list[UpdateOne]:
    """One upsert for each dimension that the batch touches."""
    updates = []
    for (measure, dimension), values in increments.totals.items():
        steps = {f"n.{field_of(value)}": count for value, count in values.items() if count}
        if steps:
            updates.append(UpdateOne({"_id": total_id(measure, dimension, slot)}, {"$inc": steps}, upsert=True))
    return updates


__all__ = ["FACTS", "LEDGER", "PENDING", "ROLLUPS", "TOTALS", "Ledger", "Prepared", "ensure_indexes", "prepare"]
