"""Background work of training: offers that lapse, and enrolments of ended trainings. Each pass may be repeated or die anywhere.

Any number of processes may run these: a decision that finds its work done does nothing.
"""

from __future__ import annotations

from chassis import logs
from chassis.errors import DomainError
from services.training import telemetry
from services.training.use_cases import UseCases

log = logs.get(__name__)
_TRAININGS_AT_ONCE = 10
_SLICES = 50


async def expire_offers(use_cases: UseCases) -> None:
    """Worker: one sweep over the offers that are due (R11)."""
    expired, failures = await use_cases.expire_offers()
    telemetry.OFFERS_LAPSED.inc(expired)
    for failure in failures:
        telemetry.WORK_FAILED.labels("offers").inc()
        log.warning("offer_not_expired", error=repr(failure)[:200])


async def settle_endings(use_cases: UseCases) -> None:
    """Worker: go on where a training's end was interrupted (R12)."""
    for training_id in await use_cases.store.ending(_TRAININGS_AT_ONCE):
        try:
            await use_cases.settle_training(training_id, _SLICES)
        except DomainError as error:
            telemetry.WORK_FAILED.labels("endings").inc()
            log.warning("training_not_settled", training=training_id, error=error.code)
