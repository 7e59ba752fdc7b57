"""All that a batch of decisions will write, in the order decided. No I/O here. Next: group_commit.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.database.writes import Writes
from chassis.documents import Document, DocumentId
from chassis.writing.decision import Documents, Outcome
from contracts.envelope import Payload


@dataclass(slots=True)
class _Staged:
    document: Document
    guard: int  # the version that must still be there; 0: there must be none


@dataclass(frozen=True, slots=True)
class StagedEvent:
    """An event to be saved in the outbox."""

    subject: str
    sequence: int
    data: Payload
    time: datetime


@dataclass(slots=True)
class Staging:
    """All that a batch of decisions will write, in the order decided."""

    documents: Documents = field(default_factory=Documents)
    staged: dict[DocumentId, _Staged] = field(default_factory=dict)
    events: list[StagedEvent] = field(default_factory=list)

    def apply(self, outcome: Outcome, now: datetime) -> None:
        """Take over what one decision wrote, so that the next one sees it."""
        for write in outcome.writes:
            document_id = (write.collection, write.document["_id"])
            earlier = self.staged.get(document_id)
            # A rule may write what it never read: then there must be no such document, and the database checks it. The ids of
            # such documents are random or the rule's own; what two decisions of a batch can both write must be read.
            before = None if self.documents.missing([document_id]) else self.documents.get(*document_id)
            version = before["version"] if before else 0
            sequence = before.get("sequence", 0) if before else 0
            document = {**write.document, "version": version + 1}
            for payload in write.events:
                sequence += 1
                self.events.append(StagedEvent(str(write.document["_id"]), sequence, payload, now))
            if sequence:
                document["sequence"] = sequence
            self.staged[document_id] = _Staged(document, earlier.guard if earlier else version)
            self.documents.put(document_id, document)

    def writes(self) -> dict[str, Writes]:
        """What is to be written, by collection."""
        grouped: dict[str, Writes] = {}
        for (collection, _), staged in self.staged.items():
            writes = grouped.setdefault(collection, Writes())
            if staged.guard:
                writes.replaces.append((staged.guard, staged.document))
            else:
                writes.inserts.append(staged.document)
        return grouped

    def guards(self) -> Iterator[tuple[str, Any, int]]:
        """Collection, `_id` and the version that must still be there (0: none) of every document to be written."""
        for (collection, identity), staged in self.staged.items():
            yield collection, identity, staged.guard
