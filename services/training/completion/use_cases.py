"""The verbs of completion: which documents a rule needs, and the call of GroupCommit. Rules decide; nothing here does.

MoveTraining's use case and worker.py both call these.
"""

from __future__ import annotations

from typing import Final

from chassis import logs
from chassis.database.failures import PyMongoError
from chassis.errors import DomainError
from chassis.writing.decision import Decision
from chassis.writing.group_commit import GroupCommit
from services.training.completion.rules import FinishSettling, SettleEnrolments
from services.training.completion.store import CompletionStore
from services.training.documents import ENROLMENTS, TRAININGS
from services.training.policy import Rules

log = logs.get(__name__)
_SLICES_BEFORE_REPLY: Final = 8  # settled before the caller who ended the training gets the reply


class CompletionUseCases:
    """One method for each verb of completion. `settled_at_once`: enrolments in one slice, which is one transaction."""

    def __init__(self, group_commit: GroupCommit, store: CompletionStore, rules: Rules, settled_at_once: int) -> None:
        self._group_commit = group_commit
        self._store = store
        self._rules = rules
        self._settled_at_once = settled_at_once

    async def begin_settling(self, training_id: str) -> None:
        """Settle the enrolments of a training that has just ended, if they are few; the worker settles what is left.

        Raises nothing if it fails: the end of the training is committed, and its caller must hear so.
        """
        try:
            await self.settle_training(training_id, _SLICES_BEFORE_REPLY)
        except (DomainError, PyMongoError) as error:
            log.warning("settling_left_to_worker", training=training_id, error=type(error).__name__)

    async def trainings_to_settle(self, limit: int) -> list[str]:
        """Ids of trainings that have ended and whose enrolments are not all settled."""
        return await self._store.trainings_to_settle(limit)

    async def settle_training(self, training_id: str, slices: int) -> None:
        """Settle at most so many slices of a training's enrolments (R12). It may be interrupted anywhere and called again."""
        after: str | None = None
        for _ in range(slices):
            found = await self._store.live_enrolments(training_id, after, self._settled_at_once)
            if not found:
                await self._group_commit.submit(Decision(FinishSettling(training_id).decide, [(TRAININGS, training_id)]))
                return
            command = SettleEnrolments(training_id, tuple(found), self._rules)
            reads = [(TRAININGS, training_id), *((ENROLMENTS, identity) for identity in found)]
            await self._group_commit.submit(Decision(command.decide, reads))
            after = found[-1]
