"""Reconciliation: recount the ledger and compare it with the rollups. The difference must be 0.

In pieces of some months, each at a snapshot of a few seconds, under a lease, with a checkpoint after each: a process that dies
leaves its progress to the next one. Figures stay readable and writable meanwhile. Next: recount.py.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import TypedDict

from chassis import clock, logs
from chassis.database import lease
from chassis.database.failures import PyMongoError
from chassis.database.mongo import Mongo
from chassis.documents import Document
from services.metrics import telemetry
from services.metrics.ledger.recount import Figures, differences, months_with_figures, recounted, shown, totals
from services.metrics.ledger.store import LEDGER, PENDING

log = logs.get(__name__)
RECONCILIATIONS = "reconciliations"
_PEOPLE = 50_000  # counted in one piece: about a second
_LEASE_SECONDS = 30.0  # longer than a piece
_LOOK_SECONDS = 2.0
_SHOWN = 100  # differences in a result
_STALE = timedelta(hours=1)  # progress that nobody goes on with
_BACKOFF_SECONDS, _BACKOFF_LIMIT = 5.0, 600.0


class Progress(TypedDict):
    """How far a recount has come."""

    _id: str
    started: str  # ISO 8601, UTC
    pieces: list[list[str]]  # first and last month of each
    done: int  # pieces
    seconds: float
    figures: int  # compared so far
    difference: int
    differences: list[Document]
    excess: list[tuple[str, int]]  # by how much the months of a figure are shown too high: totals aren't blamed for it


class Reconciliation:
    """Recounts under a lease, remembers the last result."""

    def __init__(self, mongo: Mongo, every_seconds: float, owner: str = "reconciliation") -> None:
        self._mongo = mongo
        self._every = every_seconds
        self._owner = owner
        self._backoff = 0.0

    async def latest(self) -> Document | None:
        """The last result."""
        found: Document | None = await self._mongo[RECONCILIATIONS].find_one({"_id": "latest"})
        return found

    async def fresh(self) -> Document | None:
        """A result of a recount that begins now, or, while another process recounts, of the one that it finishes."""
        asked = clock.now().isoformat()
        while True:
            held = await lease.acquire(self._mongo, "reconciliation", f"{self._owner}:fresh", _LEASE_SECONDS)
            if held is not None:
                try:
                    return await self.run(f"{self._owner}:fresh")
                finally:
                    await lease.release(self._mongo, held)
            found = await self.latest()
            if found is not None and found["checked_at"] >= asked:
                return found
            await asyncio.sleep(0.2)

    async def work(self) -> None:
        """Worker: recount when it is time, on whichever replica holds the lease; the others show the result."""
        latest = await self.latest()
        if latest is not None:
            telemetry.reconciled(latest["difference"], latest["checked_at"])
            due = time.time() - telemetry.reconciled_at() >= self._every
            if not due:
                await asyncio.sleep(min(_LOOK_SECONDS, self._every))
                return
        held = await lease.acquire(self._mongo, "reconciliation", self._owner, _LEASE_SECONDS)
        if held is None:
            await asyncio.sleep(_LOOK_SECONDS)
            return
        try:
            await self.run(self._owner)
            self._backoff = 0.0
        except PyMongoError:
            self._backoff = min(_BACKOFF_LIMIT, max(_BACKOFF_SECONDS, self._backoff * 2))
            log.warning("reconciliation_interrupted", again_in=self._backoff, exc_info=True)
            await asyncio.sleep(self._backoff)
        finally:
            await lease.release(self._mongo, held)

    async def run(self, owner: str | None = None) -> Document:
        """Recount, going on where a recount was interrupted. With an owner its lease is renewed before each piece."""
        progress = await self._progress()
        while progress["done"] < len(progress["pieces"]):
            if owner is not None and await lease.acquire(self._mongo, "reconciliation", owner, _LEASE_SECONDS) is None:
                raise PyMongoError("another process recounts")
            first, last = progress["pieces"][progress["done"]]
            started = time.monotonic()
            async with self._mongo.snapshot() as snapshot:
                counted = await recounted(self._mongo, first, last, snapshot)
                kept = await shown(self._mongo, first, last, snapshot)
            self._note(progress, counted, kept, time.monotonic() - started)
            progress["excess"] += _excess(counted, kept)
            progress["done"] += 1
            await self._mongo[RECONCILIATIONS].replace_one({"_id": "progress"}, progress, upsert=True)
        started = time.monotonic()
        async with self._mongo.snapshot() as snapshot:
            added, kept = await totals(self._mongo, snapshot)
        for figure, excess in progress["excess"]:
            added[figure] -= excess
        self._note(progress, added, kept, time.monotonic() - started)
        return await self._finish(progress)

    async def _progress(self) -> Progress:
        found: Progress | None = await self._mongo[RECONCILIATIONS].find_one({"_id": "progress"})
        if found is not None and found["started"] >= (clock.now() - _STALE).isoformat():
            return found
        return {
            "_id": "progress",
            "started": clock.now().isoformat(),
            "pieces": _pieces(await months_with_figures(self._mongo)),
            "done": 0,
            "seconds": 0.0,
            "figures": 0,
            "difference": 0,
            "differences": [],
            "excess": [],
        }

    def _note(self, progress: Progress, counted: Figures, kept: Figures, seconds: float) -> None:
        found = list(differences(counted, kept))
        progress["seconds"] += seconds
        progress["figures"] += sum(1 for count in kept.values() if count)
        progress["difference"] += sum(abs(each["ledger"] - each["rollup"]) for each in found)
        progress["differences"] = [*progress["differences"], *found][:_SHOWN]

    async def _finish(self, progress: Progress) -> Document:
        result: Document = {
            "_id": "latest",
            "checked_at": clock.now().isoformat(),
            "seconds": round(progress["seconds"], 3),
            "figures": progress["figures"],
            "events": await self._mongo[LEDGER].estimated_document_count(),
            "pending": await self._mongo[PENDING].count_documents({}),
            "difference": progress["difference"],
            "differences": sorted(progress["differences"], key=lambda each: str(each["figure"])),
        }
        await self._mongo[RECONCILIATIONS].replace_one({"_id": "latest"}, result, upsert=True)
        await self._mongo[RECONCILIATIONS].delete_one({"_id": "progress"})
        if result["difference"]:
            log.error("reconciliation_difference", difference=result["difference"], first=result["differences"][0]["figure"])
        return result


def _excess(counted: Figures, kept: Figures) -> list[tuple[str, int]]:
    """By how much months are shown too high, for each figure as the totals name it."""
    found: Figures = Counter()
    for each in differences(counted, kept):
        figure, _, month = str(each["figure"]).rpartition("|")
        if len(month) == len("2021-03"):
            found[figure] += each["rollup"] - each["ledger"]
    return list(found.items())


def _pieces(months: Mapping[str, int]) -> list[list[str]]:
    """Consecutive months, together about as many people as a piece may have; gaps between months belong to a piece too."""
    pieces: list[list[str]] = []
    people = 0
    for month, count in months.items():
        if pieces and people + count <= _PEOPLE:
            pieces[-1][1] = month
            people += count
        else:
            pieces.append([month, month])
            people = count
    for piece, following in pairwise(pieces):
        piece[1] = _month_before(following[0])
    return pieces


def _month_before(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}"
