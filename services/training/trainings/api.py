"""Trainings over HTTP (R10): announcing, changing, moving on, finding."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import JAKARTA
from chassis.errors import FieldError, invalid
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from contracts.reference import Kota
from services.training import views
from services.training.api_types import LINE, Day, TrainingId, actor_of
from services.training.store import Wanted
from services.training.trainings import ical
from services.training.trainings.models import (
    RevisionBody,
    Stage,
    Training,
    TrainingBody,
    TrainingPage,
    TrainingReference,
    TransitionBody,
)
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import CreateTraining, Status
from services.training.use_cases import UseCases

Owner = Annotated[Caller, callers("partner", "officer", "admin", scope="trainings:write")]
Anyone = Annotated[Caller, callers("anyone")]
_CALENDAR: dict[int | str, dict[str, Any]] = {200: {"description": "iCalendar", "content": {"text/calendar": {}}}}
_CALENDAR_LENGTH = 200


def routes(use_cases: UseCases) -> APIRouter:
    """The routes of trainings."""
    router = APIRouter(prefix="/v1", tags=["trainings"])

    @router.post(
        "/trainings",
        status_code=201,
        response_model=TrainingReference,
        responses={200: {"description": "Known already, or a dry run", "model": TrainingReference}, **NOT_FOUND},
    )
    async def create(
        request: Request,
        response: Response,
        caller: Owner,
        body: Annotated[TrainingBody, json_body(TrainingBody)],
        dry_run: Annotated[bool, Query(description="Check everything, store nothing")] = False,
    ) -> Any:
        """Draft a training. The same `external_id` again answers 200 with the first one."""
        command = CreateTraining(
            training_id=clock.new_id("trn"),
            actor=actor_of(caller),
            title=body.title,
            description=body.description,
            stage=body.stage,
            dinas=body.dinas,
            sessions=tuple(session.session() for session in body.sessions),
            quota=body.quota,
            registration_deadline=body.registration_deadline,
            audience=body.audience.named() if body.audience else {},
            external_id=body.external_id,
            dry_run=dry_run,
        )
        # A dry run must not use up the key of the request that means it.
        reply = await use_cases.create_training(command, None if dry_run else idempotency(request, caller))
        if not reply["created"]:
            response.status_code = 200
        if reply["training_id"] is not None:
            set_etag(response, reply["revision"])
        return reply

    @router.get("/trainings", response_model=TrainingPage)
    async def list_trainings(
        caller: Anyone,
        status: Annotated[Status | None, Query(description="Only these; unpublished ones are for their owner")] = None,
        stage: Annotated[Stage | None, Query(description="Only these")] = None,
        kota: Annotated[Kota | None, Query(description="Open to people of this kota")] = None,
        begins_from: Annotated[Day | None, Query(alias="from", description="First session on or after (Asia/Jakarta)")] = None,
        begins_to: Annotated[Day | None, Query(alias="to", description="First session on or before (Asia/Jakarta)")] = None,
        q: Annotated[str | None, Query(max_length=80, pattern=LINE, description="In title or description")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Any:
        """Trainings by the start of their first session. Partners and officers also see their unpublished ones."""
        wanted = Wanted(
            status=status,
            stage=stage,
            kota=kota,
            begins_from=_midnight(begins_from),
            begins_before=_midnight(begins_to + timedelta(days=1)) if begins_to else None,
            text=q,
            after=_after(cursor),
        )
        actor = actor_of(caller)
        found = await use_cases.list_trainings(wanted, actor, limit)
        following = encode_cursor(found[-1]["starts_at"].isoformat(), found[-1]["_id"]) if len(found) == limit else None
        items = [views.training(document, owner=actor.owns(document)) for document in found]
        return {"items": items, "next_cursor": following}

    @router.get("/trainings.ics", response_class=Response, responses=_CALENDAR)
    async def calendar_of_trainings(caller: Anyone) -> Response:
        """Trainings that take place now or are to come, the next 200, as a calendar to subscribe to."""
        now = clock.now()
        # No course takes a year: so the index on the beginnings bounds what is looked through.
        wanted = Wanted(statuses=("published", "closed", "running"), begins_from=now - timedelta(days=366), ends_from=now)
        found = await use_cases.list_trainings(wanted, actor_of(caller), _CALENDAR_LENGTH)
        return Response(ical.of(found, now), media_type="text/calendar; charset=utf-8")

    @router.get("/trainings/{training_id}", response_model=Training, responses={**NOT_FOUND})
    async def get_training(training_id: TrainingId, response: Response, caller: Anyone) -> Any:
        """One training."""
        found = await use_cases.get_training(training_id, actor_of(caller))
        set_etag(response, found["revision"])
        return found

    @router.patch("/trainings/{training_id}", response_model=TrainingReference, responses={**NOT_FOUND, **CONFLICT, **STALE})
    async def revise(
        training_id: TrainingId,
        response: Response,
        caller: Owner,
        body: Annotated[RevisionBody, json_body(RevisionBody)],
        if_match: IfMatch = None,
    ) -> Any:
        """Change texts, sessions, deadline or quota. A raised quota reaches the waiting list (R10)."""
        command = ReviseTraining(
            training_id=training_id,
            actor=actor_of(caller),
            rules=use_cases.rules,
            if_match=version_of(if_match),
            title=body.title,
            description=body.description,
            sessions=tuple(session.session() for session in body.sessions) if body.sessions is not None else None,
            registration_deadline=body.registration_deadline,
            quota=body.quota,
        )
        reply = await use_cases.revise_training(command)
        set_etag(response, reply["revision"])
        return reply

    @router.post(
        "/trainings/{training_id}/transitions",
        response_model=TrainingReference,
        responses={**NOT_FOUND, **CONFLICT, **STALE},
    )
    async def move(
        request: Request,
        response: Response,
        training_id: TrainingId,
        caller: Owner,
        body: Annotated[TransitionBody, json_body(TransitionBody)],
        if_match: IfMatch = None,
    ) -> Any:
        """Take a training a step further (R10). Only staff approve; completing it settles every enrolment (R12)."""
        reply = await use_cases.move_training(
            training_id, body.to, body.reason, actor_of(caller), version_of(if_match), idempotency(request, caller)
        )
        set_etag(response, reply["revision"])
        return reply

    return router


def _midnight(day: Day | None) -> datetime | None:
    return datetime.combine(day, time(), JAKARTA) if day is not None else None


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    parts = decode_cursor(cursor, 2)
    if parts is None:
        return None
    try:
        moment = datetime.fromisoformat(parts[0])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1990 < moment.year < 2300 or not parts[1].isascii():
        raise invalid(FieldError("cursor", "cursor", "Cursor tidak berlaku.", "Not a cursor of this list."))
    return moment, parts[1]
