"""Decisions: what a use case hands to GroupCommit, and the working set that its pure rule sees. No I/O here.

A rule may read any document: what it names in `reads` is loaded beforehand, what it asks for on the way is loaded and the
rule runs again. It must not change a document that it read, but write a new one. Only what it writes is guarded by its
version: a rule that depends on a document staying as it is writes it too, unchanged.
Next: chassis/writing/group_commit.py.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.documents import Document, DocumentId
from chassis.errors import FieldError, Invalid
from contracts.envelope import Payload

IDEMPOTENCY = "idempotency"
IDEMPOTENCY_KEPT = timedelta(days=7)  # outlives every retry of a caller


@dataclass(frozen=True, slots=True)
class Write:
    """The new state of one document, and the events about it. Its `_id` is the events' subject and Kafka key."""

    collection: str
    document: Document
    events: tuple[Payload, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule decided. `reply` must be plain JSON data: it is stored with an idempotency key."""

    reply: Document
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """`key` holds the caller too; `request` is a keyed hash of what was asked."""

    key: str
    request: str


class NotLoaded(Exception):
    """The rule asked for documents that aren't in the working set yet."""

    def __init__(self, wanted: Iterable[DocumentId]) -> None:
        super().__init__()
        self.wanted = set(wanted)


class InconsistentRead(Exception):
    """The loaded documents contradict each other because another replica committed between two loads.

    Raised by a rule. GroupCommit reloads and decides again. Version guards catch a stale document that is written; this is for
    one that a rule only looked at.
    """


class Documents:
    """The working set of one batch: documents as loaded, and as earlier decisions of the batch have left them.

    With `below` it is a layer over another working set, which it leaves as it is.
    """

    def __init__(self, below: Documents | None = None) -> None:
        self._known: MutableMapping[DocumentId, Document | None] = {}
        if below is not None:
            self._known = ChainMap({}, below._known)  # noqa: SLF001 - of the same class

    def get(self, collection: str, identity: Any) -> Document | None:
        """The document, or None if there is none. Read-only."""
        try:
            return self._known[collection, identity]
        except KeyError:
            raise NotLoaded([(collection, identity)]) from None

    def get_many(self, collection: str, identities: Iterable[Any]) -> list[Document | None]:
        """Several at once: one load for all that are missing."""
        wanted = [(collection, identity) for identity in identities]
        missing = [document_id for document_id in wanted if document_id not in self._known]
        if missing:
            raise NotLoaded(missing)
        return [self._known[document_id] for document_id in wanted]

    def missing(self, wanted: Iterable[DocumentId]) -> set[DocumentId]:
        """Which of these have not been loaded."""
        return {document_id for document_id in wanted if document_id not in self._known}

    def put(self, document_id: DocumentId, document: Document | None) -> None:
        """Loaded, or written by a decision."""
        self._known[document_id] = document


Decide = Callable[[Documents, datetime], Outcome]


@dataclass(frozen=True, slots=True)
class Decision:
    """`decide(documents, now)` is pure; `reads` are the documents that it is known to need.

    `expected_absent` are documents that it creates and that nearly never exist (an identity, an idempotency record): they are
    taken for absent without a look, their insert finds out, and after a clash they are loaded like any other.
    """

    decide: Decide
    reads: Sequence[DocumentId] = ()
    idempotency: Idempotency | None = None
    expected_absent: Sequence[DocumentId] = ()

    def all_expected_absent(self) -> list[DocumentId]:
        """What to take for absent at first, the idempotency record included."""
        if self.idempotency is None:
            return list(self.expected_absent)
        return [*self.expected_absent, (IDEMPOTENCY, self.idempotency.key)]

    def run(self, documents: Documents, now: datetime) -> Outcome:
        """Decide, or repeat the stored reply of the same request."""
        if self.idempotency is None:
            return self.decide(documents, now)
        record = documents.get(IDEMPOTENCY, self.idempotency.key)
        if record is not None:
            if record["request"] != self.idempotency.request:
                raise _key_reused()
            return Outcome(record["reply"])
        outcome = self.decide(documents, now)
        record = {
            "_id": self.idempotency.key,
            "request": self.idempotency.request,
            "reply": outcome.reply,
            "expires_at": now + IDEMPOTENCY_KEPT,
        }
        return Outcome(outcome.reply, (*outcome.writes, Write(IDEMPOTENCY, record)))


def _key_reused() -> Invalid:
    message_id = "Idempotency-Key ini sudah dipakai untuk permintaan lain."
    message_en = "This Idempotency-Key was used for another request."
    error = FieldError("Idempotency-Key", "idempotency_key_reused", message_id, message_en)
    return Invalid("idempotency_key_reused", message_id, message_en, (error,))
