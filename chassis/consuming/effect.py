"""What a consumer does with a batch: two kinds of effects, one engine.

- a Projection turns a batch into inserts and increments;
- Reactions turn each event into a Decision, which may emit events itself.
Either commits in one transaction with what the engine adds (`also`: positions and dead letters). What can be computed
without the database is prepared before, while the batch ahead is being committed.
Next: chassis/consuming/fetcher.py, which prepares, and chassis/consuming/consumer.py, which commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.errors import DomainError
from chassis.writing.commit import commit_together
from chassis.writing.decision import Decision, Documents, Outcome, Write
from contracts.envelope import Event, Payload

Also = Callable[[Tx], Awaitable[None]]
React = Callable[[Event], Decision | None]
SEEN = "seen"


@dataclass(slots=True)
class Applied:
    """How a batch went: events seen before (ignored), and events whose predecessor was never seen (counted)."""

    duplicates: int = 0
    gaps: int = 0


class Poison(Exception):
    """This one event can never be applied; the rest of the batch can."""

    def __init__(self, event: Event, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.event = event
        self.reason = reason


class Effect(Protocol):
    """Applies a batch and calls `also(tx)` in the same transaction."""

    types: Mapping[str, type[Payload]]

    def prepare(self, events: Sequence[Event]) -> Any:
        """What `commit` wants of these events (at least one). Pure, and safe in a thread."""
        ...

    async def commit(self, prepared: Any, also: Also, *, look_first: bool) -> Applied:
        """What was prepared, or None without events. Must leave it as it is: it is used again when the commit failed.

        `look_first` after a race: look first which events are new instead of trying the inserts.
        """
        ...


Project = Callable[[Tx, Any, bool], Awaitable[Applied]]


def as_they_are(events: Sequence[Event]) -> Sequence[Event]:
    """The preparation of an effect that needs none."""
    return events


class Projection:
    """A batch becomes inserts and increments: `project(tx, prepare(events), look_first)` must dedupe by itself."""

    def __init__(
        self,
        mongo: Mongo,
        types: Sequence[type[Payload]],
        project: Project,
        prepare: Callable[[Sequence[Event]], Any] = as_they_are,
    ) -> None:
        self.types: Mapping[str, type[Payload]] = {event.TYPE: event for event in types}
        self.prepare = prepare
        self._mongo = mongo
        self._project = project

    async def commit(self, prepared: Any, also: Also, *, look_first: bool) -> Applied:
        """One transaction for the batch."""

        async def work(tx: Tx) -> Applied:
            applied = await self._project(tx, prepared, look_first) if prepared is not None else Applied()
            await also(tx)
            return applied

        return await self._mongo.transaction(work)


class Reactions:
    """Each event becomes a Decision by a literal table: event class -> function. Dedupe by the subject's last sequence.

    For services that answer events with events; none does yet.
    """

    def __init__(
        self, mongo: Mongo, consumer: str, table: Mapping[type[Payload], React], committed: Callable[[], None] = lambda: None
    ) -> None:
        self.types: Mapping[str, type[Payload]] = {event.TYPE: event for event in table}
        self._mongo = mongo
        self._consumer = consumer
        self._table = table
        self._committed = committed

    prepare = staticmethod(as_they_are)  # decisions are made for each attempt anew

    async def commit(
        self,
        prepared: Sequence[Event] | None,
        also: Also,
        *,
        look_first: bool,  # noqa: ARG002 - always looked up first
    ) -> Applied:
        """One transaction for the batch; raises Poison for the first event that its rule refuses."""
        applied, events = Applied(), prepared or ()
        decisions = [self._decision(event) for event in events]

        async def note(tx: Tx, results: list[Document | Exception]) -> None:
            for event, result in zip(events, results, strict=True):
                if isinstance(result, DomainError):
                    raise Poison(event, "rule", f"{result.code}: {result}")
                if isinstance(result, Exception):
                    raise result
                applied.duplicates += bool(result.get("duplicate"))
                applied.gaps += bool(result.get("gap"))
            await also(tx)

        await commit_together(
            self._mongo, decisions, traceparents=[event.traceparent for event in events], in_same_transaction=note
        )
        self._committed()
        return applied

    def _decision(self, event: Event) -> Decision:
        inner = self._table[type(event.data)](event)
        # With the source: two services may tell of the same subject, each with its own sequence.
        seen_id = f"{self._consumer}:{event.source}:{event.subject}"

        def decide(documents: Documents, now: datetime) -> Outcome:
            seen = documents.get(SEEN, seen_id)
            last = seen["last"] if seen else 0
            if event.sequence <= last:
                return Outcome({"duplicate": True})
            outcome = inner.decide(documents, now) if inner else Outcome({})
            marker = Write(SEEN, {**(seen or {"_id": seen_id}), "last": event.sequence})
            return Outcome({"gap": event.sequence > last + 1}, (*outcome.writes, marker))

        return Decision(decide, [(SEEN, seen_id), *(inner.reads if inner else ())])
