"""R12: what becomes of each enrolment when its training ends. The verdict is a pure function of the scans.

MoveTraining ends a training in one decision, after which no seat moves any more. Its enrolments are then settled in slices,
each a decision of its own, until none is live. If a process dies in between, the training's `settling` still says how it ended,
and the worker of any process goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from chassis.calendar import jakarta_day
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.changes import TypedChanges
from services.training.documents import Enrolment, EnrolmentStatus, ScanEntry, StoredSession, Training
from services.training.policy import Rules
from services.training.seats.desk import event_fields

LIVE: Final[frozenset[EnrolmentStatus]] = frozenset({"waitlisted", "offered", "confirmed", "attended"})  # still to settle
Verdict = Literal["completed", "not_completed", "no_show"]


def session_of(sessions: Sequence[StoredSession], moment: datetime, tolerance: timedelta) -> int | None:
    """The index of the session in which a scan lies, at most `tolerance` before or after it; of two, the nearer one."""
    best: tuple[timedelta, int] | None = None
    for index, session in enumerate(sessions):
        outside = max(session["starts_at"] - moment, moment - session["ends_at"], timedelta())
        if outside <= tolerance and (best is None or outside < best[0]):
            best = (outside, index)
    return best[1] if best else None


def attended_minutes(scans: Iterable[ScanEntry], sessions: Sequence[StoredSession], tolerance: timedelta) -> int:
    """Minutes by the scans; of one session never more than it lasts, however many devices scanned."""
    by_session: dict[int, int] = defaultdict(int)
    for scan in scans:
        index = session_of(sessions, scan["at"], tolerance)
        if index is not None:
            by_session[index] += scan["minutes"]
    return sum(min(minutes, _minutes(sessions[index])) for index, minutes in by_session.items())


def scheduled_minutes(sessions: Iterable[StoredSession]) -> int:
    """Length of all sessions together, in whole minutes."""
    return sum(_minutes(session) for session in sessions)


def _minutes(session: StoredSession) -> int:
    return int((session["ends_at"] - session["starts_at"]).total_seconds() // 60)


def judge(scans: Sequence[ScanEntry], sessions: Sequence[StoredSession], rules: Rules) -> Verdict:
    """The verdict on a person who had a seat (R12).

    Computed in whole numbers, so that exactly 80 % suffices. With zero scheduled minutes nobody completes.
    """
    if not scans:
        return "no_show"
    scheduled = scheduled_minutes(sessions)
    attended = attended_minutes(scans, sessions, rules.scan_tolerance)
    if scheduled > 0 and 100 * attended >= rules.completion_percent * scheduled:
        return "completed"
    return "not_completed"


def verdict_event(verdict: Verdict, enrolment: Enrolment, training: Training, now: datetime) -> Payload:
    """The event of a verdict. A completion has the date of the last session (R8), but never a future one."""
    match verdict:
        case "completed":
            return events.EnrolmentCompleted(**event_fields(enrolment), completed_on=jakarta_day(min(training["ends_at"], now)))
        case "not_completed":
            return events.EnrolmentNotCompleted(**event_fields(enrolment))
        case "no_show":
            return events.EnrolmentNoShow(**event_fields(enrolment))


@dataclass(frozen=True, slots=True)
class SettleEnrolments:
    """Settle a slice of the enrolments of a training that has ended; those that were settled meanwhile stay as they are."""

    training_id: str
    enrolment_ids: tuple[str, ...]
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {settled}: how many.

        Enrolments of a cancelled training are cancelled. Of a completed one, those with a seat are judged by their scans, and
        those that wait or have an offer expire.
        """
        changes = TypedChanges(documents)
        training = changes.training(self.training_id)
        if training is None or training["settling"] is None:
            return Outcome({"settled": 0})
        settled = 0
        for enrolment in changes.enrolments(self.enrolment_ids):
            if enrolment is not None and enrolment["status"] in LIVE:
                status, event = _settlement(enrolment, training, self.rules, now)
                after: Enrolment = {**enrolment, "status": status, "page": None, "offer_expires_at": None}
                changes.write_enrolment(after, [event])
                settled += 1
        return Outcome({"settled": settled}, changes.writes())


def _settlement(enrolment: Enrolment, training: Training, rules: Rules, now: datetime) -> tuple[EnrolmentStatus, Payload]:
    if training["settling"] == "cancelled":
        return "cancelled", events.EnrolmentCancelled(**event_fields(enrolment))
    if enrolment["status"] in ("waitlisted", "offered"):
        return "expired", events.EnrolmentExpired(**event_fields(enrolment))
    verdict = judge(enrolment["scans"], training["sessions"], rules)
    return verdict, verdict_event(verdict, enrolment, training, now)


@dataclass(frozen=True, slots=True)
class FinishSettling:
    """Record that no enrolment of a training is live any more. None can become live: the training's status forbids it."""

    training_id: str

    def decide(self, documents: Documents, now: datetime) -> Outcome:  # noqa: ARG002 - the form of every rule
        """Clear `settling`. Replies {}."""
        changes = TypedChanges(documents)
        training = changes.training(self.training_id)
        if training is not None and training["settling"] is not None:
            changes.write_training({**training, "settling": None})
        return Outcome({}, changes.writes())
