"""The verbs of assessments: which documents a rule needs, and the call of GroupCommit."""

from __future__ import annotations

from chassis import clock
from chassis.access.callers import Caller
from chassis.documents import Document
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.metrics.assessments.rules import SubmitAssessment, VerifyAssessment
from services.metrics.documents import ASSESSMENTS, FACTS, PERIODS, SUBJECTS, AssessedFigures, Grade, period_id
from services.metrics.ledger.rules import fact_id


class AssessmentUseCases:
    """One method for each verb."""

    def __init__(self, group_commit: GroupCommit) -> None:
        self._group_commit = group_commit

    async def submit_assessment(
        self,
        jakpreneur_id: str,
        period: str,
        figures: AssessedFigures,
        basis: str,
        evidence: Grade,
        caller: Caller,
        idempotency: Idempotency | None,
    ) -> Document:
        """Hand in a monthly report (P6); `period` is a month, "2021-02".

        Raises Invalid for a month that can't be reported, NotFound for a person of another dinas than the caller's, RuleBroken
        for a person who isn't verified, Conflict for a month that is reported already.
        """
        command = SubmitAssessment(
            clock.new_id("ast"), jakpreneur_id, period, figures, basis, evidence, caller.id, caller.limit(jakpreneur_id)
        )
        reads = [(FACTS, fact_id(jakpreneur_id, "P1")), (PERIODS, period_id(jakpreneur_id, period)), (SUBJECTS, jakpreneur_id)]
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))

    async def verify_assessment(
        self,
        assessment_id: str,
        evidence: Grade | None,
        caller: Caller,
        if_match: frozenset[int] | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """Verify a report (R7); raises NotFound, Stale, Forbidden for the submitter, Conflict when it is verified already."""
        command = VerifyAssessment(assessment_id, evidence, caller.id, if_match, caller.dinas)
        return await self._group_commit.submit(Decision(command.decide, [(ASSESSMENTS, assessment_id)], idempotency))
