"""What goes in and out about assessments."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from chassis.forms.body import Body
from services.metrics.documents import Grade

Rupiah = Annotated[int, Field(ge=0, le=10**15, description="Whole rupiah")]


class AssessmentBody(Body):
    """One person's figures of one month."""

    jakpreneur_id: str = Field(pattern=r"^jkp_[0-9A-Za-z]{1,40}$", description="Whose figures")
    period: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="The month, YYYY-MM", examples=["2021-02"])
    revenue: Rupiah
    assets: Rupiah
    workers: int = Field(ge=0, le=100_000, description="People who work there")
    basis: Literal["annual_sales", "capital", "net_worth"] = Field(description="Basis of the legal class (R6)")
    evidence: Grade = Field(description="Evidence grade of the figures")


class AssessmentVerification(Body):
    """A verifier's confirmation."""

    evidence: Grade | None = Field(default=None, description="Evidence grade after the check; none: as submitted")


class AssessmentState(BaseModel):
    """An assessment after the call."""

    assessment_id: str = Field(description="Id")
    status: Literal["submitted", "verified"] = Field(description="State")
