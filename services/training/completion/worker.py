"""The worker that settles enrolments of trainings that have ended (R12).

A round may be repeated or die anywhere, and several processes may run it: a decision that finds its work done does nothing.
"""

from __future__ import annotations

from chassis import logs
from chassis.errors import DomainError
from services.training import telemetry
from services.training.completion.use_cases import CompletionUseCases

log = logs.get(__name__)
_TRAININGS_AT_ONCE = 10
_SLICES = 50  # of one training in one round


async def settle_endings(completion: CompletionUseCases) -> None:
    """One round: go on where the settling of a training was interrupted or left over."""
    for training_id in await completion.trainings_to_settle(_TRAININGS_AT_ONCE):
        try:
            await completion.settle_training(training_id, _SLICES)
        except DomainError as error:
            telemetry.WORK_FAILED.labels("endings").inc()
            log.warning("training_not_settled", training=training_id, error=error.code)
