"""The verbs of enrolments: which documents a rule needs, and the call of GroupCommit. Rules decide; nothing here does.

api.py and worker.py both call these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from chassis import clock
from chassis.documents import Document
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.training.actor import Actor
from services.training.documents import (
    ENROLMENTS,
    JAKPRENEURS,
    SCHEDULES,
    TRAININGS,
    EnrolmentStatus,
    enrolment_id,
    training_of,
)
from services.training.enrolments import replies
from services.training.enrolments.refusals import unknown_enrolment
from services.training.enrolments.rules import EnrolPeople, ExpireOffer, RespondToEnrolment, Response, visible
from services.training.enrolments.store import EnrolmentStore
from services.training.policy import Rules
from services.training.seats.store import SeatStore
from services.training.trainings.refusals import unknown_training
from services.training.trainings.store import TrainingStore


class EnrolmentUseCases:
    """One method for each verb of enrolments. `swept_at_once`: offers that one call of expire_offers takes at most."""

    def __init__(
        self,
        group_commit: GroupCommit,
        store: EnrolmentStore,
        trainings: TrainingStore,
        seats: SeatStore,
        rules: Rules,
        swept_at_once: int,
    ) -> None:
        self._group_commit = group_commit
        self._store = store
        self._trainings = trainings
        self._seats = seats
        self._rules = rules
        self._swept_at_once = swept_at_once

    async def enrol_people(
        self, training_id: str, people: Mapping[str, str], actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """Enrol all of these people or none. `people`: field of the request -> jakpreneur_id, in the order of the request.

        Raises NotFound, Forbidden, Conflict, RuleBroken.
        """
        command = EnrolPeople(training_id, people, actor, self._rules)
        reads = [(TRAININGS, training_id)]
        for person in people.values():
            reads += [(JAKPRENEURS, person), (SCHEDULES, person), (ENROLMENTS, enrolment_id(training_id, person))]
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))

    async def respond_to_enrolment(
        self, identity: str, response: Response, actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """Cancel an enrolment, or accept or decline an offer; raises NotFound, Conflict."""
        command = RespondToEnrolment(identity, response, actor, self._rules)
        reads = [(ENROLMENTS, identity), (TRAININGS, training_of(identity))]
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))

    async def get_enrolment(self, identity: str, actor: Actor) -> Document:
        """One enrolment, with its place on the waiting list; raises NotFound."""
        enrolment = await self._store.enrolment(identity)
        training = await self._trainings.training(training_of(identity))
        if enrolment is None or training is None or not visible(enrolment, training, actor):
            raise unknown_enrolment()
        return replies.enrolment(enrolment, await self._seats.position(enrolment, training))

    async def list_enrolments(
        self, training_id: str, status: EnrolmentStatus | None, after: str | None, limit: int, actor: Actor
    ) -> list[Document]:
        """Enrolments of a training, for its owner; raises NotFound for others."""
        training = await self._trainings.training(training_id)
        if training is None or not actor.owns(training):
            raise unknown_training()
        return [replies.enrolment(found) for found in await self._store.enrolments(training_id, status, after, limit)]

    async def expire_offers(self) -> tuple[int, list[BaseException]]:
        """Let every offer that is due lapse; each seat is offered to the next person. Returns how many, and the failures."""
        now = clock.now()
        due = await self._store.offers_due(now, now + self._rules.cut_off, self._swept_at_once)
        decisions = [
            Decision(ExpireOffer(identity, self._rules).decide, [(ENROLMENTS, identity), (TRAININGS, training_of(identity))])
            for identity in due
        ]
        results = await asyncio.gather(*(self._group_commit.submit(decision) for decision in decisions), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        return sum(not isinstance(result, BaseException) and bool(result["expired"]) for result in results), failures
