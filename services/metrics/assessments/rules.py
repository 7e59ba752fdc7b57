"""The rules of assessments, pure: who may hand in figures and for which month (P6), and who may verify them (R7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from chassis.calendar import jakarta_day
from chassis.errors import FieldError, invalid
from chassis.writing.decision import Documents, Outcome, Write
from contracts.metrics import AssessmentSubmitted, AssessmentVerified
from contracts.reference import PROGRAMME_START
from services.metrics.assessments import refusals
from services.metrics.documents import (
    ASSESSMENTS,
    PERIODS,
    SUBJECTS,
    AssessedFigures,
    AssessmentDocument,
    Grade,
    PeriodDocument,
    SubjectDocument,
    find_assessment,
    find_fact,
    find_subject,
    period_id,
    stored,
)
from services.metrics.ledger.rules import UNKNOWN, fact_id


def period_problems(period: str | None, today: date) -> list[FieldError]:
    """A month of the programme that has begun."""
    if period is None or PROGRAMME_START <= date(int(period[:4]), int(period[5:]), 1) <= today:
        return []
    return [refusals.period_out_of_range()]


@dataclass(frozen=True, slots=True)
class SubmitAssessment:
    """The command: hand in one person's figures of one month, in whole rupiah and people.

    `dinas` is the office that the submitter is limited to; None sets no limit.
    """

    assessment_id: str
    jakpreneur_id: str
    period: str
    figures: AssessedFigures
    basis: str
    evidence: Grade
    submitter: str
    dinas: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """P6: verified people report, once for a month, and only a month that has begun in Jakarta.

        Raises Invalid for another month, NotFound for a person of another dinas, RuleBroken for a person who isn't verified,
        Conflict for a month that is reported already.
        """
        today = jakarta_day(now)
        if errors := period_problems(self.period, today):
            raise invalid(*errors)
        if not _visible(documents, self.jakpreneur_id, self.dinas):
            raise refusals.unknown_jakpreneur()
        if find_fact(documents, fact_id(self.jakpreneur_id, "P1")) is None:
            raise refusals.not_verified()
        period: PeriodDocument = {"_id": period_id(self.jakpreneur_id, self.period), "assessment_id": self.assessment_id}
        if documents.get(PERIODS, period["_id"]) is not None:
            raise refusals.already_reported()
        assessment: AssessmentDocument = {
            "_id": self.assessment_id,
            "jakpreneur_id": self.jakpreneur_id,
            "period": self.period,
            "revenue": self.figures["revenue"],
            "assets": self.figures["assets"],
            "workers": self.figures["workers"],
            "basis": self.basis,
            "evidence": self.evidence,
            "status": "submitted",
            "submitted_by": self.submitter,
            "submitted_on": today.isoformat(),
        }
        event = AssessmentSubmitted(
            assessment_id=self.assessment_id,
            jakpreneur_id=self.jakpreneur_id,
            period=self.period,
            evidence=self.evidence,
            submitted_on=today,
        )
        writes = (
            Write(ASSESSMENTS, stored(assessment)),
            Write(PERIODS, stored(period)),
            Write(SUBJECTS, stored(_subject(documents, self.jakpreneur_id)), (event,)),
        )
        return Outcome({"assessment_id": self.assessment_id, "status": "submitted"}, writes)


@dataclass(frozen=True, slots=True)
class VerifyAssessment:
    """The command: confirm the figures, with the evidence grade that the verifier found; None keeps that of the report.

    `if_match` is the version that the verifier has seen, `dinas` the office that they are limited to; None sets no limit.
    """

    assessment_id: str
    evidence: Grade | None
    verifier: str
    if_match: frozenset[int] | None
    dinas: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R7: the verifier is not the submitter; an assessment is verified once.

        Raises NotFound, Stale, Forbidden for the submitter, Conflict when it was verified already.
        """
        found = find_assessment(documents, self.assessment_id)
        if found is None or not _visible(documents, found["jakpreneur_id"], self.dinas):
            raise refusals.unknown_assessment()
        if self.if_match is not None and found["version"] not in self.if_match:
            raise refusals.stale_assessment()
        if found["submitted_by"] == self.verifier:
            raise refusals.own_submission()
        if found["status"] != "submitted":
            raise refusals.already_verified()
        today = jakarta_day(now)
        evidence = self.evidence or found["evidence"]
        after: AssessmentDocument = {
            **found,
            "status": "verified",
            "evidence": evidence,
            "verified_by": self.verifier,
            "verified_on": today.isoformat(),
        }
        event = AssessmentVerified(
            assessment_id=self.assessment_id,
            jakpreneur_id=found["jakpreneur_id"],
            period=found["period"],
            evidence=evidence,
            verified_on=today,
        )
        subject = _subject(documents, found["jakpreneur_id"])
        reply = {"assessment_id": self.assessment_id, "status": "verified", "version": found["version"] + 1}
        return Outcome(reply, (Write(ASSESSMENTS, stored(after)), Write(SUBJECTS, stored(subject), (event,))))


def _subject(documents: Documents, jakpreneur_id: str) -> SubjectDocument:
    return find_subject(documents, jakpreneur_id) or {"_id": jakpreneur_id}


def _visible(documents: Documents, jakpreneur_id: str, dinas_of_caller: str | None) -> bool:
    """Whether a caller may act for the person: staff of one dinas for their own people and those whom no dinas has yet.

    A person without a verified registration belongs to no dinas as far as this service knows.
    """
    if dinas_of_caller is None:
        return True
    person = find_fact(documents, fact_id(jakpreneur_id, "P1"))
    return person is None or person["dinas"] in (UNKNOWN, dinas_of_caller)
