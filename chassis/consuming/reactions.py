"""Reactions: each event becomes a Decision by a literal table: event class -> function, which may emit events itself.

For services that answer events with events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from chassis.consuming.effect import Applied, Circumstances, Gap, InSameTransaction, OtherContent, Poison, as_they_are
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from chassis.errors import DomainError
from chassis.writing.commit import commit_together
from chassis.writing.decision import Decision, Documents, Outcome, Write
from contracts.envelope import Event, Payload

React = Callable[[Event], Decision | None]
SEEN = "seen"


class Reactions:
    """Dedupes by the subject's last sequence, which it keeps in `seen`. `committed` wakes the relay (`Hints.saved`)."""

    def __init__(self, mongo: Mongo, consumer: str, table: Mapping[type[Payload], React], committed: Callable[[], None]) -> None:
        self.types: Mapping[str, type[Payload]] = {event.TYPE: event for event in table}
        self._mongo = mongo
        self._consumer = consumer
        self._table = table
        self._committed = committed

    prepare = staticmethod(as_they_are)  # decisions are made for each attempt anew

    async def commit(
        self, prepared: Sequence[Event] | None, in_same_transaction: InSameTransaction, circumstances: Circumstances
    ) -> Applied:
        """One transaction for the batch; raises Poison for the first event that its rule refuses."""
        applied, events = Applied(), prepared or ()
        decisions = [self._decision(event, accept_gap=circumstances.accepts_gap(event)) for event in events]

        async def check(tx: Tx, results: list[Document | Exception]) -> None:
            # What is refused comes first: the events behind it have a gap only since it isn't applied.
            gaps = list[Event]()
            for event, result in zip(events, results, strict=True):
                if isinstance(result, Gap):
                    gaps.append(event)
                elif isinstance(result, DomainError):
                    raise Poison(event, "rule", f"{result.code}: {result}")
                elif isinstance(result, Exception):
                    raise result
                else:
                    applied.duplicates += bool(result.get("duplicate"))
            if gaps:
                raise Gap(gaps)
            await in_same_transaction(tx)

        traceparents = [event.traceparent for event in events]
        await commit_together(self._mongo, decisions, traceparents=traceparents, in_same_transaction=check)
        self._committed()
        return applied

    def _decision(self, event: Event, *, accept_gap: bool) -> Decision:
        inner = self._table[type(event.data)](event)
        # With the source: two services may tell of the same subject, each with its own sequence.
        seen_id = f"{self._consumer}:{event.source}:{event.subject}"

        def decide(documents: Documents, now: datetime) -> Outcome:
            seen = documents.get(SEEN, seen_id) or {"_id": seen_id, "last": 0, "content": 0}
            if event.sequence <= seen["last"]:
                if event.sequence == seen["last"] and event.content != seen["content"]:
                    raise OtherContent(event)
                return Outcome({"duplicate": True})
            if event.sequence > seen["last"] + 1 and not accept_gap:
                raise Gap([event])
            outcome = inner.decide(documents, now) if inner else Outcome({})
            marker = Write(SEEN, {**seen, "last": event.sequence, "content": event.content})
            return Outcome({}, (*outcome.writes, marker))

        return Decision(decide, [(SEEN, seen_id), *(inner.reads if inner else ())])
