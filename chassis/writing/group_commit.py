"""GroupCommit: many decisions, one transaction.

Takes all decisions that are waiting (no delay for a lone caller), loads their documents with one find per collection, runs the
rules in order, and commits all writes, outbox rows and idempotency records in one majority transaction. A reply is given
only after the commit. One bad decision never fails its neighbours.
Next: chassis/publishing/relay.py, which publishes what was saved.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis import clock, logs, telemetry
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.database.writes import Writes
from chassis.documents import Document, DocumentId
from chassis.errors import DomainError, InFlight, Unavailable
from chassis.writing import outbox
from chassis.writing.decision import IDEMPOTENCY, Decision, Documents, InconsistentRead, NotLoaded, Outcome
from chassis.writing.staging import Staging

log = logs.get(__name__)

InTransaction = Callable[[Tx, list[Document | Exception]], Awaitable[None]]
_TOGETHER_TRIES = 3
_GATHER_SHARE, _GATHER_LIMIT = 0.3, 0.005  # of the last commit's time; seconds
_ALONE_TRIES = 12
_ROUNDS = 100  # of loading what a rule asks for on its way
_WAITING_LIMIT = 10_000  # beyond it a caller hears 503 at once instead of waiting past its own timeout


async def commit_together(
    mongo: Mongo,
    decisions: Sequence[Decision],
    *,
    now: datetime | None = None,
    traceparents: Sequence[str | None] = (),
    also: InTransaction | None = None,
    deadline_seconds: float = 20.0,
    look_first: bool = True,
) -> list[Document | Exception]:
    """Load, decide and commit once. Returns for each decision its reply, or the error that its rule raised.

    Unless `look_first`, what decisions expect to be absent isn't looked for: its insert finds out (WriteRace).

    `also(tx, results)` writes more in the same transaction (a consumer's positions). Raises WriteRace, CommitUnknown or
    the driver's errors for the batch as a whole: then nobody's outcome is known to be written.
    """
    moment = now or clock.now()
    staging = Staging()
    wanted = [read for decision in decisions for read in decision.reads]
    read = set(wanted)
    absent = [expected for decision in decisions for expected in decision.all_expected_absent() if expected not in read]
    if look_first:
        wanted += absent
    else:
        for document_id in absent:
            staging.documents.put(document_id, None)
    await _load(mongo, staging.documents, wanted)
    results: list[Document | Exception] = []
    rows: list[Document] = []
    for index, decision in enumerate(decisions):
        outcome = await _decide(mongo, decision, staging.documents, moment)
        if isinstance(outcome, Exception):
            results.append(outcome)
            continue
        first_event = len(staging.events)
        staging.apply(outcome, moment)
        parent = traceparents[index] if index < len(traceparents) else None
        rows += [outbox.row_of(event, parent) for event in staging.events[first_event:]]
        results.append(outcome.reply)

    async def write(tx: Tx) -> None:
        await mongo.write(staging.writes() | ({outbox.OUTBOX: Writes(inserts=rows)} if rows else {}), tx)
        if also is not None:
            await also(tx, results)

    if staging.staged or also is not None:
        await mongo.transaction(write, deadline_seconds)
    return results


async def _load(mongo: Mongo, documents: Documents, wanted: Sequence[DocumentId]) -> None:
    by_collection: dict[str, list[Any]] = {}
    for collection, identity in documents.missing(wanted):
        by_collection.setdefault(collection, []).append(identity)
        documents.put((collection, identity), None)
    found = await asyncio.gather(*(mongo.find_by_ids(name, ids) for name, ids in by_collection.items()))
    for collection, loaded in zip(by_collection, found, strict=True):
        for document in loaded:
            documents.put((collection, document["_id"]), document)


async def _decide(mongo: Mongo, decision: Decision, documents: Documents, now: datetime) -> Outcome | Exception:
    for _ in range(_ROUNDS):
        try:
            return decision.run(documents, now)
        except NotLoaded as more:
            await _load(mongo, documents, list(more.wanted))
        except InconsistentRead as inconsistent:
            raise WriteRace("inconsistent") from inconsistent
        except DomainError as refusal:
            if not await _answered_meanwhile(mongo, decision, documents):
                return refusal
        except Exception as bug:  # noqa: BLE001 - a rule that raises fails only its own caller; that caller gets the bug as 500
            return bug
    return RuntimeError("a rule kept asking for more documents")


async def _answered_meanwhile(mongo: Mongo, decision: Decision, documents: Documents) -> bool:
    """Whether this very request was committed elsewhere after its key was looked for: then it met its own effect.

    A caller who lost patience asks another replica while the first attempt commits between two loads of the second: a
    refusal ("that NIK is taken", by themselves) would deny what is stored. The stored reply is the answer.
    """
    key = decision.idempotency.key if decision.idempotency else None
    if key is None or documents.get(IDEMPOTENCY, key) is not None:
        return False
    for record in await mongo.find_by_ids(IDEMPOTENCY, [key]):
        documents.put((IDEMPOTENCY, key), record)
        return True
    return False


@dataclass(slots=True)
class _Waiting:
    decision: Decision
    traceparent: str | None
    reply: asyncio.Future[Document]


class GroupCommit:
    """The write door of a service: `await group_commit.submit(decision)` returns the reply once it is durable."""

    def __init__(
        self, mongo: Mongo, *, batch_limit: int, deadline_seconds: float, committed: Callable[[], None] = lambda: None
    ) -> None:
        self._mongo = mongo
        self._batch_limit = batch_limit
        self._deadline_seconds = deadline_seconds
        self._committed = committed
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._in_flight: set[str] = set()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to commit what is submitted."""
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def stop(self) -> None:
        """Commit what is waiting, then end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def submit(self, decision: Decision) -> Document:
        """Decide and commit; returns the rule's reply after the commit, or raises what the rule raised.

        Raises InFlight for an idempotency key that is being worked on, Unavailable when the database can't be reached
        or the outcome of the commit is unknown.
        """
        key = decision.idempotency.key if decision.idempotency else None
        if key is not None and key in self._in_flight:
            raise InFlight("in_flight", "Permintaan yang sama sedang diproses.", "The same request is being worked on.")
        if self._closing or len(self._waiting) >= _WAITING_LIMIT:
            raise Unavailable("The service is too busy or stopping. Try again with the same Idempotency-Key.")
        waiting = _Waiting(decision, telemetry.traceparent(), asyncio.get_running_loop().create_future())
        if key is not None:
            self._in_flight.add(key)
        self._waiting.append(waiting)
        self._wake.set()
        try:
            # A caller that goes away cancels only this future: the decision is committed all the same.
            return await waiting.reply
        finally:
            # A refusal's traceback holds this frame, and the frame its future: a cycle that would keep the whole form alive.
            del waiting

    async def submit_many(self, decisions: Sequence[Decision]) -> list[Document | BaseException]:
        """Submit all at once, in order; returns each one's reply or error."""
        return await asyncio.gather(*(self.submit(decision) for decision in decisions), return_exceptions=True)

    async def _run(self) -> None:
        took = 0.0
        while not (self._closing and not self._waiting):
            if not self._waiting:
                took = 0.0
                self._wake.clear()
                await self._wake.wait()
                continue
            if took and len(self._waiting) < self._batch_limit:
                # Callers of the last batch are about to ask again. A moment's wait for them, while others wait anyway,
                # makes a full batch of two half ones that would take turns. Nobody waits when nothing was committed just now.
                await asyncio.sleep(min(_GATHER_LIMIT, _GATHER_SHARE * took))
            size = min(len(self._waiting), self._batch_limit)
            batch = [self._waiting.popleft() for _ in range(size)]
            started = time.perf_counter()
            try:
                await self._commit(batch)
            except Exception as bug:
                log.exception("commit_failed")
                self._settle(batch, [bug] * len(batch))
            telemetry.COMMIT_BATCH.observe(size)
            took = time.perf_counter() - started
            telemetry.COMMIT_SECONDS.observe(took)

    async def _commit(self, batch: list[_Waiting], *, look_first: bool = False) -> None:
        """Try together a few times, then halve: who keeps losing a race ends up alone and fails or succeeds for itself."""
        for attempt in range(_ALONE_TRIES if len(batch) == 1 else _TOGETHER_TRIES):
            try:
                if await self._try(batch, look_first=look_first or attempt > 0):
                    return
            except Exception as bug:
                # What the database will never take (a value too large for it, say) stands in one decision: find it.
                log.exception("commit_refused", decisions=len(batch))
                if len(batch) == 1:
                    self._settle(batch, [bug])
                    return
                break
            await asyncio.sleep(random.uniform(0, min(0.5, 0.005 * 2**attempt)))  # noqa: S311 - jitter
        if len(batch) == 1:
            self._settle(batch, [Unavailable("The document is changing too often. Try again.")])
            return
        half = len(batch) // 2
        await self._commit(batch[:half], look_first=True)
        await self._commit(batch[half:], look_first=True)

    async def _try(self, batch: list[_Waiting], *, look_first: bool) -> bool:
        """One attempt; True when every caller has an answer, False when another writer was met."""
        try:
            results = await commit_together(
                self._mongo,
                [waiting.decision for waiting in batch],
                traceparents=[waiting.traceparent for waiting in batch],
                deadline_seconds=self._deadline_seconds,
                look_first=look_first,
            )
        except WriteRace as race:
            telemetry.COMMIT_CONFLICTS.labels(race.reason).inc()
            return False
        except CommitUnknown:
            log.error("commit_unknown", decisions=len(batch))
            self._settle(
                batch,
                [Unavailable("It is unknown whether the change was stored. Ask again with the same Idempotency-Key.")]
                * len(batch),
            )
            return True
        except PyMongoError as error:
            if not is_unreachable(error):
                raise
            log.warning("database_unreachable", error=type(error).__name__, decisions=len(batch))
            self._settle(batch, [Unavailable()] * len(batch))
            return True
        self._committed()
        self._settle(batch, results)
        return True

    def _settle(self, batch: Sequence[_Waiting], results: Sequence[Document | Exception]) -> None:
        for waiting, result in zip(batch, results, strict=True):
            if waiting.decision.idempotency is not None:
                # Now that the outcome is known, not when its caller went away.
                self._in_flight.discard(waiting.decision.idempotency.key)
            if waiting.reply.done():
                continue
            if isinstance(result, Exception):
                waiting.reply.set_exception(result)
            else:
                waiting.reply.set_result(result)
