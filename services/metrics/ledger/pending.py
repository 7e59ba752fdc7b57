"""Evidence that came before its person's P1: it waits, and is counted when the P1 arrives.

Whoever commits a P1 looks for what waits for that person, and whoever lets evidence wait looks for the P1, both after their
commit: one of the two sees the other. A slow walk over all that waits finds what a crash between commit and look left behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from chassis import logs
from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo, Tx
from services.metrics.documents import FACTS
from services.metrics.ledger.rules import Row, fact_id
from services.metrics.ledger.store import PENDING, Ledger, Prepared

LATE = "late_evidence"  # evidence that was counted after it had waited, with the attributes under which it counts
SLOT = "late"
log = logs.get(__name__)
_PAGE = 500
_PEOPLE = 200_000  # remembered at most; the walk finds the rest
_WALK_SECONDS = 1.0  # between two pages of the walk, when nothing else is to do
_TRIES = 5


async def ensure_indexes(mongo: Mongo) -> None:
    """As the ledger's own."""
    await mongo[LATE].create_index("day")
    await mongo[LATE].create_index("moved_from", name="moved", partialFilterExpression={"moved_from": {"$exists": True}})


class PendingEvidence:
    """`noticed` hears of every committed batch; `work` is a worker, of which any number of processes may run."""

    def __init__(self, mongo: Mongo, ledger: Ledger) -> None:
        self._mongo = mongo
        self._ledger = ledger
        self._people: dict[str, None] = {}  # whose P1 or whose evidence was just committed, in order
        self._wake = asyncio.Event()
        self._after = ""  # where the walk is
        self._walked = 0.0

    def noticed(self, prepared: Prepared) -> None:
        """A batch is committed: look for what waits for its people, and for the P1 of those whose evidence it brought."""
        for row in prepared.rows.values():
            measure = row.get("measure")
            if measure is not None and measure != "registered" and len(self._people) < _PEOPLE:
                self._people[row["person"]] = None
        self._wake.set()

    async def work(self) -> None:
        """One round: everybody noticed, then a page of the walk."""
        self._wake.clear()
        if await self._mongo[PENDING].find_one({}, projection={"_id": 1}) is None:
            self._people.clear()
        while self._people:
            people = [person for person, _ in zip(list(self._people), range(_PAGE), strict=False)]
            await self._settle(await self._of_people(people))
            for person in people:
                self._people.pop(person, None)
            await asyncio.sleep(0)
        if time.monotonic() - self._walked >= _WALK_SECONDS:
            await self.walk()
            self._walked = time.monotonic()

    async def walk(self) -> int:
        """Look at the next page of all that waits, round and round; returns how many rows were looked at."""
        query = {"_id": {"$gt": self._after}}
        page: list[Row] = await self._mongo[PENDING].find(query).sort("_id", 1).limit(_PAGE).to_list(None)
        self._after = page[-1]["_id"] if len(page) == _PAGE else ""
        await self._settle(page)
        return len(page)

    async def _of_people(self, people: Sequence[str]) -> list[Row]:
        found: list[Row] = await self._mongo[PENDING].find({"person": {"$in": list(people)}}).to_list(None)
        return found

    async def _settle(self, waiting: Iterable[Row]) -> None:
        """Count those whose person's P1 is known by now."""
        rows = list(waiting)
        if not rows:
            return
        first = {fact_id(row["person"], "P1") for row in rows}
        ready = {doc["_id"].rpartition(":")[0] for doc in await self._mongo.find_by_ids(FACTS, first)}
        rows = [row for row in rows if row["person"] in ready]

        async def count(tx: Tx) -> None:
            deleted = await self._mongo[PENDING].delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=tx)
            if deleted.deleted_count != len(rows):
                raise WriteRace("pending")  # another process counts some of them: nothing is deleted uncounted
            counts = await self._ledger.count_of(tx, rows, look_first=True)
            await self._mongo.insert_all(LATE, [counts.folded.marked(row) for row in rows], tx)
            await self._ledger.write(tx, counts, SLOT)

        for attempt in range(_TRIES if rows else 0):
            try:
                await self._mongo.transaction(count)
                return
            except WriteRace as race:
                log.info("pending_race", reason=race.reason)
                await asyncio.sleep(0.02 * 2**attempt)
                left = await self._mongo.find_by_ids(PENDING, [row["_id"] for row in rows])
                rows = list(left)
                if not rows:
                    return
