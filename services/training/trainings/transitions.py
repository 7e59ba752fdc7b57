"""R10: the states of a training as a table: which transition exists, who may make it, and which events it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from chassis.calendar import JAKARTA
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import Training, TrainingStatus
from services.training.partners.rules import active_partner
from services.training.policy import Rules
from services.training.refusals import not_yours, stale
from services.training.trainings.refusals import REFUSALS
from services.training.trainings.rules import event_fields, owned_training, reference


@dataclass(frozen=True, slots=True)
class Step:
    """One transition, and what it needs."""

    events: tuple[type[Payload], ...]
    staff_only: bool = False  # the partner itself may not make it
    active: bool = False  # only while the partner is active (R9)
    without_approval: bool = False  # only for partners whose trainings need no approval
    ends: bool = False  # the training's enrolments are settled afterwards (completion/rules.py)
    # Not before this field of the training, if trainings follow the clock; and how the refusal calls that session.
    not_before: Literal["starts_at", "ends_at"] | None = None


_CANCEL: Final = Step((events.TrainingCancelled,), ends=True)
TRANSITIONS: Final[Mapping[tuple[TrainingStatus, TrainingStatus], Step]] = {
    ("draft", "submitted"): Step((events.TrainingSubmitted,), active=True),
    ("submitted", "approved"): Step((events.TrainingApproved,), staff_only=True),
    ("submitted", "published"): Step((events.TrainingApproved, events.TrainingPublished), active=True, without_approval=True),
    ("approved", "published"): Step((events.TrainingPublished,), active=True),
    ("published", "closed"): Step((events.TrainingClosed,)),
    ("closed", "running"): Step((events.TrainingStarted,), not_before="starts_at"),
    ("running", "completed"): Step((events.TrainingCompleted,), ends=True, not_before="ends_at"),
    ("completed", "reported"): Step((events.TrainingReported,)),
    ("draft", "cancelled"): _CANCEL,
    ("submitted", "cancelled"): _CANCEL,
    ("approved", "cancelled"): _CANCEL,
    ("published", "cancelled"): _CANCEL,
    ("closed", "cancelled"): _CANCEL,
    ("running", "cancelled"): _CANCEL,
}


@dataclass(frozen=True, slots=True)
class MoveTraining:
    """Take a training to another state."""

    training_id: str
    to: TrainingStatus
    actor: Actor
    rules: Rules
    reason: str | None = None
    if_match: frozenset[int] | None = None  # the revision that the actor has seen

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Follow TRANSITIONS. Replies {training_id, status, revision}.

        Raises NotFound for another owner's training, Stale, Conflict for a transition that does not exist or comes too early,
        Forbidden for a partner that would approve its own training, RuleBroken unless the partner is active.
        """
        changes = TypedChanges(documents)
        training = owned_training(changes, self.training_id, self.actor)
        if self.if_match is not None and training["revision"] not in self.if_match:
            raise stale()
        step = TRANSITIONS.get((training["status"], self.to))
        if step is None:
            raise REFUSALS.refused("to", "R10.transition", was=training["status"], to=self.to)
        if step.staff_only and not self.actor.staff:
            raise not_yours()
        self._check_partner(changes, training, step)
        self._check_clock(training, step, now)
        after = self._after(training, step, now)
        changes.write_training(after, [event.model_validate(event_fields(after)) for event in step.events])
        return Outcome(reference(after), changes.writes())

    def _check_partner(self, changes: TypedChanges, training: Training, step: Step) -> None:
        if not step.active:
            return
        partner = active_partner(changes, training["partner_id"])
        if step.without_approval and (partner is None or partner["approval_required"]):
            raise REFUSALS.refused("to", "R10.approval_required")
        if partner is not None:
            # Written unchanged: a suspension that another replica decides at the same moment then meets this transition in
            # the partner's version, and one of the two is decided again.
            changes.write_partner(partner)

    def _check_clock(self, training: Training, step: Step, now: datetime) -> None:
        if not self.rules.follow_clock or step.not_before is None:
            return
        if now < training[step.not_before]:
            when = training[step.not_before].astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M")
            raise REFUSALS.refused("to", "R10.too_early", when=when)

    def _after(self, training: Training, step: Step, now: datetime) -> Training:
        after: Training = {
            **training,
            "status": self.to,
            "revision": training["revision"] + 1,
            "reason": self.reason,  # None too: the reason of an older transition would seem to explain this one
        }
        if events.TrainingApproved in step.events:
            after["approved_quota"] = training["quota"]
        if self.to == "published":
            after["published_at"] = now
        if step.ends:
            # No seat can be taken or offered any more: what is left is to settle each enrolment (completion/rules.py).
            after["settling"] = "cancelled" if self.to == "cancelled" else "completed"
            after["offered"] = 0
            after["waiting"] = 0
            after["queue_first"] = training["queue_last"]
            if self.to == "cancelled":
                after["confirmed"] = 0
        return after
