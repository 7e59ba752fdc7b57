"""R11: enrolling, alone or as a group; giving up; accepting and declining an offer; offers that lapse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from chassis.documents import Document
from chassis.errors import NotFound, not_found
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from services.training.documents import ENROLMENTS, SCHEDULES, TRAININGS, training_of
from services.training.enrolments.eligibility import SEATLESS, Candidate, candidates, problems, training_problems
from services.training.policy import Actor, Rules
from services.training.refusals import own_only, refused, refused_for
from services.training.seats.desk import Desk, cut_off
from services.training.trainings import rules as trainings

_OPEN: Final = frozenset({"published", "closed"})  # before it runs, people come and go


@dataclass(frozen=True, slots=True)
class EnrolPeople:
    """Enrol people, all or none, in the order given. `people`: field of the request -> jakpreneur_id."""

    training_id: str
    people: Mapping[str, str]
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, or one refusal that names every failing rule of every person."""
        changes = Changes(documents)
        training = changes.get(TRAININGS, self.training_id)
        if training is None or not trainings.visible(training, self.actor):
            raise trainings.unknown()
        themselves = set(self.people.values()) == {self.actor.jakpreneur_id}
        # Whom they enrol they must be able to see and to cancel afterwards.
        limited = self.actor.partner_id is not None or (self.actor.staff and not themselves)
        if limited and not self.actor.owns(training):
            raise trainings.unknown()
        alone = not self.actor.staff and self.actor.partner_id is None
        if alone and not themselves:
            raise own_only()
        asking = candidates(changes, self.training_id, self.people, now)
        errors = training_problems(training, now, self.rules.waiting_limit)
        for candidate in asking:
            errors += problems(training, candidate, self.actor)
        if errors:
            raise refused_for(errors)
        desk = Desk(changes, training, self.rules, now)
        replies = [self._admit(changes, desk, candidate) for candidate in asking]
        desk.close()
        return Outcome({"enrolments": replies}, changes.writes())

    def _admit(self, changes: Changes, desk: Desk, candidate: Candidate) -> Document:
        person = candidate.jakpreneur_id
        enrolment = desk.admit(person, self.actor.id)
        # Trainings that are over drop out here, so that the schedule stays short for ever.
        schedule = changes.get(SCHEDULES, person) or {"_id": person}
        ahead = sorted({other["_id"] for other in candidate.others} | {self.training_id})
        changes.write(SCHEDULES, {**schedule, "trainings": ahead})
        reply = {"enrolment_id": enrolment["_id"], "jakpreneur_id": person, "status": enrolment["status"]}
        if enrolment["status"] == "waitlisted":
            reply["position"] = desk.training["waiting"]
        return reply


@dataclass(frozen=True, slots=True)
class RespondToEnrolment:
    """A person's word on their enrolment: cancel it, or accept or decline an offer."""

    enrolment_id: str
    word: Literal["cancel", "accept", "decline"]
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound for somebody else's, Conflict when it is too late or was said before."""
        changes = Changes(documents)
        enrolment, training = _mine(changes, self.enrolment_id, self.actor)
        possible = ("waitlisted", "offered", "confirmed") if self.word == "cancel" else ("offered",)
        if enrolment["status"] not in possible:
            raise refused("enrolment_id", "R11.state", status=enrolment["status"])
        # Once it runs, who has a seat is judged by their attendance; who has none may leave the line.
        leaves_the_line = self.word != "accept" and enrolment["status"] in SEATLESS and training["status"] == "running"
        if training["status"] not in _OPEN and not leaves_the_line:
            raise refused("enrolment_id", "R11.training_state", status=training["status"])
        desk = Desk(changes, training, self.rules, now)
        if self.word == "accept":
            if now >= _lapses(enrolment, training, self.rules):
                raise refused("enrolment_id", "R11.offer_expired")
            desk.accept(enrolment)
        else:
            desk.release(enrolment, "cancelled", events.EnrolmentCancelled)
        desk.close()
        after = changes.need(ENROLMENTS, self.enrolment_id, "Pendaftaran", "Enrolment")
        return Outcome({"enrolment_id": after["_id"], "status": after["status"]}, changes.writes())


@dataclass(frozen=True, slots=True)
class ExpireOffer:
    """The worker found an offer that is due. If it was answered meanwhile, nothing happens."""

    enrolment_id: str
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """The seat goes to the next in line."""
        changes = Changes(documents)
        enrolment = changes.get(ENROLMENTS, self.enrolment_id)
        training = changes.get(TRAININGS, training_of(self.enrolment_id))
        if enrolment is None or training is None or enrolment["status"] != "offered" or training["status"] in trainings.OVER:
            return Outcome({"expired": False})
        if now < _lapses(enrolment, training, self.rules):
            return Outcome({"expired": False})
        desk = Desk(changes, training, self.rules, now)
        desk.release(enrolment, "expired", events.EnrolmentExpired)
        desk.close()
        return Outcome({"expired": True}, changes.writes())


def _lapses(enrolment: Mapping[str, Any], training: Mapping[str, Any], rules: Rules) -> datetime:
    """As promised, or at the cut-off if the training was moved forward since."""
    promised: datetime = enrolment["offer_expires_at"]
    return min(promised, cut_off(training, rules))


def visible(enrolment: Mapping[str, Any], training: Mapping[str, Any], actor: Actor) -> bool:
    """To the person, to the training's owner, to staff."""
    if actor.jakpreneur_id is not None and enrolment["jakpreneur_id"] == actor.jakpreneur_id:
        return True
    return actor.owns(training)


def _mine(changes: Changes, identity: str, actor: Actor) -> tuple[Document, Document]:
    enrolment = changes.get(ENROLMENTS, identity)
    training = changes.get(TRAININGS, training_of(identity))
    if enrolment is None or training is None or not visible(enrolment, training, actor):
        raise unknown()
    return enrolment, training


def unknown() -> NotFound:
    """No such enrolment, or not yours: the two look the same."""
    return not_found("Pendaftaran", "Enrolment")
