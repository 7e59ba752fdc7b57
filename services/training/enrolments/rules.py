"""R11: enrolling, alone or as a group; cancelling; accepting and declining an offer; offers that lapse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from chassis.documents import Document
from chassis.writing.decision import Documents, InconsistentRead, Outcome
from contracts import training as events
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import Enrolment, Training, TrainingStatus, training_of
from services.training.enrolments.eligibility import SEATLESS, Candidate, candidates, problems, training_problems
from services.training.enrolments.refusals import REFUSALS, own_only, unknown_enrolment
from services.training.policy import Rules
from services.training.seats.desk import Desk, cut_off
from services.training.trainings import rules as trainings
from services.training.trainings.refusals import unknown_training

Response = Literal["cancel", "accept", "decline"]
_OPEN: Final[frozenset[TrainingStatus]] = frozenset({"published", "closed"})  # seats change hands until the training runs


@dataclass(frozen=True, slots=True)
class EnrolPeople:
    """Enrol people, all or none, in the order given. `people`: field of the request -> jakpreneur_id."""

    training_id: str
    people: Mapping[str, str]
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {enrolments: [{enrolment_id, jakpreneur_id, status, position}]}; `position` only for who waits.

        Raises NotFound, Forbidden for a citizen who enrols somebody else, or one Conflict or RuleBroken that names every
        failing rule of every person.
        """
        changes = TypedChanges(documents)
        training = self._training(changes)
        asking = candidates(changes, self.training_id, self.people, now)
        errors = training_problems(training, now, self.rules.waiting_limit)
        for candidate in asking:
            errors += problems(training, candidate, self.actor)
        if errors:
            raise REFUSALS.refused_for(errors)
        desk = Desk(changes, training, self.rules, now)
        replies = [self._admit(changes, desk, candidate) for candidate in asking]
        desk.close()
        return Outcome({"enrolments": replies}, changes.writes())

    def _training(self, changes: TypedChanges) -> Training:
        """The training, if the actor may enrol these people in it."""
        training = changes.training(self.training_id)
        if training is None or not trainings.visible(training, self.actor):
            raise unknown_training()
        themselves = set(self.people.values()) == {self.actor.jakpreneur_id}
        # Partners and staff enrol others only where they can also see and cancel the enrolment afterwards.
        limited = self.actor.partner_id is not None or (self.actor.staff and not themselves)
        if limited and not self.actor.owns(training):
            raise unknown_training()
        citizen = not self.actor.staff and self.actor.partner_id is None
        if citizen and not themselves:
            raise own_only()
        return training

    def _admit(self, changes: TypedChanges, desk: Desk, candidate: Candidate) -> Document:
        person = candidate.jakpreneur_id
        enrolment = desk.admit(person, self.actor.id)
        # Trainings that are over are dropped from the schedule here, so that it stays short.
        ahead = sorted({other["_id"] for other in candidate.others} | {self.training_id})
        schedule = changes.schedule(person) or {"_id": person, "trainings": []}
        changes.write_schedule({**schedule, "trainings": ahead})
        reply: Document = {"enrolment_id": enrolment["_id"], "jakpreneur_id": person, "status": enrolment["status"]}
        if enrolment["status"] == "waitlisted":
            reply["position"] = desk.training["waiting"]
        return reply


@dataclass(frozen=True, slots=True)
class RespondToEnrolment:
    """Cancel an enrolment, or accept or decline an offer."""

    enrolment_id: str
    response: Response
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {enrolment_id, status}.

        Raises NotFound for somebody else's enrolment, Conflict if the enrolment's or the training's status does not allow it
        or the offer has lapsed.
        """
        changes = TypedChanges(documents)
        enrolment, training = _visible_enrolment(changes, self.enrolment_id, self.actor)
        possible = ("waitlisted", "offered", "confirmed") if self.response == "cancel" else ("offered",)
        if enrolment["status"] not in possible:
            raise REFUSALS.refused("enrolment_id", "R11.state", status=enrolment["status"])
        # While a training runs, who has a seat is judged by their attendance; who has none may still leave the waiting list.
        leaves_the_line = self.response != "accept" and enrolment["status"] in SEATLESS and training["status"] == "running"
        if training["status"] not in _OPEN and not leaves_the_line:
            raise REFUSALS.refused("enrolment_id", "R11.training_state", status=training["status"])
        desk = Desk(changes, training, self.rules, now)
        if self.response == "accept":
            if now >= _lapses_at(enrolment, training, self.rules):
                raise REFUSALS.refused("enrolment_id", "R11.offer_expired")
            after = desk.accept(enrolment)
        else:
            after = desk.release(enrolment, "cancelled", events.EnrolmentCancelled)
        desk.close()
        return Outcome({"enrolment_id": after["_id"], "status": after["status"]}, changes.writes())


@dataclass(frozen=True, slots=True)
class ExpireOffer:
    """An offer that the worker found due lapses, and the seat is offered to the next person."""

    enrolment_id: str
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Replies {expired}: False if the offer was answered meanwhile or is not due; then nothing is written."""
        changes = TypedChanges(documents)
        enrolment = changes.enrolment(self.enrolment_id)
        training = changes.training(training_of(self.enrolment_id))
        if enrolment is None or training is None or enrolment["status"] != "offered" or training["status"] in trainings.OVER:
            return Outcome({"expired": False})
        if now < _lapses_at(enrolment, training, self.rules):
            return Outcome({"expired": False})
        desk = Desk(changes, training, self.rules, now)
        desk.release(enrolment, "expired", events.EnrolmentExpired)
        desk.close()
        return Outcome({"expired": True}, changes.writes())


def _lapses_at(enrolment: Enrolment, training: Training, rules: Rules) -> datetime:
    """When an offer lapses: as promised, or at the cut-off if the training was moved forward since."""
    promised = enrolment["offer_expires_at"]
    if promised is None:
        raise InconsistentRead("an enrolment that is offered has no end of its offer")
    return min(promised, cut_off(training, rules))


def visible(enrolment: Enrolment, training: Training, actor: Actor) -> bool:
    """Whether the actor may see the enrolment: the person may, and the training's owner."""
    if actor.jakpreneur_id is not None and enrolment["jakpreneur_id"] == actor.jakpreneur_id:
        return True
    return actor.owns(training)


def _visible_enrolment(changes: TypedChanges, identity: str, actor: Actor) -> tuple[Enrolment, Training]:
    """The enrolment and its training; raises NotFound if the actor may not see it."""
    enrolment = changes.enrolment(identity)
    training = changes.training(training_of(identity))
    if enrolment is None or training is None or not visible(enrolment, training, actor):
        raise unknown_enrolment()
    return enrolment, training
