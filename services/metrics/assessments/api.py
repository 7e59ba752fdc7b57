"""Assessments over HTTP: monthly reports (stage P6) and their verification (R7)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from chassis.access.callers import Caller, callers
from chassis.errors import not_found
from chassis.forms.body import Body
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE, id_path
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from services.metrics.use_cases import UseCases

Grade = Literal["self_reported", "documented", "inspected"]
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


def routes(use_cases: UseCases) -> APIRouter:
    """The routes of assessments."""
    router = APIRouter(prefix="/v1/assessments", tags=["assessments"], route_class=DirectRoute)

    @router.post("", status_code=201, response_model=AssessmentState, responses={**CONFLICT, **NOT_FOUND})
    async def submit(
        request: Request,
        caller: Annotated[Caller, callers("citizen", "officer")],
        body: Annotated[AssessmentBody, json_body(AssessmentBody)],
    ) -> Any:
        """Hand in a month's figures: evidence of stage P6 (R8). Citizens report for themselves only."""
        if not caller.staff and caller.jakpreneur_id != body.jakpreneur_id:
            raise not_found("Jakpreneur", "Jakpreneur")
        figures = {"revenue": body.revenue, "assets": body.assets, "workers": body.workers}
        key = idempotency(request, caller)
        return await use_cases.submit_assessment(body.jakpreneur_id, body.period, figures, body.basis, body.evidence, caller, key)

    @router.post("/{assessment_id}/verification", response_model=AssessmentState, responses={**NOT_FOUND, **CONFLICT, **STALE})
    async def verify(
        request: Request,
        assessment_id: Annotated[str, id_path("ast", "Id of an assessment")],
        caller: Annotated[Caller, callers("verifier")],
        body: Annotated[AssessmentVerification, json_body(AssessmentVerification)],
        if_match: IfMatch = None,
    ) -> Any:
        """Confirm the figures; the verifier is not the submitter (R7)."""
        key = idempotency(request, caller)
        return await use_cases.verify_assessment(assessment_id, body.evidence, caller, version_of(if_match), key)

    return router
