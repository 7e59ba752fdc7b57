"""Lanes for documents that many write at once: who touches such a document waits in its lane, and everybody else doesn't.

A lane keeps the order of arrival of its document's callers. It ends soon after the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from chassis import logs, telemetry
from chassis.documents import Document, DocumentId
from chassis.errors import Unavailable
from chassis.writing.decision import Decision

log = logs.get(__name__)
_COOL_SECONDS = 1.0  # without callers, after which a document has no lane any more
_PAUSE_LIMIT = 0.25
_TOGETHER_TRIES = 3


@dataclass(slots=True)
class Waiting:
    """A decision and the future that its caller waits for."""

    decision: Decision
    traceparent: str | None
    reply: asyncio.Future[Document]

    def touches(self, documents: Collection[DocumentId]) -> bool:
        """Whether the decision is known to need one of these documents."""
        return any(document in documents for document in self.known)

    @property
    def known(self) -> tuple[DocumentId, ...]:
        """The documents that the decision is known to need before it is made."""
        return (*self.decision.reads, *self.decision.all_expected_absent())


@dataclass(frozen=True, slots=True)
class Race:
    """Another writer was met. `moved`: which documents it wrote; none where its transaction is still open."""

    moved: Collection[DocumentId]
    writes: Sequence[frozenset[DocumentId]] = ()  # of each decision of the batch

    def written(self, index: int) -> Collection[DocumentId]:
        """What a decision would have written."""
        return self.writes[index] if index < len(self.writes) else ()

    def split(self, batch: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
        """Who touches what moved, and the others, each in order."""
        losers, others = list[Waiting](), list[Waiting]()
        for index, waiting in enumerate(batch):
            lost = any(document_id in self.moved for document_id in self.written(index))
            (losers if lost or waiting.touches(self.moved) else others).append(waiting)
        return (losers, others) if losers else (list(batch), [])


@dataclass(slots=True)
class _Lane:
    queue: deque[Waiting] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0


class Contention:
    """The lanes of one GroupCommit. `attempt` commits a batch or says that it lost; `settle` answers callers."""

    def __init__(
        self,
        attempt: Callable[[Sequence[Waiting]], Awaitable[Race | None]],
        settle: Callable[[Sequence[Waiting], Sequence[Document | Exception]], None],
        batch_limit: int,
        deadline_seconds: float,
    ) -> None:
        self._attempt = attempt
        self._settle = settle
        self._batch_limit = batch_limit
        self._deadline_seconds = deadline_seconds
        self._lanes: dict[DocumentId, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many decisions wait in lanes."""
        return sum(len(lane.queue) + lane.busy for lane in self._lanes.values())

    def take(self, waiting: Waiting) -> bool:
        """Whether a lane has taken the decision, since it touches the lane's document."""
        if not self._lanes:
            return False
        for document_id in waiting.known:
            lane = self._lanes.get(document_id)
            if lane is not None:
                lane.queue.append(waiting)
                lane.wake.set()
                return True
        return False

    def add(self, losers: Sequence[Waiting], documents: Collection[DocumentId]) -> None:
        """Give losers of a race to the lanes of the documents that they lost."""
        fallback = min(documents, default=("", None), key=repr)
        for waiting in losers:
            if not self.take(waiting):
                document_id = next((document for document in waiting.known if document in documents), fallback)
                lane = self._lanes.get(document_id) or self._open(document_id)
                lane.queue.append(waiting)
                lane.wake.set()

    async def drained(self) -> None:
        """Wait until every lane has answered its callers."""
        while self._tasks:
            for lane in self._lanes.values():
                lane.wake.set()
            await asyncio.wait(set(self._tasks), timeout=0.1)

    def _open(self, document_id: DocumentId) -> _Lane:
        lane = self._lanes[document_id] = _Lane()
        telemetry.COMMIT_LANES.set(len(self._lanes))
        task = asyncio.create_task(self._run(document_id, lane), name="contended-document")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return lane

    async def _run(self, document_id: DocumentId, lane: _Lane) -> None:
        while True:
            if not lane.queue:
                lane.wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lane.wake.wait(), _COOL_SECONDS)
                if not lane.queue:
                    break
            batch = [lane.queue.popleft() for _ in range(min(len(lane.queue), self._batch_limit))]
            lane.busy = len(batch)
            try:
                await self._commit(batch)
            except Exception as bug:
                log.exception("contended_commit_failed")
                self._settle(batch, [bug] * len(batch))
            lane.busy = 0
        del self._lanes[document_id]
        telemetry.COMMIT_LANES.set(len(self._lanes))

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """Try again for as long as callers may wait; together a few times, then in halves."""
        deadline, tries = time.monotonic() + self._deadline_seconds, 0
        while await self._attempt(batch) is not None:
            tries += 1
            if len(batch) > 1 and tries >= _TOGETHER_TRIES:
                half = len(batch) // 2
                await self._commit(batch[:half])
                await self._commit(batch[half:])
                return
            if time.monotonic() >= deadline:
                changing = Unavailable("The document is changing too often. Try again.")
                self._settle(batch, [changing] * len(batch))
                return
            await asyncio.sleep(random.uniform(0, min(_PAUSE_LIMIT, 0.005 * 2 ** min(tries, 8))))  # noqa: S311 - jitter
