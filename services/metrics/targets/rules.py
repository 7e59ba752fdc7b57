"""The rules of targets (R16), pure: versions are kept, and that a version was reached is published once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from chassis.documents import Document
from chassis.writing.decision import Documents, Outcome, Write
from contracts.metrics import TargetReached
from services.metrics.documents import TARGETS, TargetDocument, TargetTerms, TargetVersionRecord, find_target, stored


def shown_target(target: TargetDocument) -> Document:
    """A target as the API's `Target`, without the day on which it was reached: its current version, and all versions."""
    *earlier, current = target["versions"]
    return {"target_id": target["_id"], **current, "versions": [*earlier, current]}


@dataclass(frozen=True, slots=True)
class SetTarget:
    """The command: an admin sets a target, or a new version of it."""

    target_id: str
    terms: TargetTerms
    author: str

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R16: earlier versions are kept. The terms of the current version again change nothing."""
        found = find_target(documents, self.target_id) or TargetDocument(_id=self.target_id, versions=[])
        versions = found["versions"]
        if versions and all(versions[-1].get(name) == value for name, value in self.terms.items()):
            return Outcome(shown_target(found))
        entry: TargetVersionRecord = {
            **self.terms,
            "number": len(versions) + 1,
            "set_by": self.author,
            "set_at": now.isoformat(),
        }
        after: TargetDocument = {**found, "versions": [*versions, entry]}
        return Outcome(shown_target(after), (Write(TARGETS, stored(after)),))


@dataclass(frozen=True, slots=True)
class NoteTargetReached:
    """The command: the figures have reached version `number` of a target, for the first time on `reached_on`."""

    target_id: str
    number: int
    reached_on: date

    def decide(self, documents: Documents, now: datetime) -> Outcome:  # noqa: ARG002 - the day is that of the figures
        """Publish TargetReached once for each version; a version that isn't the current one any more is left alone."""
        found = find_target(documents, self.target_id)
        if found is None or len(found["versions"]) != self.number or found.get("told") == self.number:
            return Outcome({})
        event = TargetReached(target_id=self.target_id, value=found["versions"][-1]["value"], reached_on=self.reached_on)
        after: TargetDocument = {**found, "told": self.number}
        return Outcome({}, (Write(TARGETS, stored(after), (event,)),))
