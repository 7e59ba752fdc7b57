"""Commits a consumer's batch: effects, dead letters and positions in one transaction, tried again for as long as it takes.

What can't be applied is put aside on the way: a poisonous event as a dead letter, one whose predecessor is missing to wait.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from chassis import fail_points, logs, telemetry
from chassis.consuming import dead_letters, operator_log, positions
from chassis.consuming.assignment import Assignment
from chassis.consuming.batch import Batch, Entry
from chassis.consuming.dead_letters import BadWindow
from chassis.consuming.effect import Applied, Circumstances, Effect, Gap, InSameTransaction, OtherContent, Poison
from chassis.consuming.open_letters import OpenLetters, StopAndPage
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.offload import offload
from contracts.envelope import Event

log = logs.get(__name__)
_UNKNOWN_TRIES = 3


class Resynchronised(Exception):
    """The batch in hand is void: its partitions start again at their stored positions, and must be sought to them."""


class BatchCommitter:
    """One consumer's. `commit(batch)` returns when all of it is applied or put aside."""

    def __init__(
        self,
        mongo: Mongo,
        name: str,
        effect: Effect,
        place: Assignment,
        letters: OpenLetters,
        *,
        stopped: asyncio.Event,
    ) -> None:
        self._mongo = mongo
        self._name = name
        self._effect = effect
        self._place = place
        self._letters = letters
        self._stopped = stopped
        self._window = BadWindow()
        self.struggling = False  # for want of the database

    def circumstances(self, *, look_first: bool, accepted_gaps: frozenset[str] = frozenset()) -> Circumstances:
        """What the effect must know of a commit made now."""
        return Circumstances(look_first=look_first, accepted_gaps=accepted_gaps, slot=self._place.slot)

    async def commit(self, batch: Batch) -> None:
        """Commit the entries; halve around one that fails for an unknown reason until it stands alone."""
        attempt = buried = 0
        accepted: frozenset[str] = frozenset()
        while batch.entries:
            try:
                await self._commit_once(batch, accepted)
                return
            except Gap as gap:
                accepted |= await self._accept_or_let_wait(batch, gap, accepted)
            except Poison as poison:
                if isinstance(poison, OtherContent):
                    telemetry.EVENTS_CONFLICTING.labels(self._name).inc()
                place = batch.bury(self._name, poison)
                buried += 1
                if buried > BadWindow.LIMIT and len(batch.entries) > place + 1:
                    # Enough to stop for: commit this far, rather than try the whole batch again for each bad one.
                    await self.commit(Batch(batch.entries[: place + 1]))
                    batch, buried = Batch(batch.entries[place + 1 :]), 0
            except (Resynchronised, StopAndPage, CommitUnknown, asyncio.CancelledError):
                raise
            except Exception as error:
                if is_unreachable(error):
                    raise  # MongoDB's trouble, not the message's
                attempt += 1
                first, event = batch.entries[0].record, batch.entries[0].event
                log.exception(
                    "consumer_effect_failed",
                    consumer=self._name,
                    events=len(batch.entries),
                    attempt=attempt,
                    first=f"{first.topic}:{first.partition}:{first.offset}",
                    event_id=event.id if event else None,
                )
                if len(batch.entries) > 1:
                    half = len(batch.entries) // 2
                    await self.commit(Batch(batch.entries[:half]))
                    await self.commit(Batch(batch.entries[half:]))
                    return
                if attempt >= _UNKNOWN_TRIES:
                    if event is None:
                        raise
                    batch.bury(self._name, Poison(event, "unknown_error", logs.name_of(error)))
                else:
                    await asyncio.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - jitter

    async def _accept_or_let_wait(self, batch: Batch, gap: Gap, accepted: frozenset[str]) -> frozenset[str]:
        """What comes behind a discarded event is accepted, as far as it isn't yet; otherwise these events must wait."""
        behind = await operator_log.behind_discarded(self._mongo, self._name, gap.events)
        if not behind - accepted:
            batch.let_wait(self._name, gap)
            telemetry.EVENTS_GAP.labels(self._name).inc(len(gap.events))
            log.error("events_gap", consumer=self._name, gaps=len(gap.events), first=str(gap)[:200])
        return behind

    async def _commit_once(self, batch: Batch, accepted_gaps: frozenset[str]) -> None:
        """One transaction: effects, dead letters, positions. Transient trouble is tried again for as long as it lasts."""
        events, letters, moves = batch.triage(self._name, self._place.expected, self._letters.blocked)
        if not moves:
            return

        async def move_positions(tx: Tx) -> None:
            await dead_letters.save(self._mongo, letters, tx)
            await positions.move(self._mongo, self._name, moves, tx)
            fail_points.hit("consumer.in_transaction")

        prepared = batch.prepared
        if not prepared or events != batch.events:
            prepared = await offload(len(events), self._effect.prepare, events) if events else None
        parents = tuple(event.traceparent for event in events if event.traceparent) if telemetry.tracing() else ()
        with telemetry.span(f"consume {self._name}", "consumer", links=parents):
            applied = await self._persist(prepared, move_positions, accepted_gaps)
        self._place.advance(moves)
        self._count(batch.entries, events, applied, letters)
        await self._letters.applied(events)
        if letters:
            await self._letters.put_aside(letters)
            if self._window.worst > BadWindow.LIMIT:
                raise StopAndPage(f"more than {BadWindow.LIMIT} of the last {BadWindow.SIZE} messages were bad")

    async def _persist(self, prepared: Any, move_positions: InSameTransaction, accepted_gaps: frozenset[str]) -> Applied:
        attempt, look_first = 0, False
        while True:
            try:
                circumstances = self.circumstances(look_first=look_first, accepted_gaps=accepted_gaps)
                applied = await self._effect.commit(prepared, move_positions, circumstances)
                self.struggling = False
                return applied
            except WriteRace as race:
                if race.reason == positions.FENCED:
                    await self._resynchronise("fenced")
                look_first = True
                log.info("consumer_race", consumer=self._name, reason=race.reason)
            except CommitUnknown:
                await self._resynchronise("commit_unknown")  # the stored position knows the outcome
            except PyMongoError as error:
                if not is_unreachable(error):
                    raise
                self.struggling = True
                log.warning("consumer_database_unreachable", consumer=self._name, error=type(error).__name__)
            attempt += 1
            await asyncio.sleep(random.uniform(0, min(10.0, 0.1 * 2 ** min(attempt, 7))))  # noqa: S311 - full jitter
            if self._stopped.is_set():
                raise Resynchronised

    async def _resynchronise(self, why: str) -> None:
        """Somebody else moved our position, or a commit's outcome is unknown: start again from what is stored.

        With the position letters may have been stored that nobody here knows of: what follows must be parked behind them.
        """
        log.warning("consumer_resynchronised", consumer=self._name, why=why)
        stored = await positions.load(self._mongo, self._name, set(self._place.expected))
        await self._letters.reload()
        self._place.assign(stored)
        raise Resynchronised

    def _count(self, entries: list[Entry], events: list[Event], applied: Applied, letters: list[Document]) -> None:
        dead = [doc for doc in letters if doc["state"] == "dead"]
        for doc in dead:
            telemetry.DEAD_LETTERS_TOTAL.labels(self._name, doc["reason"]).inc()
            event_id = dead_letters.event_id(doc)
            log.error("dead_letter", consumer=self._name, letter=doc["_id"], event_id=event_id, reason=doc["reason"])
        bad = {doc["_id"] for doc in dead}
        # Without bad ones the ids, which cost as much as the events, need not be made.
        self._window.add([bool(bad) and dead_letters.letter_id(self._name, entry.record) in bad for entry in entries])
        telemetry.CONSUMER_EVENTS.labels(self._name).inc(len(events) - applied.duplicates)
        telemetry.CONSUMER_DUPLICATES.labels(self._name).inc(applied.duplicates)
