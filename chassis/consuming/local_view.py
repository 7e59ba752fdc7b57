"""A local view: what a service must know of another's things, kept from its events, one document for each subject.

`fold(document, event)` is pure and returns the new document (without `_id` and `last`). Sequences dedupe: an event at or
below `last` was seen, and one beyond the next has to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chassis.consuming.effect import Applied, Circumstances, Gap, OtherContent
from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo, ReplaceOne, Tx
from chassis.documents import Document
from contracts.envelope import Event

Fold = Callable[[Document, Event], Document]


class LocalView:
    """`view.project` is the function that a Projection wants."""

    def __init__(self, mongo: Mongo, collection: str, fold: Fold) -> None:
        self._mongo = mongo
        self._collection = collection
        self._fold = fold

    async def project(self, tx: Tx, events: Sequence[Event], circumstances: Circumstances) -> Applied:
        """Load the batch's subjects, fold in memory, insert the new and replace the changed. Raises Gap and OtherContent."""
        # Whose first event comes now is taken for new: the insert finds out, and after a clash everybody is looked up.
        begun = set[str]() if circumstances.look_first else {event.subject for event in events if event.sequence == 1}
        known_before = {event.subject for event in events} - begun
        before = {doc["_id"]: doc for doc in await self._mongo.find_by_ids(self._collection, known_before, tx)}
        after: dict[str, Document] = {}
        applied, gaps = Applied(), list[Event]()
        for event in events:
            known: Document | None = after.get(event.subject) or before.get(event.subject)
            last = known["last"] if known else 0
            if event.sequence <= last:
                if known is not None and event.sequence == last and event.content != known.get("content", event.content):
                    raise OtherContent(event)
                applied.duplicates += 1
            elif event.sequence > last + 1 and not circumstances.accepts_gap(event):
                gaps.append(event)
            else:
                folded = {**self._fold(known or {}, event), "_id": event.subject, "last": event.sequence}
                after[event.subject] = folded | {"content": event.content}
        if gaps:
            raise Gap(gaps)
        await self._write(tx, before, after)
        return applied

    async def _write(self, tx: Tx, before: dict[str, Document], after: dict[str, Document]) -> None:
        collection: Any = self._mongo[self._collection]
        inserts = [doc for subject, doc in after.items() if subject not in before]
        replaces = [
            ReplaceOne({"_id": subject, "last": before[subject]["last"]}, doc)
            for subject, doc in after.items()
            if subject in before
        ]
        if inserts:
            await self._mongo.insert_all(self._collection, inserts, tx)
        if replaces:
            written = await collection.bulk_write(replaces, ordered=False, session=tx)
            if written.matched_count != len(replaces):
                raise WriteRace("version")
