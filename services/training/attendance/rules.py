"""R12: attendance. Scans dedupe by nonce, are taken up to 48 h after the end, and each gets its own answer.

A late upload after completion was decided is judged again: a person who was there doesn't lose the stage to a device
that was offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.documents import Document
from chassis.errors import FieldError
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.completion.rules import attended_minutes, judge, session_of, verdict_event
from services.training.documents import ENROLMENTS, SCANS, scan_id, training_of
from services.training.policy import Actor, Rules
from services.training.refusals import failing, refused
from services.training.seats.desk import facts
from services.training.trainings.rules import owned

# Reported ones too: what was promised to a device that was offline doesn't end when the partner sends its report.
_TAKEN_IN: Final = frozenset({"published", "closed", "running", "completed", "reported"})
_SEATED: Final = frozenset({"confirmed", "attended"})
_JUDGED: Final = frozenset({"not_completed", "no_show", "completed"})
SCANS_OF_ONE: Final = 500  # they live in the enrolment: a bound on its size


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a device; `minutes` that it stands for."""

    enrolment_id: str
    nonce: str
    scanned_at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class RecordAttendance:
    """A device's upload."""

    training_id: str
    scans: tuple[Scan, ...]
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound for another tenant, Conflict outside the states in which attendance is taken."""
        changes = Changes(documents)
        training = owned(changes, self.training_id, self.actor)
        if training["status"] not in _TAKEN_IN:
            raise refused("training_id", "R12.training_state", status=training["status"])
        changes.get_many(SCANS, sorted({scan_id(self.training_id, scan.nonce) for scan in self.scans}))
        ours = {scan.enrolment_id for scan in self.scans if training_of(scan.enrolment_id) == self.training_id}
        changes.get_many(ENROLMENTS, sorted(ours))
        results = [self._take(changes, training, scan, now) for scan in self.scans]
        changed = dict.fromkeys(r["enrolment_id"] for r in results if r["result"] == "recorded")
        for identity in changed:
            self._sum_up(changes, training, identity, now)
        counts = {name: sum(r["result"] == name for r in results) for name in ("recorded", "duplicate", "refused")}
        return Outcome({"results": results, **counts}, changes.writes())

    def _take(self, changes: Changes, training: Document, scan: Scan, now: datetime) -> Document:
        result: Document = {"enrolment_id": scan.enrolment_id, "nonce": scan.nonce}
        identity = scan_id(self.training_id, scan.nonce)
        if changes.get(SCANS, identity) is not None:
            return {**result, "result": "duplicate"}
        enrolment = None
        if training_of(scan.enrolment_id) == self.training_id:
            enrolment = changes.get(ENROLMENTS, scan.enrolment_id)
        refusal = self._refusal(training, enrolment, scan, now)
        if refusal is not None or enrolment is None:
            refusal = refusal or failing("enrolment_id", "R12.unknown_enrolment")
            texts = {"message_id": refusal.message_id, "message_en": refusal.message_en}
            return {**result, "result": "refused", "code": refusal.code, **texts}
        kept = {"at": scan.scanned_at, "minutes": scan.minutes}
        changes.write(SCANS, {"_id": identity, "enrolment_id": scan.enrolment_id, **kept})
        changes.write(ENROLMENTS, {**enrolment, "scans": [*enrolment["scans"], kept]})
        return {**result, "result": "recorded"}

    def _refusal(
        self, training: Mapping[str, Any], enrolment: Mapping[str, Any] | None, scan: Scan, now: datetime
    ) -> FieldError | None:
        if enrolment is None:
            return failing("enrolment_id", "R12.unknown_enrolment")
        if enrolment["status"] not in _SEATED | _JUDGED:
            return failing("enrolment_id", "R12.no_seat", status=enrolment["status"])
        if now > training["ends_at"] + self.rules.late_upload:
            return failing("scanned_at", "R12.too_late", hours=int(self.rules.late_upload.total_seconds() // 3600))
        if session_of(training["sessions"], scan.scanned_at, self.rules.scan_tolerance) is None:
            return failing("scanned_at", "R12.outside_sessions")
        if self.rules.follow_clock and scan.scanned_at > now + self.rules.scan_tolerance:
            return failing("scanned_at", "R12.ahead")
        if len(enrolment["scans"]) >= SCANS_OF_ONE:
            return failing("enrolment_id", "R12.too_many_scans")
        return None

    def _sum_up(self, changes: Changes, training: Document, identity: str, now: datetime) -> None:
        """The new total, once for each enrolment; and the verdict again where one was given."""
        enrolment = changes.need(ENROLMENTS, identity, "Pendaftaran", "Enrolment")
        minutes = attended_minutes(enrolment["scans"], training["sessions"], self.rules.scan_tolerance)
        about: list[Payload] = [events.EnrolmentAttendanceRecorded(**facts(enrolment), minutes=minutes)]
        status = "attended" if enrolment["status"] in _SEATED else enrolment["status"]
        if status in _JUDGED:
            verdict = judge(enrolment["scans"], training["sessions"], self.rules)
            if verdict != status:
                status = verdict
                about.append(verdict_event(verdict, enrolment, training, now))
        changes.write(ENROLMENTS, {**enrolment, "status": status, "minutes": minutes}, about)
