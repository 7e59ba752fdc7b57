"""R10: a training's timetable, who sees it, and how it is created. Next: transitions.py, revision.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from chassis.documents import Document
from chassis.errors import FieldError, invalid
from chassis.writing.decision import Documents, Outcome
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import (
    Audience,
    StoredSession,
    Timetable,
    Training,
    TrainingStage,
    TrainingStatus,
    external_id_of,
)
from services.training.partners.rules import active_partner
from services.training.trainings.audience import code_problems, dinas_of
from services.training.trainings.refusals import REFUSALS, unknown_training

PUBLIC: Final[frozenset[TrainingStatus]] = frozenset({"published", "closed", "running", "completed", "reported"})
OVER: Final[frozenset[TrainingStatus]] = frozenset({"completed", "reported", "cancelled"})


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a training; times in UTC."""

    starts_at: datetime
    ends_at: datetime
    place: str
    online_url: str | None = None

    def stored(self) -> StoredSession:
        """As the training's document keeps it."""
        return {"starts_at": self.starts_at, "ends_at": self.ends_at, "place": self.place, "online_url": self.online_url}


def timetable_problems(
    sessions: Sequence[Session] | None, registration_deadline: datetime | None, quota: int | None
) -> list[FieldError]:
    """Every failing rule of a timetable, or of what is known of it.

    There is at least one session; sessions are in order and do not overlap; the deadline is before the first; quota >= 1.
    """
    errors: list[FieldError] = []
    if sessions is None:
        sessions = ()
    elif not sessions:
        errors.append(REFUSALS.failing("sessions", "R10.sessions_empty"))
    for index, session in enumerate(sessions):
        if session.ends_at <= session.starts_at:
            errors.append(REFUSALS.failing(f"sessions.{index}.ends_at", "R10.session_length"))
    for index, (before, after) in enumerate(pairwise(sessions), start=1):
        if after.starts_at < before.ends_at:
            errors.append(REFUSALS.failing(f"sessions.{index}.starts_at", "R10.sessions_order"))
    if sessions and registration_deadline is not None and registration_deadline >= sessions[0].starts_at:
        errors.append(REFUSALS.failing("registration_deadline", "R10.deadline"))
    if quota is not None and quota < 1:
        errors.append(REFUSALS.failing("quota", "R10.quota"))
    return errors


@dataclass(frozen=True, slots=True)
class CreateTraining:
    """Create a draft. With `dry_run` everything is checked and nothing is written."""

    training_id: str
    actor: Actor
    title: str
    description: str
    stage: TrainingStage
    dinas: str | None  # in any spelling that dinas_of knows
    sessions: tuple[Session, ...]
    quota: int
    registration_deadline: datetime
    audience: Audience
    external_id: str | None = None
    dry_run: bool = False

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises Invalid with every failing field, NotFound or RuleBroken unless the partner is active.

        Replies {training_id, status, revision, created}. A known external id replies its training with `created` False; a dry
        run replies `training_id` None and no revision.
        """
        changes = TypedChanges(documents)
        active_partner(changes, self.actor.partner_id)
        if self.external_id is not None:
            first = changes.external_id(external_id_of(self.actor.partner_id, self.external_id))
            if first is not None:
                known = changes.training(first["training_id"])
                if known is not None:
                    return Outcome({**reference(known), "created": False})
        errors = timetable_problems(self.sessions, self.registration_deadline, self.quota)
        errors += code_problems(self.dinas, self.audience)
        if errors:
            raise invalid(*errors)
        if self.dry_run:
            return Outcome({"training_id": None, "status": "draft", "created": False})
        training = self._training(now)
        changes.write_training(training)
        if self.external_id is not None:
            identity = external_id_of(self.actor.partner_id, self.external_id)
            changes.write_external_id({"_id": identity, "training_id": self.training_id})
        return Outcome({**reference(training), "created": True}, changes.writes())

    def _training(self, now: datetime) -> Training:
        timetable = stored_timetable(self.sessions, self.registration_deadline)
        return {
            "_id": self.training_id,
            "partner_id": self.actor.partner_id,
            "external_id": self.external_id,
            "title": self.title,
            "description": self.description,
            "stage": self.stage,
            "dinas": dinas_of(self.dinas) if self.dinas is not None else self.actor.dinas,
            "audience": {**self.audience},
            "sessions": timetable["sessions"],
            "starts_at": timetable["starts_at"],
            "ends_at": timetable["ends_at"],
            "registration_deadline": timetable["registration_deadline"],
            "quota": self.quota,
            "approved_quota": None,
            "status": "draft",
            "settling": None,
            "reason": None,
            "revision": 1,
            "confirmed": 0,
            "offered": 0,
            "waiting": 0,
            "queue_first": 1,
            "queue_last": 1,
            "created_by": self.actor.id,
            "created_at": now,
        }


def stored_timetable(sessions: Sequence[Session], registration_deadline: datetime) -> Timetable:
    """The timetable's fields as the training's document keeps them; `sessions` is not empty."""
    return {
        "sessions": [session.stored() for session in sessions],
        "starts_at": sessions[0].starts_at,
        "ends_at": sessions[-1].ends_at,
        "registration_deadline": registration_deadline,
    }


def was_published(training: Training) -> bool:
    """Whether the training is or was public. A cancelled one is, if it was published before."""
    return training["status"] in PUBLIC or (training["status"] == "cancelled" and training.get("published_at") is not None)


def visible(training: Training | None, actor: Actor) -> bool:
    """Whether the actor may see the training: everybody once it was published, before that only its owner."""
    return training is not None and (was_published(training) or actor.owns(training))


def owned_training(changes: TypedChanges, training_id: str, actor: Actor) -> Training:
    """The training, which the actor manages; raises NotFound for one of another partner or dinas."""
    training = changes.training(training_id)
    if training is None or not actor.owns(training):
        raise unknown_training()
    return training


def event_fields(training: Training) -> dict[str, Any]:
    """The fields that every training event carries."""
    return {
        "training_id": training["_id"],
        "partner_id": training["partner_id"],
        "stage": training["stage"],
        "dinas": training["dinas"],
        "quota": training["quota"],
        "starts_at": training["starts_at"],
        "ends_at": training["ends_at"],
    }


def reference(training: Training) -> Document:
    """The short reply to a change: {training_id, status, revision}."""
    return {"training_id": training["_id"], "status": training["status"], "revision": training["revision"]}
