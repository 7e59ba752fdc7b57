"""R10: revising a training: its texts, its sessions and deadline, its quota. A raised quota reaches the waiting list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.errors import invalid
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import Timetable, Training, TrainingStatus
from services.training.policy import Rules
from services.training.refusals import stale
from services.training.seats.desk import Desk
from services.training.trainings.refusals import REFUSALS
from services.training.trainings.rules import (
    OVER,
    Session,
    event_fields,
    owned_training,
    reference,
    stored_timetable,
    timetable_problems,
)

_BEFORE_START: Final[frozenset[TrainingStatus]] = frozenset({"draft", "submitted", "approved", "published", "closed"})
_ANNOUNCED: Final[frozenset[TrainingStatus]] = frozenset({"published", "closed"})
_APPROVED: Final[frozenset[TrainingStatus]] = frozenset({"approved", "published", "closed", "running"})


@dataclass(frozen=True, slots=True)
class ReviseTraining:
    """New values; a field that is None stays as it is."""

    training_id: str
    actor: Actor
    rules: Rules
    if_match: frozenset[int] | None = None  # the revision that the actor has seen
    title: str | None = None
    description: str | None = None
    sessions: tuple[Session, ...] | None = None
    registration_deadline: datetime | None = None
    quota: int | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {training_id, status, revision}.

        Raises NotFound, Stale, Invalid for a timetable that breaks R10, Conflict for a training that has started or ended and
        for a quota below the seats taken, RuleBroken for a quota that needs approval.
        """
        changes = TypedChanges(documents)
        training = owned_training(changes, self.training_id, self.actor)
        if self.if_match is not None and training["revision"] not in self.if_match:
            raise stale()
        if training["status"] in OVER:
            raise REFUSALS.refused("status", "R10.over", status=training["status"])
        after: Training = {**training, "revision": training["revision"] + 1}
        timetable = self._timetable(training, now)
        if timetable is not None:
            after = {**after, **timetable}
        if self.title is not None:
            after["title"] = self.title
        if self.description is not None:
            after["description"] = self.description
        if self.quota is not None:
            after["quota"] = self.quota
            after["approved_quota"] = self._approved_quota(changes, training, self.quota)
        desk = Desk(changes, after, self.rules, now)
        desk.fill()
        desk.close(*_events(training, after))
        return Outcome(reference(after), changes.writes())

    def _timetable(self, training: Training, now: datetime) -> Timetable | None:
        """The new timetable, or None if it stays as it is."""
        kept = tuple(Session(**session) for session in training["sessions"])
        if self.sessions is None and self.registration_deadline is None:
            if self.quota is not None and self.quota < 1:
                raise invalid(*timetable_problems(kept, training["registration_deadline"], self.quota))
            return None
        sessions = self.sessions if self.sessions is not None else kept
        deadline = self.registration_deadline or training["registration_deadline"]
        errors = timetable_problems(sessions, deadline, self.quota if self.quota is not None else training["quota"])
        if errors:
            raise invalid(*errors)
        started = training["status"] in _ANNOUNCED and now >= training["starts_at"]
        if training["status"] not in _BEFORE_START or started:
            raise REFUSALS.refused("sessions", "R10.started")
        # A training that is not announced yet has not started, even if its planned day has passed: it may get new sessions,
        # but these must lie ahead.
        if sessions[0].starts_at <= now:
            raise invalid(REFUSALS.failing("sessions.0.starts_at", "R10.session_past"))
        return stored_timetable(sessions, deadline)

    def _approved_quota(self, changes: TypedChanges, training: Training, quota: int) -> int | None:
        """The approved quota after the change; raises Conflict below the seats taken, RuleBroken above what is approved."""
        taken = training["confirmed"] + training["offered"]
        if quota < taken:
            raise REFUSALS.refused("quota", "R10.quota_below_taken", taken=taken)
        if training["status"] not in _APPROVED:
            return training["approved_quota"]
        approved = training["approved_quota"] or 0
        if not self.actor.staff and quota > approved:
            partner = changes.partner(training["partner_id"]) if training["partner_id"] is not None else None
            if partner is None or partner["approval_required"]:
                # Otherwise a partner could have 10 seats approved and publish 1,000.
                raise REFUSALS.refused("quota", "R10.quota_needs_approval", approved=approved)
        return max(quota, approved)


def _events(before: Training, after: Training) -> list[Payload]:
    """Nothing is published about a draft: its first event is that it was submitted. Changed texts have no event."""
    if before["status"] == "draft":
        return []
    found: list[Payload] = []
    if _times(before) != _times(after):
        found.append(events.TrainingRescheduled.model_validate(event_fields(after)))
    if before["quota"] != after["quota"]:
        found.append(events.TrainingQuotaChanged.model_validate(event_fields(after)))
    return found


def _times(training: Training) -> list[tuple[datetime, datetime]]:
    return [(session["starts_at"], session["ends_at"]) for session in training["sessions"]]
