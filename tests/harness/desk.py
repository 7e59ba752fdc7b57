"""A desk without servers: decisions run as GroupCommit runs them, on documents in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from chassis.documents import Document
from chassis.writing.decision import Decision, Documents, NotLoaded, Outcome
from chassis.writing.staging import Staging
from contracts.envelope import Payload


class Command(Protocol):
    """A rule with its arguments."""

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Decide."""
        ...


class Desk:
    """Documents, a clock that only tests move, and every event so far."""

    def __init__(self, now: datetime) -> None:
        self.staging = Staging()
        self.now = now

    def give(self, collection: str, **document: Any) -> None:
        """A document that is there."""
        self.staging.documents.put((collection, document["_id"]), {"version": 1, **document})

    def get(self, collection: str, identity: str) -> Any:
        """A document as it is now, or None."""
        documents = self.staging.documents
        return None if documents.missing([(collection, identity)]) else documents.get(collection, identity)

    def run(self, command: Command | Decision) -> Document:
        """Decide, loading what the rule asks for on its way, and keep what it wrote."""
        decide = command.run if isinstance(command, Decision) else command.decide
        while True:
            try:
                outcome = decide(self.staging.documents, self.now)
            except NotLoaded as more:
                for document_id in more.wanted:
                    self.staging.documents.put(document_id, None)
            else:
                self.staging.apply(outcome, self.now)
                return outcome.reply

    async def submit(self, decision: Decision) -> Document:
        """What GroupCommit does."""
        return self.run(decision)

    def told(self, subject: str) -> list[tuple[int, type[Payload]]]:
        """Sequence and class of a subject's events."""
        return [(event.sequence, type(event.data)) for event in self.staging.events if event.subject == subject]

    def last_event(self, subject: str | None = None) -> Any:
        """The payload told last, of a subject or of all."""
        return [event.data for event in self.staging.events if subject in (None, event.subject)][-1]
