"""The worker that lets offers lapse (R11).

A sweep may be repeated or die anywhere, and several processes may run it: a decision that finds its offer answered or lapsed
does nothing.
"""

from __future__ import annotations

from chassis import logs
from services.training import telemetry
from services.training.enrolments.use_cases import EnrolmentUseCases

log = logs.get(__name__)


async def expire_offers(enrolments: EnrolmentUseCases) -> None:
    """One sweep over the offers that are due; what fails is left to the next sweep."""
    expired, failures = await enrolments.expire_offers()
    telemetry.OFFERS_LAPSED.inc(expired)
    for failure in failures:
        telemetry.WORK_FAILED.labels("offers").inc()
        log.warning("offer_not_expired", error=repr(failure)[:200])
