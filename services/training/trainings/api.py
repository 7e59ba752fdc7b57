"""Trainings over HTTP (R10): announcing, changing, moving through their states, finding. Next: use_cases.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import JAKARTA
from chassis.errors import FieldError, invalid
from chassis.forms.text import Line
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, page_of
from chassis.http.provided import provided
from contracts.reference import Kota
from services.training.api_types import Day, TrainingId, actor_of
from services.training.documents import TrainingStage, TrainingStatus
from services.training.trainings import replies
from services.training.trainings.audience import code_problems
from services.training.trainings.ical import calendar_of
from services.training.trainings.models import (
    RevisionBody,
    SessionBody,
    Training,
    TrainingBody,
    TrainingPage,
    TrainingReference,
    TransitionBody,
    named,
)
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import CreateTraining, Session, timetable_problems
from services.training.trainings.store import Wanted
from services.training.trainings.use_cases import TrainingUseCases

Owner = Annotated[Caller, callers("partner", "officer", "admin", scope="trainings:write")]
Anyone = Annotated[Caller, callers("anyone")]
Trainings = Annotated[TrainingUseCases, provided(TrainingUseCases)]
_FOUND: dict[int | str, dict[str, Any]] = {200: {"description": "Known already, or a dry run", "model": TrainingReference}}
_CALENDAR: dict[int | str, dict[str, Any]] = {200: {"description": "iCalendar", "content": {"text/calendar": {}}}}
_CALENDAR_LENGTH = 200  # trainings
_LONGEST_COURSE = timedelta(days=366)


def routes() -> APIRouter:
    """The routes of trainings."""
    router = APIRouter(prefix="/v1", tags=["trainings"])
    router.post("/trainings", status_code=201, response_model=TrainingReference, responses=_FOUND | NOT_FOUND)(create_training)
    router.get("/trainings", response_model=TrainingPage)(list_trainings)
    router.get("/trainings.ics", response_class=Response, responses=_CALENDAR)(get_training_calendar)
    router.get("/trainings/{training_id}", response_model=Training, responses=NOT_FOUND)(get_training)
    router.patch("/trainings/{training_id}", response_model=TrainingReference, responses=NOT_FOUND | CONFLICT | STALE)(
        revise_training
    )
    router.post("/trainings/{training_id}/transitions", response_model=TrainingReference, responses=NOT_FOUND | CONFLICT | STALE)(
        move_training
    )
    return router


def _timetable_rules(_request: Request, part: TrainingBody | RevisionBody) -> list[FieldError]:
    """What rules say of a body whose types are wrong in part (R10)."""
    sessions = _sessions(part.sessions) if part.sessions is not None else None
    return timetable_problems(sessions, part.registration_deadline, part.quota)


def _rules(request: Request, part: TrainingBody) -> list[FieldError]:
    return [*_timetable_rules(request, part), *code_problems(part.dinas, named(part.audience))]


async def create_training(
    request: Request,
    response: Response,
    caller: Owner,
    body: Annotated[TrainingBody, json_body(TrainingBody, _rules)],
    trainings: Trainings,
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
        sessions=_sessions(body.sessions),
        quota=body.quota,
        registration_deadline=body.registration_deadline,
        audience=named(body.audience),
        external_id=body.external_id,
        dry_run=dry_run,
    )
    # A dry run must not use up the Idempotency-Key of the request that follows it.
    reply = await trainings.create_training(command, None if dry_run else idempotency(request, caller))
    if not reply["created"]:
        response.status_code = 200
    if reply["training_id"] is not None:
        set_etag(response, reply["revision"])
    return reply


def _sessions(bodies: Iterable[SessionBody]) -> tuple[Session, ...]:
    return tuple(Session(body.starts_at, body.ends_at, body.place, body.online_url) for body in bodies)


async def list_trainings(
    caller: Anyone,
    trainings: Trainings,
    status: Annotated[TrainingStatus | None, Query(description="Only these; unpublished ones are for their owner")] = None,
    stage: Annotated[TrainingStage | None, Query(description="Only these")] = None,
    kota: Annotated[Kota | None, Query(description="Open to people of this kota")] = None,
    begins_from: Annotated[Day | None, Query(alias="from", description="First session on or after (Asia/Jakarta)")] = None,
    begins_to: Annotated[Day | None, Query(alias="to", description="First session on or before (Asia/Jakarta)")] = None,
    q: Annotated[Line | None, Query(max_length=80, description="In title or description")] = None,
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
    found = await trainings.list_trainings(wanted, actor, limit + 1)
    page, following = page_of(found, limit, lambda training: (training["starts_at"].isoformat(), training["_id"]))
    items = [replies.training(document, owner=actor.owns(document)) for document in page]
    return {"items": items, "next_cursor": following}


async def get_training_calendar(caller: Anyone, trainings: Trainings) -> Response:
    """Trainings that take place now or are to come, the next 200, as a calendar to subscribe to."""
    now = clock.now()
    # A course is assumed to take less than a year: without this bound the query would walk the index over `starts_at` from
    # the first training of the programme on.
    wanted = Wanted(statuses=("published", "closed", "running"), begins_from=now - _LONGEST_COURSE, ends_from=now)
    found = await trainings.list_trainings(wanted, actor_of(caller), _CALENDAR_LENGTH)
    return Response(calendar_of(found, now), media_type="text/calendar; charset=utf-8")


async def get_training(training_id: TrainingId, response: Response, caller: Anyone, trainings: Trainings) -> Any:
    """One training."""
    found = await trainings.get_training(training_id, actor_of(caller))
    set_etag(response, found["revision"])
    return found


async def revise_training(
    training_id: TrainingId,
    response: Response,
    caller: Owner,
    body: Annotated[RevisionBody, json_body(RevisionBody, _timetable_rules)],
    trainings: Trainings,
    if_match: IfMatch = None,
) -> Any:
    """Change texts, sessions, deadline or quota. A raised quota reaches the waiting list (R10)."""
    command = ReviseTraining(
        training_id=training_id,
        actor=actor_of(caller),
        rules=trainings.rules,
        if_match=version_of(if_match),
        title=body.title,
        description=body.description,
        sessions=_sessions(body.sessions) if body.sessions is not None else None,
        registration_deadline=body.registration_deadline,
        quota=body.quota,
    )
    reply = await trainings.revise_training(command)
    set_etag(response, reply["revision"])
    return reply


async def move_training(
    request: Request,
    response: Response,
    training_id: TrainingId,
    caller: Owner,
    body: Annotated[TransitionBody, json_body(TransitionBody)],
    trainings: Trainings,
    if_match: IfMatch = None,
) -> Any:
    """Take a training a step further (R10). Only staff approve; completing it settles every enrolment (R12)."""
    reply = await trainings.move_training(
        training_id, body.to, body.reason, actor_of(caller), version_of(if_match), idempotency(request, caller)
    )
    set_etag(response, reply["revision"])
    return reply


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
