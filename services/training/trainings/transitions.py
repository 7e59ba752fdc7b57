"""R10: the states of a training, as a table: which step is there, who may take it, and what it tells the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from chassis.calendar import JAKARTA
from chassis.documents import Document
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.documents import PARTNERS, TRAININGS
from services.training.policy import Actor, Rules
from services.training.refusals import not_yours, refused, stale
from services.training.trainings.rules import facts, owned, reference, require_active


@dataclass(frozen=True, slots=True)
class Step:
    """`staff_only`: not the partner itself. `active`: only while the partner is active (R9). `without_approval`: the
    shortcut for partners whose trainings need none. `ends`: enrolments are settled afterwards (completion.py)."""

    events: tuple[type[Payload], ...]
    staff_only: bool = False
    active: bool = False
    without_approval: bool = False
    ends: bool = False
    clock: tuple[str, str] | None = field(default=None)  # not before this field of the training; its name for people


_CANCEL: Final = Step((events.TrainingCancelled,), ends=True)
TRANSITIONS: Final[Mapping[tuple[str, str], Step]] = {
    ("draft", "submitted"): Step((events.TrainingSubmitted,), active=True),
    ("submitted", "approved"): Step((events.TrainingApproved,), staff_only=True),
    ("submitted", "published"): Step((events.TrainingApproved, events.TrainingPublished), active=True, without_approval=True),
    ("approved", "published"): Step((events.TrainingPublished,), active=True),
    ("published", "closed"): Step((events.TrainingClosed,)),
    ("closed", "running"): Step((events.TrainingStarted,), clock=("starts_at", "first")),
    ("running", "completed"): Step((events.TrainingCompleted,), ends=True, clock=("ends_at", "last")),
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
    to: str
    actor: Actor
    rules: Rules
    reason: str | None = None
    if_match: int | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound for another tenant, Stale, Conflict for a step that isn't there, Forbidden for whose it isn't."""
        changes = Changes(documents)
        training = owned(changes, self.training_id, self.actor)
        if self.if_match is not None and training["revision"] != self.if_match:
            raise stale()
        step = TRANSITIONS.get((training["status"], self.to))
        if step is None:
            raise refused("to", "R10.transition", was=training["status"], to=self.to)
        if step.staff_only and not self.actor.staff:
            raise not_yours()
        self._check_partner(changes, training, step)
        if self.rules.follow_clock and step.clock is not None and now < training[step.clock[0]]:
            when = training[step.clock[0]].astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M")
            raise refused("to", "R10.too_early", which=step.clock[1], when=when)
        after = self._after(training, step, now)
        changes.write(TRAININGS, after, [event.model_validate(facts(after)) for event in step.events])
        return Outcome(reference(after), changes.writes())

    def _check_partner(self, changes: Changes, training: Document, step: Step) -> None:
        if not step.active:
            return
        partner = require_active(changes, training["partner_id"])
        if step.without_approval and (partner is None or partner["approval_required"]):
            raise refused("to", "R10.approval_required")
        if partner is not None:
            # Written unchanged: its version makes a suspension that is decided at the same moment meet this step.
            changes.write(PARTNERS, partner)

    def _after(self, training: Document, step: Step, now: datetime) -> Document:
        after: dict[str, Any] = {
            **training,
            "status": self.to,
            "revision": training["revision"] + 1,
            "reason": self.reason,  # of this step: an older one would seem to explain it
        }
        if events.TrainingApproved in step.events:
            after["approved_quota"] = training["quota"]
        if self.to == "published":
            after["published_at"] = now
        if step.ends:
            # From here on no seat can be taken or offered: what is left is to settle each enrolment (completion.py).
            after |= {"settling": self.to, "offered": 0, "waiting": 0, "queue_first": training["queue_last"]}
            if self.to == "cancelled":
                after["confirmed"] = 0
        return after
