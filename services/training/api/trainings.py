"""Trainings over HTTP (R10): announcing, changing, moving on, finding."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from chassis import clock
from chassis.auth import Caller, callers
from chassis.body import Body, idempotency, json_body
from chassis.errors import FieldError, invalid
from chassis.http import (
    CONFLICT,
    NOT_FOUND,
    STALE,
    Cursor,
    IfMatch,
    Limit,
    decode_cursor,
    encode_cursor,
    set_etag,
    version_of,
)  # fmt: skip
from services.training import ical, views
from services.training.api.terms import LINE, TEXT, Day, Moment, TrainingId, actor_of
from services.training.domain.revision import Revise
from services.training.domain.training import Create, Session, Status
from services.training.store import Wanted
from services.training.use_cases import UseCases

Stage = Literal["P2", "P3", "P5"]
Quota = Annotated[int, Field(ge=1, le=100_000, description="Number of seats", examples=[40])]
Owner = Annotated[Caller, callers("partner", "officer", "admin", scope="trainings:write")]
Anyone = Annotated[Caller, callers("anyone")]
_CODE = r"^[A-Za-z_]{1,40}$"
_CALENDAR: dict[int | str, dict[str, Any]] = {200: {"description": "iCalendar", "content": {"text/calendar": {}}}}


class SessionBody(Body):
    """One sitting."""

    starts_at: Moment = Field(description="With offset", examples=["2027-03-08T09:00:00+07:00"])
    ends_at: Moment = Field(description="With offset", examples=["2027-03-08T16:00:00+07:00"])
    place: str = Field(min_length=1, max_length=300, pattern=LINE, description="Where", examples=["Balai Contoh, Jakarta Pusat"])
    online_url: str | None = Field(
        default=None, max_length=500, pattern=r"^https?://[\x21-\x7e]+$", description="For online ones"
    )

    def session(self) -> Session:
        """As the rules take it."""
        return Session(self.starts_at, self.ends_at, self.place, self.online_url)


KotaCode = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}$")]
KecamatanCode = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$")]
Category = Literal["pemula", "naik_kelas"]
Commodity = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class AudienceBody(Body):
    """Whom the training is for: one code or several; what isn't named is open to all."""

    kota: KotaCode | Annotated[list[KotaCode], Field(min_length=1, max_length=10)] | None = Field(
        default=None, description="Kemendagri codes of kota or kabupaten", examples=[["31.71"]]
    )
    kecamatan: KecamatanCode | Annotated[list[KecamatanCode], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="Kemendagri codes of kecamatan", examples=[["31.71.01"]]
    )
    category: Category | Annotated[list[Category], Field(min_length=1, max_length=2)] | None = Field(
        default=None, description="pemula or naik_kelas"
    )
    commodity: Commodity | Annotated[list[Commodity], Field(min_length=1, max_length=30)] | None = Field(
        default=None, description="Commodity group codes", examples=[["kuliner"]]
    )

    def named(self) -> dict[str, list[str]]:
        """Only what is named, each as a list."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: [value] if isinstance(value, str) else list(value) for name, value in given.items() if value}


class TrainingBody(Body):
    """A training to announce."""

    title: str = Field(min_length=1, max_length=200, pattern=LINE, description="Title", examples=["Pemasaran digital"])
    description: str = Field(
        default="", max_length=5000, pattern=TEXT, description="What it is about", examples=["Dasar-dasar berjualan daring."]
    )
    stage: Stage = Field(description="Stage of which completing it is evidence (R8)")
    dinas: str | None = Field(default=None, pattern=_CODE, description="Code of the office responsible", examples=["PPKUKM"])
    sessions: list[SessionBody] = Field(max_length=100, description="In order, not overlapping; at least one (R10)")
    quota: Quota
    registration_deadline: Moment = Field(
        description="Before the first session, with offset", examples=["2027-03-05T17:00:00+07:00"]
    )
    audience: AudienceBody | None = Field(default=None, description="Whom it is for; without it everybody")
    external_id: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[\x20-\x7e]+$", description="Your own id: the same again is found",
        examples=["KLS-2027-014"],
    )  # fmt: skip


class RevisionBody(Body):
    """What to change; what is left out stays."""

    title: str | None = Field(default=None, min_length=1, max_length=200, pattern=LINE, description="Title")
    description: str | None = Field(default=None, max_length=5000, pattern=TEXT, description="What it is about")
    sessions: list[SessionBody] | None = Field(default=None, max_length=100, description="All sessions, in order")
    registration_deadline: Moment | None = Field(default=None, description="Before the first session, with offset")
    quota: Quota | None = Field(default=None, description="Not below the seats that are confirmed or offered")


class TransitionBody(Body):
    """A step of a training."""

    to: Literal["submitted", "approved", "published", "closed", "running", "completed", "reported", "cancelled"] = Field(
        description="New status (R10)"
    )
    reason: str | None = Field(default=None, max_length=500, pattern=LINE, description="Why; shown with a cancelled training")


class TrainingReference(BaseModel):
    """A training and its status; no id for a dry run."""

    training_id: str | None = Field(description="Id of the training; null for a dry run")
    status: Status = Field(description="Status (R10)")


class SessionShown(BaseModel):
    """One sitting."""

    starts_at: datetime = Field(description="With offset")
    ends_at: datetime = Field(description="With offset")
    place: str = Field(description="Where")
    online_url: str | None = Field(description="For online ones")


class Seats(BaseModel):
    """Seats of a training. confirmed + offered + free = quota."""

    confirmed: int = Field(description="Taken")
    offered: int = Field(description="Held for somebody who was offered one")
    waiting: int = Field(description="People on the waiting list")
    free: int = Field(description="Neither taken nor offered")


class Training(BaseModel):
    """A training."""

    training_id: str = Field(description="Id of the training")
    partner_id: str | None = Field(description="The partner that gives it; null: given by an office")
    external_id: str | None = Field(description="The partner's own id")
    title: str = Field(description="Title")
    description: str = Field(description="What it is about")
    stage: Stage = Field(description="Stage of which completing it is evidence (R8)")
    dinas: str | None = Field(description="Code of the office responsible")
    audience: dict[str, list[str]] = Field(description="Whom it is for: kota, kecamatan, category, commodity")
    sessions: list[SessionShown] = Field(description="In order")
    quota: int = Field(description="Number of seats")
    registration_deadline: datetime = Field(description="With offset")
    status: Status = Field(description="Status (R10)")
    reason: str | None = Field(description="Reason given with the last step, if any")
    seats: Seats = Field(description="How they stand now")
    revision: int = Field(description="What its owner changed, counted: the ETag. Enrolments don't change it")


class TrainingPage(BaseModel):
    """A page of trainings."""

    items: list[Training] = Field(description="By start of the first session")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last")


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
        command = Create(
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
        kota: Annotated[str | None, Query(pattern=r"^[0-9]{2}\.[0-9]{2}$", description="Open to people of this kota")] = None,
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
        found = await use_cases.list_trainings(wanted, actor_of(caller), limit)
        following = encode_cursor(found[-1]["starts_at"].isoformat(), found[-1]["_id"]) if len(found) == limit else None
        return {"items": [views.training(document) for document in found], "next_cursor": following}

    @router.get("/trainings.ics", response_class=Response, responses=_CALENDAR)
    async def calendar_of_trainings(caller: Anyone) -> Response:
        """The next trainings as a calendar to subscribe to."""
        wanted = Wanted(statuses=("published", "closed", "running"), begins_from=clock.now() - timedelta(days=30))
        found = await use_cases.list_trainings(wanted, actor_of(caller), 200)
        return Response(ical.of(found, clock.now()), media_type="text/calendar; charset=utf-8")

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
        command = Revise(
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
    return datetime.combine(day, time(), clock.JAKARTA) if day is not None else None


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
