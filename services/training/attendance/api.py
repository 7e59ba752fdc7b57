"""Attendance over HTTP (R12): uploads of scans from devices that may have been offline. Next: use_cases.py."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from chassis.access.callers import Caller, callers
from chassis.http.answers import CONFLICT, NOT_FOUND
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.provided import provided
from services.training.api_types import TrainingId, actor_of
from services.training.attendance.models import AttendanceBody, AttendanceResults
from services.training.attendance.rules import Scan
from services.training.attendance.use_cases import AttendanceUseCases


def routes() -> APIRouter:
    """The route of attendance."""
    router = APIRouter(prefix="/v1", tags=["attendance"])
    router.post(
        "/trainings/{training_id}/attendance",
        response_model=AttendanceResults,
        response_model_exclude_none=True,
        responses=NOT_FOUND | CONFLICT,
    )(record_attendance)
    return router


async def record_attendance(
    request: Request,
    training_id: TrainingId,
    caller: Annotated[Caller, callers("partner", "officer", "admin", scope="attendance:write")],
    body: Annotated[AttendanceBody, json_body(AttendanceBody)],
    attendance: Annotated[AttendanceUseCases, provided(AttendanceUseCases)],
) -> Any:
    """Record scans; each gets its own result. Taken until 48 hours after the end (R12)."""
    scans = [Scan(scan.enrolment_id, scan.nonce, scan.scanned_at, scan.minutes) for scan in body.scans]
    return await attendance.record_attendance(training_id, scans, actor_of(caller), idempotency(request, caller))
