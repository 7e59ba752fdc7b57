"""R12: attendance. Scans are deduplicated by nonce and recorded up to 48 hours after the end; each gets its own answer.

An upload after completion was decided leads to a new verdict, so that a person who was there does not lose the stage because a
device was offline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.documents import Document
from chassis.errors import FieldError
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.actor import Actor
from services.training.attendance.refusals import REFUSALS
from services.training.changes import TypedChanges
from services.training.completion.rules import attended_minutes, judge, session_of, verdict_event
from services.training.documents import (
    Enrolment,
    EnrolmentStatus,
    ScanEntry,
    Training,
    TrainingStatus,
    scan_id,
    training_of,
)
from services.training.policy import Rules
from services.training.seats.desk import event_fields
from services.training.trainings.rules import owned_training

# Reported trainings too: the partner's report must not shut out a device that was offline.
_RECORDED_IN: Final[frozenset[TrainingStatus]] = frozenset({"published", "closed", "running", "completed", "reported"})
_SEATED: Final[frozenset[EnrolmentStatus]] = frozenset({"confirmed", "attended"})
_JUDGED: Final[frozenset[EnrolmentStatus]] = frozenset({"not_completed", "no_show", "completed"})
SCANS_OF_ONE: Final = 500  # scans are kept in the enrolment: this bounds its size


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a device."""

    enrolment_id: str
    nonce: str  # drawn by the device: the same nonce again is a duplicate
    scanned_at: datetime  # the device's time, in UTC
    minutes: int  # attended minutes for which it stands


@dataclass(frozen=True, slots=True)
class RecordAttendance:
    """Record a device's upload."""

    training_id: str
    scans: tuple[Scan, ...]
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {results, recorded, duplicate, refused}: one result for each scan, in order, and how many of each kind.

        Raises NotFound for another owner's training, Conflict for a status in which no attendance is recorded.
        """
        changes = TypedChanges(documents)
        training = owned_training(changes, self.training_id, self.actor)
        if training["status"] not in _RECORDED_IN:
            raise REFUSALS.refused("training_id", "R12.training_state", status=training["status"])
        changes.load_scans(sorted({scan_id(self.training_id, scan.nonce) for scan in self.scans}))
        changes.enrolments(sorted({scan.enrolment_id for scan in self.scans if self._belongs(scan)}))
        results = [self._record(changes, training, scan, now) for scan in self.scans]
        for identity in dict.fromkeys(result["enrolment_id"] for result in results if result["result"] == "recorded"):
            self._sum_up(changes, training, identity, now)
        counts = {kind: sum(result["result"] == kind for result in results) for kind in ("recorded", "duplicate", "refused")}
        return Outcome({"results": results, **counts}, changes.writes())

    def _belongs(self, scan: Scan) -> bool:
        return training_of(scan.enrolment_id) == self.training_id

    def _record(self, changes: TypedChanges, training: Training, scan: Scan, now: datetime) -> Document:
        """Record one scan, unless it is a duplicate or refused; returns its result."""
        result: Document = {"enrolment_id": scan.enrolment_id, "nonce": scan.nonce}
        identity = scan_id(self.training_id, scan.nonce)
        if changes.scan(identity) is not None:
            return {**result, "result": "duplicate"}
        enrolment = changes.enrolment(scan.enrolment_id) if self._belongs(scan) else None
        if enrolment is None:
            return _refused(result, REFUSALS.failing("enrolment_id", "R12.unknown_enrolment"))
        refusal = self._refusal(training, enrolment, scan, now)
        if refusal is not None:
            return _refused(result, refusal)
        entry: ScanEntry = {"at": scan.scanned_at, "minutes": scan.minutes}
        changes.write_scan({"_id": identity, "enrolment_id": scan.enrolment_id, "at": scan.scanned_at, "minutes": scan.minutes})
        changes.write_enrolment({**enrolment, "scans": [*enrolment["scans"], entry]})
        return {**result, "result": "recorded"}

    def _refusal(self, training: Training, enrolment: Enrolment, scan: Scan, now: datetime) -> FieldError | None:
        rules = self.rules
        if enrolment["status"] not in _SEATED | _JUDGED:
            return REFUSALS.failing("enrolment_id", "R12.no_seat", status=enrolment["status"])
        if now > training["ends_at"] + rules.late_upload:
            return REFUSALS.failing("scanned_at", "R12.too_late", hours=int(rules.late_upload.total_seconds() // 3600))
        if session_of(training["sessions"], scan.scanned_at, rules.scan_tolerance) is None:
            return REFUSALS.failing("scanned_at", "R12.outside_sessions")
        if rules.follow_clock and scan.scanned_at > now + rules.scan_tolerance:
            return REFUSALS.failing("scanned_at", "R12.ahead")
        if len(enrolment["scans"]) >= SCANS_OF_ONE:
            return REFUSALS.failing("enrolment_id", "R12.too_many_scans")
        return None

    def _sum_up(self, changes: TypedChanges, training: Training, identity: str, now: datetime) -> None:
        """Write an enrolment's new total, once for each upload; and a new verdict where one was given before."""
        enrolment = changes.existing_enrolment(identity)
        minutes = attended_minutes(enrolment["scans"], training["sessions"], self.rules.scan_tolerance)
        about: list[Payload] = [events.EnrolmentAttendanceRecorded(**event_fields(enrolment), minutes=minutes)]
        status: EnrolmentStatus = "attended" if enrolment["status"] in _SEATED else enrolment["status"]
        if status in _JUDGED:
            verdict = judge(enrolment["scans"], training["sessions"], self.rules)
            if verdict != status:
                status = verdict
                about.append(verdict_event(verdict, enrolment, training, now))
        changes.write_enrolment({**enrolment, "status": status, "minutes": minutes}, about)


def _refused(result: Document, refusal: FieldError) -> Document:
    texts = {"message_id": refusal.message_id, "message_en": refusal.message_en}
    return {**result, "result": "refused", "code": refusal.code, **texts}
