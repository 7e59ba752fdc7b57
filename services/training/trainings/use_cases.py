"""The verbs of trainings: which documents a rule needs, and the call of GroupCommit. Rules decide; nothing here does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chassis.documents import Document
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.training.actor import Actor
from services.training.documents import EXTERNAL_IDS, PARTNERS, TRAININGS, Training, TrainingStatus, external_id_of
from services.training.policy import Rules
from services.training.trainings import replies
from services.training.trainings.refusals import unknown_training
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import CreateTraining, visible
from services.training.trainings.store import TrainingStore, Wanted
from services.training.trainings.transitions import MoveTraining

AfterEnd = Callable[[str], Awaitable[None]]  # called with the id of a training that was completed or cancelled


class TrainingUseCases:
    """One method for each verb of trainings."""

    def __init__(self, group_commit: GroupCommit, store: TrainingStore, rules: Rules, after_end: AfterEnd) -> None:
        self.rules = rules  # the numbers that commands want
        self._group_commit = group_commit
        self._store = store
        self._after_end = after_end

    async def create_training(self, command: CreateTraining, idempotency: Idempotency | None) -> Document:
        """Create a draft. `created` in the reply is False for a known external id and for a dry run.

        Raises Invalid, NotFound, RuleBroken.
        """
        reads = [(TRAININGS, command.training_id)]
        if command.actor.partner_id is not None:
            reads.append((PARTNERS, command.actor.partner_id))
        if command.external_id is not None:
            reads.append((EXTERNAL_IDS, external_id_of(command.actor.partner_id, command.external_id)))
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))

    async def move_training(
        self,
        training_id: str,
        to: TrainingStatus,
        reason: str | None,
        actor: Actor,
        if_match: frozenset[int] | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """Take a training to another state. If that ends it, `after_end` runs before the caller gets the reply.

        Raises NotFound, Stale, Conflict, Forbidden, RuleBroken.
        """
        command = MoveTraining(training_id, to, actor, self.rules, reason, if_match)
        reply = await self._group_commit.submit(Decision(command.decide, [(TRAININGS, training_id)], idempotency))
        if reply["status"] in ("completed", "cancelled"):
            await self._after_end(training_id)
        return reply

    async def revise_training(self, command: ReviseTraining) -> Document:
        """Change texts, timetable or quota; raises NotFound, Stale, Invalid, Conflict, RuleBroken."""
        return await self._group_commit.submit(Decision(command.decide, [(TRAININGS, command.training_id)]))

    async def get_training(self, training_id: str, actor: Actor) -> Document:
        """One training; raises NotFound, also for one that the actor may not see yet."""
        training = await self._store.training(training_id)
        if training is None or not visible(training, actor):
            raise unknown_training()
        return replies.training(training, owner=actor.owns(training))

    async def list_trainings(self, wanted: Wanted, actor: Actor, limit: int) -> list[Training]:
        """Trainings as stored: the list and the calendar shape them differently, and the cursor needs their sort key."""
        return await self._store.trainings(wanted, actor, limit)
