"""Enrolments over HTTP (R11): enrolling alone or as a group, giving up, answering an offer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.access.callers import Caller, callers
from chassis.errors import FieldError, invalid
from chassis.forms.body import Body
from chassis.http.answers import CONFLICT, NOT_FOUND
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from services.training.api_types import ENROLMENT_ID, JAKPRENEUR_ID, EnrolmentId, TrainingId, actor_of
from services.training.use_cases import UseCases

Person = Annotated[str, Field(pattern=JAKPRENEUR_ID)]
Status = Literal[
    "waitlisted", "offered", "confirmed", "attended", "completed", "not_completed", "no_show", "cancelled", "expired"
]  # fmt: skip
Enroller = Annotated[Caller, callers("citizen", "officer", "admin", "partner", scope="enrolments:write")]
_ANSWERS = {**NOT_FOUND, **CONFLICT}
_EXAMPLE = "jkp_4Yq0pV7sT2mXb1Zk"


class EnrolBody(Body):
    """One person, or a group of which all are enrolled or none."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["jakpreneur_id"]}, {"required": ["jakpreneur_ids"]}]})

    jakpreneur_id: Person | None = Field(default=None, description="The person", examples=[_EXAMPLE])
    jakpreneur_ids: Annotated[list[Person], Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Or a group, in order; at most 500", examples=[[_EXAMPLE]]
    )

    @model_validator(mode="after")
    def one_of_both(self) -> EnrolBody:
        """Exactly one of the two, and nobody twice."""
        if (self.jakpreneur_id is None) == (self.jakpreneur_ids is None):
            raise ValueError("give either jakpreneur_id or jakpreneur_ids")
        if self.jakpreneur_ids is not None and len(set(self.jakpreneur_ids)) != len(self.jakpreneur_ids):
            raise ValueError("jakpreneur_ids names a person twice")
        return self

    def people(self) -> dict[str, str]:
        """Field -> person, in order."""
        if self.jakpreneur_id is not None:
            return {"jakpreneur_id": self.jakpreneur_id}
        return {f"jakpreneur_ids.{number}": person for number, person in enumerate(self.jakpreneur_ids or [])}


class Enrolled(BaseModel):
    """A new enrolment."""

    enrolment_id: str = Field(description="Id of the enrolment")
    jakpreneur_id: str = Field(description="The person")
    status: Literal["confirmed", "waitlisted"] = Field(description="Has a seat, or waits for one")
    position: int | None = Field(default=None, description="Place on the waiting list, from 1; only for those who wait")


class GroupEnrolled(BaseModel):
    """A group's enrolments."""

    enrolments: list[Enrolled] = Field(description="In the order of the request")


class EnrolmentReference(BaseModel):
    """An enrolment and its status."""

    enrolment_id: str = Field(description="Id of the enrolment")
    status: Status = Field(description="Status (R11)")


class Enrolment(EnrolmentReference):
    """One person's way through one training."""

    training_id: str = Field(description="Id of the training")
    jakpreneur_id: str = Field(description="The person")
    enrolled_at: datetime = Field(description="With offset")
    offer_expires_at: datetime | None = Field(description="An offer lapses then, with offset")
    position: int | None = Field(description="Place on the waiting list, from 1; null in lists")
    minutes: int = Field(description="Attended minutes so far")


class EnrolmentPage(BaseModel):
    """A page of enrolments."""

    items: list[Enrolment] = Field(description="In the order of their ids")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last")


def routes(use_cases: UseCases) -> APIRouter:
    """The routes of enrolments."""
    router = APIRouter(prefix="/v1", tags=["enrolments"])

    @router.post(
        "/trainings/{training_id}/enrolments",
        status_code=201,
        response_model=Enrolled | GroupEnrolled,
        response_model_exclude_none=True,
        responses={**NOT_FOUND, **CONFLICT},
    )
    async def enrol(
        request: Request, training_id: TrainingId, caller: Enroller, body: Annotated[EnrolBody, json_body(EnrolBody)]
    ) -> Any:
        """Enrol a person or a group, first come first served. A refusal names every failing rule (R11).

        Partners, and officers of one dinas, enrol people into trainings that are theirs.
        """
        reply = await use_cases.enrol(training_id, body.people(), actor_of(caller), idempotency(request, caller))
        return reply["enrolments"][0] if body.jakpreneur_id is not None else reply

    @router.get("/trainings/{training_id}/enrolments", response_model=EnrolmentPage, responses={**NOT_FOUND})
    async def list_enrolments(
        training_id: TrainingId,
        caller: Annotated[Caller, callers("officer", "admin", "partner")],
        status: Annotated[Status | None, Query(description="Only these")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Any:
        """The people of a training, for its owner and for officers."""
        after = _after(cursor, training_id)
        found = await use_cases.list_enrolments(training_id, status, after, limit, actor_of(caller))
        following = encode_cursor(found[-1]["enrolment_id"]) if len(found) == limit else None
        return {"items": found, "next_cursor": following}

    @router.get("/enrolments/{enrolment_id}", response_model=Enrolment, responses={**NOT_FOUND})
    async def get_enrolment(
        enrolment_id: EnrolmentId, caller: Annotated[Caller, callers("citizen", "officer", "admin", "partner")]
    ) -> Any:
        """One enrolment: the person's own, or one of the partner's trainings."""
        return await use_cases.get_enrolment(enrolment_id, actor_of(caller))

    @router.post(
        "/enrolments/{enrolment_id}/cancellation", response_model=EnrolmentReference, responses={**NOT_FOUND, **CONFLICT}
    )
    async def cancel(request: Request, enrolment_id: EnrolmentId, caller: Enroller) -> Any:
        """Give up a seat, an offer or a place on the waiting list. The seat goes to the next in line at once."""
        return await use_cases.respond(enrolment_id, "cancel", actor_of(caller), idempotency(request, caller))

    @router.post("/enrolments/{enrolment_id}/acceptance", response_model=EnrolmentReference, responses=_ANSWERS)
    async def accept(request: Request, enrolment_id: EnrolmentId, caller: Enroller) -> Any:
        """Accept an offered seat before the offer lapses."""
        return await use_cases.respond(enrolment_id, "accept", actor_of(caller), idempotency(request, caller))

    @router.post("/enrolments/{enrolment_id}/decline", response_model=EnrolmentReference, responses=_ANSWERS)
    async def decline(request: Request, enrolment_id: EnrolmentId, caller: Enroller) -> Any:
        """Decline an offered seat; it goes to the next in line at once."""
        return await use_cases.respond(enrolment_id, "decline", actor_of(caller), idempotency(request, caller))

    return router


def _after(cursor: str | None, training_id: str) -> str | None:
    parts = decode_cursor(cursor, 1)
    if parts is None:
        return None
    if not parts[0].startswith(f"{training_id}:") or re.fullmatch(ENROLMENT_ID, parts[0]) is None:
        raise invalid(FieldError("cursor", "cursor", "Cursor tidak berlaku.", "Not a cursor of this list."))
    return parts[0]
