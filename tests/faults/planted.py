"""Known bugs, each a small patch on the running code: what the checker must be able to find.

    python -m tests.faults.run_service registration --role relay --bug cursor_outbox

The services' own code knows nothing of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from pymongo import UpdateOne

from chassis import clock
from chassis.consuming import dead_letters, positions
from chassis.consuming.effect import Applied, Circumstances, InSameTransaction, Projection
from chassis.consuming.local_view import LocalView
from chassis.consuming.positions import POSITIONS
from chassis.database.mongo import LogicalTime, Mongo, SaveEvents, Tx
from chassis.database.writes import Writes
from chassis.documents import Document
from chassis.publishing.outbox_progress import OutboxProgress
from chassis.publishing.relay import Relay
from chassis.writing import outbox
from chassis.writing.outbox import OUTBOX, OutboxDocument, SavedEvent
from contracts.envelope import Event
from services.metrics.ledger.store import Ledger, Prepared
from services.training.seats.desk import Desk

Plant = Callable[[pytest.MonkeyPatch], None]
LATE_SECONDS = 0.05
unfinished: set[asyncio.Task[Any]] = set()  # commits of which the caller was told too early


def reply_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The caller hears 201, then the commit begins."""
    plain = Mongo.transaction

    async def transaction(self: Mongo, work: Callable[[Tx], Awaitable[Any]], deadline_seconds: float = 20.0) -> Any:
        async def later() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await plain(self, work, deadline_seconds)

        task = asyncio.create_task(later())
        unfinished.add(task)
        task.add_done_callback(unfinished.discard)

    patch.setattr(Mongo, "transaction", transaction)


def outbox_not_saved(patch: pytest.MonkeyPatch) -> None:
    """The change is stored, its events aren't."""
    plain = Mongo.write

    async def write(self: Mongo, writes: Mapping[str, Writes], tx: Tx, save_events: SaveEvents | None = None) -> None:
        await plain(self, writes, tx)

    patch.setattr(Mongo, "write", write)


def mark_before_send(patch: pytest.MonkeyPatch) -> None:
    """The relay forgets a commit's events, then sends them."""
    plain = Relay._hand_out

    async def hand_out(self: Relay, document: OutboxDocument, opened: set[TopicPartition]) -> int:
        await outbox.delete(self._mongo, [document["_id"]])
        return await plain(self, document, opened)

    patch.setattr(Relay, "_hand_out", hand_out)


def cursor_outbox(patch: pytest.MonkeyPatch) -> None:
    """The relay goes on after the last id that it has seen, and never round again."""
    last: dict[str, str] = {}

    plain = outbox.page

    async def page(mongo: Mongo, after: str, limit: int, snapshot: Tx) -> list[OutboxDocument]:
        found = await plain(mongo, last.get(mongo.database.name, ""), limit, snapshot)
        if found:
            last[mongo.database.name] = found[-1]["_id"]
        return found

    patch.setattr(outbox, "page", page)


def newest_first(patch: pytest.MonkeyPatch) -> None:
    """The relay sends the newest commits first."""

    async def page(mongo: Mongo, after: str, limit: int, snapshot: Tx) -> list[OutboxDocument]:
        query = {"_id": {"$lt": after}} if after else {}
        found: list[OutboxDocument] = await mongo[OUTBOX].find(query, session=snapshot).sort("_id", -1).limit(limit).to_list(None)
        return found

    patch.setattr(outbox, "page", page)


def stamp_of_own_clock(patch: pytest.MonkeyPatch) -> None:
    """Commits are stamped with the time of the process that makes them, right or wrong."""
    plain = outbox.documents_of

    def documents_of(events: Sequence[SavedEvent], time: LogicalTime) -> list[Document]:
        own = clock.now().timestamp()
        return plain(events, (int(own), int(own % 1 * 1_000_000)))

    patch.setattr(outbox, "documents_of", documents_of)


def snapshot_for_each_page(patch: pytest.MonkeyPatch) -> None:
    """The relay reads each page of a sweep as the outbox is by then."""
    plain = outbox.page

    async def page(mongo: Mongo, after: str, limit: int, snapshot: Tx) -> list[OutboxDocument]:
        async with mongo.snapshot() as newer:
            return await plain(mongo, after, limit, newer)

    patch.setattr(outbox, "page", page)


def floor_too_high(patch: pytest.MonkeyPatch) -> None:
    """Sweeps begin where the last one's snapshot was taken, though transactions may be open that began before it."""

    def settled_before(self: OutboxProgress, now: float) -> str:
        return max([self.floor, *(stamp for _, stamp in self._horizons)])

    patch.setattr(OutboxProgress, "_settled_before", settled_before)


def position_before_effect(patch: pytest.MonkeyPatch) -> None:
    """The position moves in a transaction of its own, before the effect."""

    async def commit(
        self: Projection, prepared: Any, in_same_transaction: InSameTransaction, circumstances: Circumstances
    ) -> Applied:
        await self._mongo.transaction(in_same_transaction)
        return await self._mongo.transaction(lambda tx: self._project(tx, prepared, circumstances))

    patch.setattr(Projection, "commit", commit)


def no_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    """The position is set, whatever it was."""

    async def move(mongo: Mongo, consumer: str, moves: Mapping[TopicPartition, tuple[int, int]], tx: Tx) -> None:
        requests = [
            UpdateOne({"_id": positions._id(consumer, partition)}, {"$set": {"next_offset": following}})
            for partition, (_, following) in moves.items()
        ]
        if requests:
            await mongo[POSITIONS].bulk_write(requests, session=tx)

    patch.setattr(positions, "move", move)


def figures_without_dedupe(patch: pytest.MonkeyPatch) -> None:
    """Metrics' ledger drops what it has seen, its figures count it again."""
    plain = Ledger.project

    async def project(self: Ledger, tx: Tx, prepared: Prepared, circumstances: Circumstances) -> Applied:
        known = await self._known(prepared, tx)
        applied = await plain(self, tx, prepared, circumstances)
        again = await self.count_of(tx, [prepared.rows[identity] for identity in known], look_first=True)
        await self.write(tx, again, circumstances.slot)
        return applied

    patch.setattr(Ledger, "project", project)


def view_without_dedupe(patch: pytest.MonkeyPatch) -> None:
    """Training's view believes whatever comes last, though it is old."""

    async def project(self: LocalView, tx: Tx, events: Sequence[Event], circumstances: Circumstances) -> Applied:
        for event in events:
            known = await self._mongo[self._collection].find_one({"_id": event.subject}, session=tx) or {}
            after = {**self._fold(known, event), "_id": event.subject, "last": event.sequence}
            await self._mongo[self._collection].replace_one({"_id": event.subject}, after, upsert=True, session=tx)
        return Applied()

    patch.setattr(LocalView, "project", project)


def poison_swallowed(patch: pytest.MonkeyPatch) -> None:
    """What can't be read is passed over in silence."""

    async def save(mongo: Mongo, letters: Iterable[dict[str, Any]], tx: Tx) -> None:
        return

    patch.setattr(dead_letters, "save", save)


def one_seat_too_many(patch: pytest.MonkeyPatch) -> None:
    """The rule of seats is off by one."""

    def free(self: Desk) -> int:
        training = self.training
        return int(training["quota"] - training["confirmed"] - training["offered"]) + 1

    patch.setattr(Desk, "free", property(free))


BUGS: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        reply_before_commit,
        outbox_not_saved,
        mark_before_send,
        cursor_outbox,
        newest_first,
        stamp_of_own_clock,
        snapshot_for_each_page,
        floor_too_high,
        position_before_effect,
        no_compare_and_set,
        figures_without_dedupe,
        view_without_dedupe,
        poison_swallowed,
        one_seat_too_many,
    )
}
