"""What a relay knows of the outbox in one tenure: what is still to be acknowledged, what to delete, where sweeps may begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from chassis.database.mongo import LogicalTime
from chassis.publishing.lane import Parcel
from chassis.writing import outbox
from chassis.writing.outbox import OutboxDocument

_STAMP = 21  # characters of an `_id` that are its logical time
_AFTER_ALL = "~"


class OutboxProgress:
    """In memory alone: a new holder of the lease begins without it, and sends again what wasn't deleted.

    The floor: a transaction that was open at an earlier sweep's snapshot has ended once its lifetime has passed since, by our own
    clock; all others have later stamps than that snapshot. So below that snapshot nothing new can appear. `lifetime` is the
    server's limit in seconds; 0 if a transaction may outlive any limit, then sweeps begin at the beginning.
    """

    def __init__(self, lifetime: float) -> None:
        self.floor = ""  # nothing unsent lies below
        self.complete: list[str] = []  # documents to delete
        self._lifetime = lifetime
        self._unacknowledged: dict[str, set[int]] = {}  # document -> its events that are still to be acknowledged
        self._deleted: list[str] = []
        self._horizons: deque[tuple[float, str]] = deque()  # when whole sweeps began (monotonic), and their snapshots

    def begin_sweep(self) -> None:
        """What was deleted before this sweep's snapshot it can't meet any more."""
        for identity in self._deleted:
            self._unacknowledged.pop(identity, None)
        self._deleted.clear()

    def to_send(self, document: OutboxDocument) -> Collection[int]:
        """Which of the document's events aren't acknowledged, in order."""
        waiting = self._unacknowledged.get(document["_id"])
        return range(len(document["events"])) if waiting is None else sorted(waiting)

    def handed_out(self, document: OutboxDocument) -> None:
        """Some of its events are on their way."""
        if document["_id"] not in self._unacknowledged:  # asked for each event: the set is made once
            self._unacknowledged[document["_id"]] = set(range(len(document["events"])))

    def waits(self, document: OutboxDocument) -> bool:
        """Whether any of its events isn't acknowledged."""
        waiting = self._unacknowledged.get(document["_id"])
        return waiting is None or bool(waiting)

    def acknowledged(self, parcels: Sequence[Parcel]) -> None:
        """Kafka has these: a document whose events are all acknowledged may be deleted, by anybody."""
        for parcel in parcels:
            waiting = self._unacknowledged.get(parcel.document_id)
            if waiting is not None:
                waiting.discard(parcel.index)
                if not waiting:
                    self.complete.append(parcel.document_id)

    def deleted(self, ids: Sequence[str]) -> None:
        """These are gone; a sweep that has begun already may still meet them."""
        self._deleted += ids

    def swept(self, begun: float, shown: LogicalTime | None, unsent: str | None) -> None:
        """A sweep has come to the end: when it began (monotonic), the time it showed, the first document that still waits."""
        if shown is not None:
            self._horizons.append((begun, outbox.stamp_of(shown)))
        self.floor = min(self._settled_before(begun), unsent[:_STAMP] if unsent else _AFTER_ALL)

    def _settled_before(self, now: float) -> str:
        """The latest snapshot below which nothing new can appear."""
        if not self._lifetime:
            return ""
        # The server looks for transactions that are too old every half lifetime.
        patience = 2 * self._lifetime + 5.0
        floor = self.floor
        while self._horizons and now - self._horizons[0][0] >= patience:
            floor = max(floor, self._horizons.popleft()[1])
        return floor
