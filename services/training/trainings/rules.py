"""R10: a training's timetable, who sees it, and how it begins. Next: transition.py, revision.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, Literal

from chassis.documents import Document
from chassis.errors import FieldError, NotFound, invalid, not_found
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from services.training.documents import EXTERNAL_IDS, PARTNERS, TRAININGS, external_id_of
from services.training.partners.rules import unknown as unknown_partner
from services.training.policy import Actor
from services.training.refusals import failing, refused
from services.training.trainings.audience import code_problems, dinas_of

Status = Literal[
    "draft", "submitted", "approved", "published", "closed", "running", "completed", "reported", "cancelled"
]  # fmt: skip
PUBLIC: Final = frozenset({"published", "closed", "running", "completed", "reported"})
OVER: Final = frozenset({"completed", "reported", "cancelled"})


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting; times in UTC."""

    starts_at: datetime
    ends_at: datetime
    place: str
    online_url: str | None = None

    def stored(self) -> Document:
        """As kept in the training."""
        return {"starts_at": self.starts_at, "ends_at": self.ends_at, "place": self.place, "online_url": self.online_url}


def timetable_problems(sessions: Sequence[Session], registration_deadline: datetime, quota: int) -> list[FieldError]:
    """All that is wrong: sessions non-empty, in order, not overlapping; deadline before the first; quota at least 1."""
    errors: list[FieldError] = []
    if not sessions:
        errors.append(failing("sessions", "R10.sessions_empty"))
    for index, session in enumerate(sessions):
        if session.ends_at <= session.starts_at:
            errors.append(failing(f"sessions.{index}.ends_at", "R10.session_length"))
    for index, (before, after) in enumerate(pairwise(sessions), start=1):
        if after.starts_at < before.ends_at:
            errors.append(failing(f"sessions.{index}.starts_at", "R10.sessions_order"))
    if sessions and registration_deadline >= sessions[0].starts_at:
        errors.append(failing("registration_deadline", "R10.deadline"))
    if quota < 1:
        errors.append(failing("quota", "R10.quota"))
    return errors


@dataclass(frozen=True, slots=True)
class CreateTraining:
    """A draft. `dry_run` checks everything and writes nothing."""

    training_id: str
    actor: Actor
    title: str
    description: str
    stage: str
    dinas: str | None
    sessions: tuple[Session, ...]
    quota: int
    registration_deadline: datetime
    audience: Mapping[str, list[str]]
    external_id: str | None = None
    dry_run: bool = False

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises Invalid with every failing field, RuleBroken unless the partner is active."""
        changes = Changes(documents)
        require_active(changes, self.actor.partner_id)
        if self.external_id is not None:
            first = changes.get(EXTERNAL_IDS, external_id_of(self.actor.partner_id, self.external_id))
            if first is not None:
                known = changes.get(TRAININGS, first["training_id"])
                if known is not None:
                    return Outcome({**reference(known), "created": False})
        errors = timetable_problems(self.sessions, self.registration_deadline, self.quota)
        errors += code_problems(self.dinas, self.audience)
        if errors:
            raise invalid(*errors)
        if self.dry_run:
            return Outcome({"training_id": None, "status": "draft", "created": False})
        training = self._training(now)
        changes.write(TRAININGS, training)
        if self.external_id is not None:
            identity = external_id_of(self.actor.partner_id, self.external_id)
            changes.write(EXTERNAL_IDS, {"_id": identity, "training_id": self.training_id})
        return Outcome({**reference(training), "created": True}, changes.writes())

    def _training(self, now: datetime) -> Document:
        return {
            "_id": self.training_id,
            "partner_id": self.actor.partner_id,
            "external_id": self.external_id,
            "title": self.title,
            "description": self.description,
            "stage": self.stage,
            "dinas": dinas_of(self.dinas) if self.dinas is not None else self.actor.dinas,
            "audience": dict(self.audience),
            **stored_timetable(self.sessions, self.registration_deadline),
            "quota": self.quota,
            "approved_quota": None,
            "status": "draft",
            "settling": None,
            "reason": None,
            # What If-Match means: the version also counts every enrolment, this only what its owner changed.
            "revision": 1,
            "confirmed": 0,
            "offered": 0,
            "waiting": 0,
            "queue_first": 1,
            "queue_last": 1,
            "created_by": self.actor.id,
            "created_at": now,
        }


def stored_timetable(sessions: Sequence[Session], registration_deadline: datetime) -> Document:
    """The timetable's fields: sessions, and the start and end that queries and events want."""
    return {
        "sessions": [session.stored() for session in sessions],
        "starts_at": sessions[0].starts_at,
        "ends_at": sessions[-1].ends_at,
        "registration_deadline": registration_deadline,
    }


def require_active(changes: Changes, partner_id: str | None) -> Document | None:
    """R9: only an active partner creates and publishes. None for an office's own training."""
    if partner_id is None:
        return None
    partner = changes.get(PARTNERS, partner_id)
    if partner is None:
        raise unknown_partner()
    if partner["status"] != "active":
        raise refused("partner_id", "R9.not_active", status=partner["status"])
    return partner


def was_published(training: Mapping[str, Any]) -> bool:
    """Whether the public knows it: a cancelled one too, if it was published before."""
    return training["status"] in PUBLIC or (training["status"] == "cancelled" and training.get("published_at") is not None)


def visible(training: Mapping[str, Any] | None, actor: Actor) -> bool:
    """To everybody once published, before that to its owner and to staff."""
    return training is not None and (was_published(training) or actor.owns(training))


def owned(changes: Changes, training_id: str, actor: Actor) -> Document:
    """The training to manage; raises NotFound for another tenant."""
    training = changes.get(TRAININGS, training_id)
    if training is None or not actor.owns(training):
        raise unknown()
    return training


def facts(training: Mapping[str, Any]) -> dict[str, Any]:
    """What every training event says."""
    return {
        "training_id": training["_id"],
        **{name: training[name] for name in ("partner_id", "stage", "dinas", "quota", "starts_at", "ends_at")},
    }


def reference(training: Mapping[str, Any]) -> Document:
    """The short reply to a change."""
    return {"training_id": training["_id"], "status": training["status"], "revision": training["revision"]}


def unknown() -> NotFound:
    """No such training, or not yours: the two look the same."""
    return not_found("Pelatihan", "Training")
