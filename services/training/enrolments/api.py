"""Enrolments over HTTP (R11): enrolling alone or as a group, cancelling, answering an offer. Next: use_cases.py."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from chassis.access.callers import Caller, callers
from chassis.errors import FieldError, invalid
from chassis.http.answers import CONFLICT, NOT_FOUND
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, page_of
from chassis.http.provided import provided
from services.training.api_types import ENROLMENT_ID, EnrolmentId, TrainingId, actor_of
from services.training.documents import EnrolmentStatus
from services.training.enrolments.models import (
    EnrolBody,
    Enrolled,
    Enrolment,
    EnrolmentPage,
    EnrolmentReference,
    GroupEnrolled,
)
from services.training.enrolments.use_cases import EnrolmentUseCases

Enroller = Annotated[Caller, callers("citizen", "officer", "admin", "partner", scope="enrolments:write")]
Enrolments = Annotated[EnrolmentUseCases, provided(EnrolmentUseCases)]


def routes() -> APIRouter:
    """The routes of enrolments."""
    router = APIRouter(prefix="/v1", tags=["enrolments"])
    router.post(
        "/trainings/{training_id}/enrolments",
        status_code=201,
        response_model=Enrolled | GroupEnrolled,
        response_model_exclude_none=True,
        responses=NOT_FOUND | CONFLICT,
    )(enrol_people)
    router.get("/trainings/{training_id}/enrolments", response_model=EnrolmentPage, responses=NOT_FOUND)(list_enrolments)
    router.get("/enrolments/{enrolment_id}", response_model=Enrolment, responses=NOT_FOUND)(get_enrolment)
    router.post("/enrolments/{enrolment_id}/cancellation", response_model=EnrolmentReference, responses=NOT_FOUND | CONFLICT)(
        cancel_enrolment
    )
    router.post("/enrolments/{enrolment_id}/acceptance", response_model=EnrolmentReference, responses=NOT_FOUND | CONFLICT)(
        accept_offer
    )
    router.post("/enrolments/{enrolment_id}/decline", response_model=EnrolmentReference, responses=NOT_FOUND | CONFLICT)(
        decline_offer
    )
    return router


async def enrol_people(
    request: Request,
    training_id: TrainingId,
    caller: Enroller,
    body: Annotated[EnrolBody, json_body(EnrolBody)],
    enrolments: Enrolments,
) -> Any:
    """Enrol a person or a group, first come first served. A refusal names every failing rule (R11).

    Partners, and officers of one dinas, enrol people into trainings that are theirs.
    """
    reply = await enrolments.enrol_people(training_id, body.people(), actor_of(caller), idempotency(request, caller))
    return reply["enrolments"][0] if body.jakpreneur_id is not None else reply


async def list_enrolments(
    training_id: TrainingId,
    caller: Annotated[Caller, callers("officer", "admin", "partner")],
    enrolments: Enrolments,
    status: Annotated[EnrolmentStatus | None, Query(description="Only these")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """The people of a training, for its owner and for officers."""
    after = _after(cursor, training_id)
    found = await enrolments.list_enrolments(training_id, status, after, limit + 1, actor_of(caller))
    items, following = page_of(found, limit, lambda enrolment: (enrolment["enrolment_id"],))
    return {"items": items, "next_cursor": following}


async def get_enrolment(
    enrolment_id: EnrolmentId,
    caller: Annotated[Caller, callers("citizen", "officer", "admin", "partner")],
    enrolments: Enrolments,
) -> Any:
    """One enrolment: the person's own, or one of the partner's trainings."""
    return await enrolments.get_enrolment(enrolment_id, actor_of(caller))


async def cancel_enrolment(request: Request, enrolment_id: EnrolmentId, caller: Enroller, enrolments: Enrolments) -> Any:
    """Give up a seat, an offer or a place on the waiting list. The seat goes to the next in line at once."""
    return await enrolments.respond_to_enrolment(enrolment_id, "cancel", actor_of(caller), idempotency(request, caller))


async def accept_offer(request: Request, enrolment_id: EnrolmentId, caller: Enroller, enrolments: Enrolments) -> Any:
    """Accept an offered seat before the offer lapses."""
    return await enrolments.respond_to_enrolment(enrolment_id, "accept", actor_of(caller), idempotency(request, caller))


async def decline_offer(request: Request, enrolment_id: EnrolmentId, caller: Enroller, enrolments: Enrolments) -> Any:
    """Decline an offered seat; it goes to the next in line at once."""
    return await enrolments.respond_to_enrolment(enrolment_id, "decline", actor_of(caller), idempotency(request, caller))


def _after(cursor: str | None, training_id: str) -> str | None:
    parts = decode_cursor(cursor, 1)
    if parts is None:
        return None
    if not parts[0].startswith(f"{training_id}:") or re.fullmatch(ENROLMENT_ID, parts[0]) is None:
        raise invalid(FieldError("cursor", "cursor", "Cursor tidak berlaku.", "Not a cursor of this list."))
    return parts[0]
