"""Events that metrics publishes: assessments, keyed by jakpreneur_id, and the programme's milestones.

Figures of a sole trader are personal financial data (R17): an event says that there is a report, never the rupiah.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from contracts.envelope import TYPE_PREFIX, Payload

ASSESSMENTS = "metrics.assessments.v1"
PROGRAMME = "metrics.programme.v1"
_ASSESSMENT: dict[str, object] = {
    "assessment_id": "ast_T5nB2wJ8cD0e",
    "jakpreneur_id": "jkp_4Yq0pV7sT2mX",
    "period": "2021-02",
    "evidence": "documented",
}


class _Assessment(Payload):
    TOPIC = ASSESSMENTS

    assessment_id: str = Field(description="Id of the assessment")
    jakpreneur_id: str = Field(description="Id of the person")
    period: str = Field(description="Month that the figures are of, YYYY-MM", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    evidence: Literal["self_reported", "documented", "inspected"] = Field(description="Evidence grade of the figures")


class AssessmentSubmitted(_Assessment):
    """A monthly report was handed in: evidence of stage P6 (R8)."""

    TYPE = f"{TYPE_PREFIX}metrics.assessment.submitted.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_ASSESSMENT, "submitted_on": "2021-03-01"}

    submitted_on: date = Field(description="Day on which it was handed in, Asia/Jakarta")


class AssessmentVerified(_Assessment):
    """Somebody else than the submitter has verified the figures (R7)."""

    TYPE = f"{TYPE_PREFIX}metrics.assessment.verified.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_ASSESSMENT, "verified_on": "2021-03-02"}

    verified_on: date = Field(description="Day of the verification, Asia/Jakarta")


class TargetReached(Payload):
    """The programme reached a target (R16)."""

    TYPE = f"{TYPE_PREFIX}metrics.target.reached.v1"
    TOPIC = PROGRAMME
    SAMPLE: ClassVar[dict[str, object]] = {"target_id": "rpjmd-2017-2022", "value": 200000, "reached_on": "2020-12-15"}

    target_id: str = Field(description="Id of the target")
    value: int = Field(ge=1, description="The target: number of people")
    reached_on: date = Field(description="First day, Asia/Jakarta, on which the cumulative count was at least the value")


EVENTS: tuple[type[Payload], ...] = (AssessmentSubmitted, AssessmentVerified, TargetReached)
