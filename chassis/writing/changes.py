"""What one decision has changed so far. Reads see it; in the end it is one Write for each document.

A rule that touches a document twice (a seat is freed, then offered to the next) would otherwise overwrite itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.documents import Document, DocumentId
from chassis.errors import not_found
from chassis.writing.decision import Documents, Write
from contracts.envelope import Payload


class Changes:
    """An overlay over the working set of a batch."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._written: dict[DocumentId, tuple[Document, list[Payload]]] = {}

    def get(self, collection: str, identity: str) -> Document | None:
        """The document as this decision has left it. Read-only."""
        written = self._written.get((collection, identity))
        return written[0] if written else self._documents.get(collection, identity)

    def get_many(self, collection: str, identities: Sequence[str]) -> list[Document | None]:
        """Several at once: one load for all that are missing."""
        self._documents.get_many(collection, [i for i in identities if (collection, i) not in self._written])
        return [self.get(collection, identity) for identity in identities]

    def need(self, collection: str, identity: str, what_id: str, what_en: str) -> Document:
        """The document; raises NotFound."""
        found = self.get(collection, identity)
        if found is None:
            raise not_found(what_id, what_en)
        return found

    def write(self, collection: str, document: Document, events: Iterable[Payload] = ()) -> None:
        """Replace or insert a document; events pile up in order."""
        key = (collection, document["_id"])
        earlier = self._written.get(key)
        self._written[key] = (document, [*(earlier[1] if earlier else ()), *events])

    def writes(self) -> tuple[Write, ...]:
        """All of it."""
        return tuple(Write(key[0], document, tuple(events)) for key, (document, events) in self._written.items())
