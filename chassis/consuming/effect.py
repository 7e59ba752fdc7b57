"""What a consumer does with a batch: two kinds of effects, one engine.

- a Projection turns a batch into inserts and increments;
- Reactions turn each event into a Decision, which may emit events itself.
Either commits in one transaction with what the engine adds (`in_same_transaction`: positions and dead letters). What can be
computed without the database is prepared before, while the batch ahead is being committed.
Next: chassis/consuming/fetcher.py, which prepares, and chassis/consuming/consumer.py, which commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.database.mongo import Mongo, Tx
from contracts.envelope import Event, Payload

InSameTransaction = Callable[[Tx], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an effect must know of a commit beside its events.

    `look_first` after a race: find out which events are new instead of trying the inserts.
    `accepted_gaps`: `gap_key`s of the events whose missing predecessor won't come any more, as an operator has decided.
    `slot` names this consumer's share of the partitions. No two consumers of a group have the same at one time, so totals that
    are kept for each slot and summed when read don't make consumers undo each other's batches.
    """

    look_first: bool = False
    accepted_gaps: frozenset[str] = frozenset()
    slot: str = "0"

    def accepts_gap(self, event: Event) -> bool:
        """Whether the event may be applied though the one before it wasn't."""
        return bool(self.accepted_gaps) and gap_key(event) in self.accepted_gaps


def gap_key(event: Event) -> str:
    """Names an event among those of all publishers."""
    return f"{event.source} {event.id}"


@dataclass(slots=True)
class Applied:
    """How a batch went: events seen before (ignored)."""

    duplicates: int = 0


class Poison(Exception):
    """This one event can never be applied; the rest of the batch can."""

    def __init__(self, event: Event, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.event = event
        self.reason = reason


class OtherContent(Poison):
    """The event's id was seen before with other content: its publisher was restored from a backup, say."""

    def __init__(self, event: Event) -> None:
        detail = f"{event.source} {event.id} was seen before with other content"
        generation = f"; this one is of generation {event.generation}" if event.generation else ""
        super().__init__(event, "other_content", detail + generation)


class Gap(Exception):
    """These events can't be applied yet: the one before them was never seen. The rest of the batch can.

    `events`: the first of each subject; those behind it wait behind it.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__(", ".join(f"{event.source} {event.id}" for event in events[:5]))
        first: dict[tuple[str, str], Event] = {}
        for event in events:
            first.setdefault((event.source, event.subject), event)
        self.events = tuple(first.values())


class Effect(Protocol):
    """Applies a batch and calls `in_same_transaction(tx)` in the same transaction."""

    types: Mapping[str, type[Payload]]

    def prepare(self, events: Sequence[Event]) -> Any:
        """What `commit` wants of these events (at least one). Pure, and safe in a thread."""
        ...

    async def commit(self, prepared: Any, in_same_transaction: InSameTransaction, circumstances: Circumstances) -> Applied:
        """What was prepared, or None without events. Must leave it as it is: it is used again when the commit failed.

        Raises Gap and Poison before anything is written, and the errors of Mongo.transaction.
        """
        ...


Project = Callable[[Tx, Any, Circumstances], Awaitable[Applied]]


def as_they_are(events: Sequence[Event]) -> Sequence[Event]:
    """The preparation of an effect that needs none."""
    return events


class Projection:
    """A batch becomes inserts and increments: `project(tx, prepare(events), circumstances)` must dedupe by itself."""

    def __init__(
        self,
        mongo: Mongo,
        types: Sequence[type[Payload]],
        project: Project,
        prepare: Callable[[Sequence[Event]], Any] = as_they_are,
        committed: Callable[[Any], None] = lambda _prepared: None,
    ) -> None:
        self.types: Mapping[str, type[Payload]] = {event.TYPE: event for event in types}
        self.prepare = prepare
        self._mongo = mongo
        self._project = project
        self._committed = committed

    async def commit(self, prepared: Any, in_same_transaction: InSameTransaction, circumstances: Circumstances) -> Applied:
        """One transaction for the batch; `committed(prepared)` afterwards."""

        async def work(tx: Tx) -> Applied:
            applied = await self._project(tx, prepared, circumstances) if prepared is not None else Applied()
            await in_same_transaction(tx)
            return applied

        applied = await self._mongo.transaction(work)
        if prepared is not None:
            self._committed(prepared)
        return applied
