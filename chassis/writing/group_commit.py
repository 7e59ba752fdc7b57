"""GroupCommit: many decisions, one transaction.

Takes all decisions that are waiting (no delay for a lone caller), decides them together and commits them in one majority
transaction. A reply is given only after the commit. One bad decision never fails its neighbours, and a document that others
write too costs only its own callers: after a race those who touch what moved are decided again apart from the rest, and those
who keep losing go to a lane of that document (contention.py). Next: chassis/publishing/relay.py, which publishes.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from chassis import logs, telemetry
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo
from chassis.documents import Document, DocumentId
from chassis.errors import InFlight, Unavailable
from chassis.writing.commit import Decided, decide_together, moved, write
from chassis.writing.contention import Contention, Race, Waiting
from chassis.writing.decision import Decision

log = logs.get(__name__)

_GATHER_SHARE, _GATHER_LIMIT = 0.3, 0.005  # of the last commit's time; seconds
_WAITING_LIMIT = 10_000  # beyond it a caller hears 503 at once instead of waiting past its own timeout
_TRIES_IN_THE_MAIN_LANE = 2
_LOOK_BATCHES = 500  # after a clash, in which expected absences of that collection are looked up first


@dataclass(slots=True)
class _Looks:
    """Collections whose documents were expected to be absent and weren't: for a while they are looked up first.

    A look costs a find for each batch; a clash costs a whole transaction and a second decision of its callers.
    """

    left: dict[str, int]

    def clashed(self, collections: Collection[str]) -> None:
        self.left |= dict.fromkeys(collections, _LOOK_BATCHES)

    def taken_for_absent(self, decisions: Sequence[Decision]) -> set[str]:
        """Collections that the next batch doesn't look into."""
        expected = {collection for decision in decisions for collection, _ in decision.all_expected_absent()}
        for collection in expected & self.left.keys():
            self.left[collection] -= 1
            if not self.left[collection]:
                del self.left[collection]
        return expected - self.left.keys()


class GroupCommit:
    """The write door of a service: `await group_commit.submit(decision)` returns the reply once it is durable.

    `committed` is called after each commit of events.
    """

    def __init__(
        self,
        mongo: Mongo,
        *,
        batch_limit: int,
        deadline_seconds: float,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._mongo = mongo
        self._batch_limit = batch_limit
        self._deadline_seconds = deadline_seconds
        self._committed = committed
        self._waiting: deque[Waiting] = deque()
        self._wake = asyncio.Event()
        self._in_flight: set[str] = set()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._looks = _Looks({})
        self._contention = Contention(self._try_looking, self._settle, batch_limit, deadline_seconds)

    def start(self) -> None:
        """Begin to commit what is submitted."""
        self._task = asyncio.create_task(self._run(), name="group-commit")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.critical("group_commit_failed", exc_info=task.exception())
            telemetry.PART_RESTARTS.labels("group-commit").inc()
            self.start()

    async def stop(self) -> None:
        """Commit what is waiting, then end."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._contention.drained()

    async def submit(self, decision: Decision) -> Document:
        """Decide and commit; returns the rule's reply after the commit, or raises what the rule raised.

        Raises InFlight for an idempotency key that is being worked on, Unavailable when the database can't be reached
        or the outcome of the commit is unknown.
        """
        key = decision.idempotency.key if decision.idempotency else None
        if key is not None and key in self._in_flight:
            raise InFlight("in_flight", "Permintaan yang sama sedang diproses.", "The same request is being worked on.")
        if self._closing or len(self._waiting) + self._contention.waiting >= _WAITING_LIMIT:
            raise Unavailable("The service is too busy or stopping. Try again with the same Idempotency-Key.")
        waiting = Waiting(decision, telemetry.traceparent(), asyncio.get_running_loop().create_future())
        if key is not None:
            self._in_flight.add(key)
        if not self._contention.take(waiting):
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
                await self._commit(batch, self._looks.taken_for_absent([waiting.decision for waiting in batch]))
            except Exception as bug:
                log.exception("commit_failed")
                self._settle(batch, [bug] * len(batch))
            telemetry.COMMIT_BATCH.observe(size)
            took = time.perf_counter() - started
            telemetry.COMMIT_SECONDS.observe(took)

    async def _commit(self, batch: list[Waiting], taken_for_absent: Collection[str] = (), tries: int = 1) -> None:
        """Commit a batch; after a race those who touch what moved apart from the others, who never wait for them."""
        race = await self._try(batch, taken_for_absent)
        if race is None:
            return
        if race.moved:
            self._looks.clashed({collection for collection, _ in race.moved})
            losers, others = race.split(batch)
            if others:
                await self._commit(others)
            if losers and tries < _TRIES_IN_THE_MAIN_LANE:
                await self._commit(losers, tries=tries + 1)
            else:
                self._contention.add(losers, race.moved)
        elif len(batch) == 1:
            self._contention.add(batch, race.written(0))
        else:  # Another's transaction is open on one of these documents, and nothing tells which: halve until it stands alone.
            half = len(batch) // 2
            await self._commit(batch[:half])
            await self._commit(batch[half:])

    async def _try_looking(self, batch: Sequence[Waiting]) -> Race | None:
        return await self._try(batch, ())

    async def _try(self, batch: Sequence[Waiting], taken_for_absent: Collection[str]) -> Race | None:
        """One attempt; None when every caller has an answer, a Race when another writer was met."""
        decided: Decided | None = None
        try:
            decided = await decide_together(
                self._mongo,
                [waiting.decision for waiting in batch],
                traceparents=[waiting.traceparent for waiting in batch],
                taken_for_absent=taken_for_absent,
            )
            await write(self._mongo, decided, deadline_seconds=self._deadline_seconds)
        except WriteRace as race:
            telemetry.COMMIT_CONFLICTS.labels(race.reason).inc()
            try:
                found: set[DocumentId] = await moved(self._mongo, decided) if decided is not None else set()
            except PyMongoError as error:
                self._refuse(batch, error)
                return None
            return Race(found, decided.written if decided is not None else [])
        except CommitUnknown:
            log.error("commit_unknown", decisions=len(batch))
            unknown = Unavailable("It is unknown whether the change was stored. Ask again with the same Idempotency-Key.")
            self._settle(batch, [unknown] * len(batch))
            return None
        except PyMongoError as error:
            if is_unreachable(error):
                self._refuse(batch, error)
                return None
            return self._refused_by_database(batch, error)
        except Exception as bug:  # noqa: BLE001 - what the driver raises for a value that it can't encode may be anything
            return self._refused_by_database(batch, bug)
        if decided.events:
            self._committed()
        self._settle(batch, decided.results)
        return None

    def _refused_by_database(self, batch: Sequence[Waiting], bug: Exception) -> Race | None:
        """What the database will never take (a value too large for it, say) stands in one decision: find it by halving."""
        log.error("commit_refused", decisions=len(batch), exc_info=bug)
        if len(batch) == 1:
            self._settle(batch, [bug])
            return None
        return Race(set(), [])

    def _refuse(self, batch: Sequence[Waiting], error: PyMongoError) -> None:
        log.warning("database_unreachable", error=type(error).__name__, decisions=len(batch))
        self._settle(batch, [Unavailable()] * len(batch))

    def _settle(self, batch: Sequence[Waiting], results: Sequence[Document | Exception]) -> None:
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
