"""A local view: what a service must know of another's things, kept from its events, one document for each subject.

`fold(document, event)` is pure and returns the new document (without `_id` and `last`). Sequences dedupe: an event at or
below `last` was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chassis.consuming.effect import Applied
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

    async def project(self, tx: Tx, events: Sequence[Event], look_first: bool) -> Applied:  # noqa: ARG002 - always looked up first
        """Load the batch's subjects, fold in memory, insert the new and replace the changed."""
        subjects = {event.subject for event in events}
        before = {doc["_id"]: doc for doc in await self._mongo.find_by_ids(self._collection, subjects, tx)}
        after: dict[str, Document] = {}
        applied = Applied()
        for event in events:
            known: Document | None = after.get(event.subject) or before.get(event.subject)
            last = known["last"] if known else 0
            if event.sequence <= last:
                applied.duplicates += 1
                continue
            applied.gaps += event.sequence > last + 1
            after[event.subject] = {**self._fold(known or {}, event), "_id": event.subject, "last": event.sequence}
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
            await collection.insert_many(inserts, ordered=False, session=tx)
        if replaces:
            written = await collection.bulk_write(replaces, ordered=False, session=tx)
            if written.matched_count != len(replaces):
                raise WriteRace("version")
