"""R10: changing a training: its texts, its sessions and deadline, its quota. A raised quota reaches the waiting list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.documents import Document
from chassis.errors import invalid
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.documents import PARTNERS
from services.training.policy import Actor, Rules
from services.training.refusals import failing, refused, stale
from services.training.seats.desk import Desk
from services.training.trainings.rules import OVER, Session, facts, owned, reference, stored_timetable, timetable_problems

_BEFORE_START: Final = frozenset({"draft", "submitted", "approved", "published", "closed"})
_ANNOUNCED: Final = frozenset({"published", "closed"})
_APPROVED: Final = frozenset({"approved", "published", "closed", "running"})


@dataclass(frozen=True, slots=True)
class ReviseTraining:
    """New values; None leaves a field as it is."""

    training_id: str
    actor: Actor
    rules: Rules
    if_match: int | None = None
    title: str | None = None
    description: str | None = None
    sessions: tuple[Session, ...] | None = None
    registration_deadline: datetime | None = None
    quota: int | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, Stale, Invalid for a timetable that can't be, Conflict for a quota below the seats taken."""
        changes = Changes(documents)
        training = owned(changes, self.training_id, self.actor)
        if self.if_match is not None and training["revision"] != self.if_match:
            raise stale()
        if training["status"] in OVER:
            raise refused("status", "R10.over", status=training["status"])
        after: dict[str, Any] = {**training, "revision": training["revision"] + 1}
        after |= {name: value for name in ("title", "description") if (value := getattr(self, name)) is not None}
        after |= self._timetable(training, now)
        if self.quota is not None:
            after |= self._new_quota(changes, training)
        desk = Desk(changes, after, self.rules, now)
        desk.fill()
        desk.close(*_about(training, after))
        return Outcome(reference(after), changes.writes())

    def _timetable(self, training: Document, now: datetime) -> Document:
        if self.sessions is None and self.registration_deadline is None:
            if self.quota is not None and self.quota < 1:
                raise invalid(*timetable_problems(_sessions(training), training["registration_deadline"], self.quota))
            return {}
        sessions = self.sessions if self.sessions is not None else _sessions(training)
        deadline = self.registration_deadline or training["registration_deadline"]
        errors = timetable_problems(sessions, deadline, self.quota if self.quota is not None else training["quota"])
        if errors:
            raise invalid(*errors)
        begun = training["status"] in _ANNOUNCED and now >= training["starts_at"]
        if training["status"] not in _BEFORE_START or begun:
            raise refused("sessions", "R10.started")
        # One that nobody knows of yet hasn't begun, whatever day was planned: it needs days that are still to come.
        if sessions[0].starts_at <= now:
            raise invalid(failing("sessions.0.starts_at", "R10.session_past"))
        return stored_timetable(sessions, deadline)

    def _new_quota(self, changes: Changes, training: Document) -> Document:
        quota = self.quota if self.quota is not None else training["quota"]
        taken = training["confirmed"] + training["offered"]
        if quota < taken:
            raise refused("quota", "R10.quota_below_taken", taken=taken)
        if training["status"] not in _APPROVED:
            return {"quota": quota}
        if self.actor.staff:
            return {"quota": quota, "approved_quota": max(quota, training["approved_quota"])}
        partner = changes.get(PARTNERS, training["partner_id"])
        if quota > training["approved_quota"] and (partner is None or partner["approval_required"]):
            # Else a partner could have 10 seats approved and publish 1,000.
            raise refused("quota", "R10.quota_needs_approval", approved=training["approved_quota"])
        return {"quota": quota, "approved_quota": max(quota, training["approved_quota"])}


def _sessions(training: Document) -> tuple[Session, ...]:
    return tuple(Session(**session) for session in training["sessions"])


def _times(training: Document) -> list[tuple[datetime, datetime]]:
    return [(session["starts_at"], session["ends_at"]) for session in training["sessions"]]


def _about(before: Document, after: Document) -> list[Payload]:
    """A draft is nobody's business yet: its first event is that it was submitted."""
    if before["status"] == "draft":
        return []
    about: list[Payload] = []
    if _times(before) != _times(after):
        about.append(events.TrainingRescheduled.model_validate(facts(after)))
    if before["quota"] != after["quota"]:
        about.append(events.TrainingQuotaChanged.model_validate(facts(after)))
    return about
