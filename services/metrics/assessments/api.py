"""Assessments over HTTP: monthly reports (stage P6) and their verification (R7)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.errors import FieldError
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE, id_path
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.provided import provided
from services.metrics.assessments import refusals
from services.metrics.assessments.models import AssessmentBody, AssessmentState, AssessmentVerification
from services.metrics.assessments.rules import period_problems
from services.metrics.assessments.use_cases import AssessmentUseCases
from services.metrics.documents import AssessedFigures

Assessments = Annotated[AssessmentUseCases, provided(AssessmentUseCases)]


def routes() -> APIRouter:
    """The routes of assessments."""
    router = APIRouter(prefix="/v1/assessments", tags=["assessments"], route_class=DirectRoute)
    router.add_api_route(
        "",
        submit_assessment,
        methods=["POST"],
        status_code=201,
        response_model=AssessmentState,
        responses={**CONFLICT, **NOT_FOUND},
    )
    router.add_api_route(
        "/{assessment_id}/verification",
        verify_assessment,
        methods=["POST"],
        response_model=AssessmentState,
        responses={**NOT_FOUND, **CONFLICT, **STALE},
    )
    return router


def _rules(_request: Request, part: AssessmentBody) -> list[FieldError]:
    """What rules say of a body whose types are wrong in part."""
    return period_problems(part.period, jakarta_day(clock.now()))


async def submit_assessment(
    request: Request,
    caller: Annotated[Caller, callers("citizen", "officer")],
    body: Annotated[AssessmentBody, json_body(AssessmentBody, _rules)],
    assessments: Assessments,
) -> Any:
    """Hand in a month's figures: evidence of stage P6 (R8). Citizens report for themselves only."""
    if not caller.staff and caller.jakpreneur_id != body.jakpreneur_id:
        raise refusals.unknown_jakpreneur()
    figures: AssessedFigures = {"revenue": body.revenue, "assets": body.assets, "workers": body.workers}
    key = idempotency(request, caller)
    return await assessments.submit_assessment(body.jakpreneur_id, body.period, figures, body.basis, body.evidence, caller, key)


async def verify_assessment(
    request: Request,
    assessment_id: Annotated[str, id_path("ast", "Id of an assessment")],
    caller: Annotated[Caller, callers("verifier")],
    body: Annotated[AssessmentVerification, json_body(AssessmentVerification)],
    assessments: Assessments,
    if_match: IfMatch = None,
) -> Any:
    """Confirm the figures; the verifier is not the submitter (R7)."""
    key = idempotency(request, caller)
    return await assessments.verify_assessment(assessment_id, body.evidence, caller, version_of(if_match), key)
