"""R12: what became of each enrolment when its training ends. Pure functions of the scans, so they can be recomputed.

A training ends in one decision (transition.py), which closes all doors; then its enrolments are settled in slices, each a
decision of its own, until none is live. A process that dies in between leaves `settling` behind, and the worker goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.documents import ENROLMENTS, TRAININGS
from services.training.enrolments.eligibility import LIVE
from services.training.policy import Rules
from services.training.seats.desk import facts

Verdict = Literal["completed", "not_completed", "no_show"]


def session_of(sessions: Sequence[Mapping[str, Any]], moment: datetime, tolerance: timedelta) -> int | None:
    """The session in which a scan lies, give or take the tolerance; of two, the one that it is inside of or nearer to."""
    best: tuple[timedelta, int] | None = None
    for index, session in enumerate(sessions):
        outside = max(session["starts_at"] - moment, moment - session["ends_at"], timedelta())
        if outside <= tolerance and (best is None or outside < best[0]):
            best = (outside, index)
    return best[1] if best else None


def attended_minutes(scans: Iterable[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]], tolerance: timedelta) -> int:
    """Minutes by the scans; in one session never more than it lasts, however many devices scanned."""
    by_session: dict[int, int] = defaultdict(int)
    for scan in scans:
        index = session_of(sessions, scan["at"], tolerance)
        if index is not None:
            by_session[index] += scan["minutes"]
    return sum(min(minutes, _minutes(sessions[index])) for index, minutes in by_session.items())


def scheduled_minutes(sessions: Iterable[Mapping[str, Any]]) -> int:
    """Length of all sessions together."""
    return sum(_minutes(session) for session in sessions)


def _minutes(session: Mapping[str, Any]) -> int:
    length: timedelta = session["ends_at"] - session["starts_at"]
    return int(length.total_seconds() // 60)


def judge(scans: Sequence[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]], rules: Rules) -> Verdict:
    """R12 for one who had a seat. In whole numbers: 80 % is 80 %. Zero scheduled minutes never completes anyone."""
    if not scans:
        return "no_show"
    scheduled = scheduled_minutes(sessions)
    attended = attended_minutes(scans, sessions, rules.scan_tolerance)
    if scheduled > 0 and 100 * attended >= rules.completion_percent * scheduled:
        return "completed"
    return "not_completed"


def verdict_event(verdict: Verdict, enrolment: Mapping[str, Any], training: Mapping[str, Any], now: datetime) -> Payload:
    """What the world hears of a verdict. Completion is dated by the last session (R8), never ahead of now."""
    match verdict:
        case "completed":
            return events.EnrolmentCompleted(**facts(enrolment), completed_on=jakarta_day(min(training["ends_at"], now)))
        case "not_completed":
            return events.EnrolmentNotCompleted(**facts(enrolment))
        case "no_show":
            return events.EnrolmentNoShow(**facts(enrolment))


@dataclass(frozen=True, slots=True)
class SettleEnrolments:
    """One slice of the enrolments of a training that has ended. Those settled meanwhile are left alone."""

    training_id: str
    enrolment_ids: tuple[str, ...]
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Cancelled with the training, or judged by the scans; who still waited or had an offer has it expired."""
        changes = Changes(documents)
        training = changes.get(TRAININGS, self.training_id)
        if training is None or training["settling"] is None:
            return Outcome({"settled": 0})
        settled = 0
        for enrolment in changes.get_many(ENROLMENTS, self.enrolment_ids):
            if enrolment is not None and enrolment["status"] in LIVE:
                status, event = _settlement(enrolment, training, self.rules, now)
                after: Document = {**enrolment, "status": status, "page": None, "offer_expires_at": None}
                changes.write(ENROLMENTS, after, [event])
                settled += 1
        return Outcome({"settled": settled}, changes.writes())


def _settlement(enrolment: Document, training: Document, rules: Rules, now: datetime) -> tuple[str, Payload]:
    if training["settling"] == "cancelled":
        return "cancelled", events.EnrolmentCancelled(**facts(enrolment))
    if enrolment["status"] in ("waitlisted", "offered"):
        return "expired", events.EnrolmentExpired(**facts(enrolment))
    verdict = judge(enrolment["scans"], training["sessions"], rules)
    return verdict, verdict_event(verdict, enrolment, training, now)


@dataclass(frozen=True, slots=True)
class FinishSettling:
    """No enrolment is live any more. New ones can't come: the training's state forbids them."""

    training_id: str

    def decide(self, documents: Documents, now: datetime) -> Outcome:  # noqa: ARG002 - the form of every rule
        """Clear the mark."""
        changes = Changes(documents)
        training = changes.get(TRAININGS, self.training_id)
        if training is not None and training["settling"] is not None:
            changes.write(TRAININGS, {**training, "settling": None})
        return Outcome({}, changes.writes())
