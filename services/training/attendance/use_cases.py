"""The verb of attendance: which documents a rule needs, and the call of GroupCommit. The rule decides; nothing here does."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.documents import Document
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.training.actor import Actor
from services.training.attendance.rules import RecordAttendance, Scan
from services.training.documents import SCANS, TRAININGS, scan_id
from services.training.policy import Rules


class AttendanceUseCases:
    """One method for each verb of attendance."""

    def __init__(self, group_commit: GroupCommit, rules: Rules) -> None:
        self._group_commit = group_commit
        self._rules = rules

    async def record_attendance(
        self, training_id: str, scans: Sequence[Scan], actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """Record a device's upload; each scan gets its own answer. Raises NotFound, Conflict."""
        command = RecordAttendance(training_id, tuple(scans), actor, self._rules)
        reads = [(TRAININGS, training_id), *((SCANS, scan_id(training_id, scan.nonce)) for scan in scans)]
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))
