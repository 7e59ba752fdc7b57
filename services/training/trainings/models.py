"""Request and response models of trainings (R10): shapes only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, cast

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from chassis.forms.body import Body
from chassis.forms.text import Code, Line, Lines, Remark
from services.training.api_types import Moment
from services.training.documents import Audience, TrainingStage, TrainingStatus
from services.training.trainings.audience import DINAS, KOTA

Quota = Annotated[int, Field(ge=1, le=100_000, description="Number of seats", examples=[40])]

_FILLED: JsonDict = {"minItems": 1}  # an empty list is met by R10, which says more than a form could


class SessionBody(Body):
    """One sitting."""

    starts_at: Moment = Field(description="With offset", examples=["2027-03-08T09:00:00+07:00"])
    ends_at: Moment = Field(description="With offset", examples=["2027-03-08T16:00:00+07:00"])
    place: Line = Field(min_length=1, max_length=300, description="Where", examples=["Balai Contoh, Jakarta Pusat"])
    online_url: str | None = Field(
        default=None, max_length=500, pattern=r"^https?://[\x21-\x7e]+$", description="For online ones"
    )


KotaCode = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}$")]
KecamatanCode = Annotated[str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$")]
Category = Literal["pemula", "naik_kelas"]
Commodity = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class AudienceBody(Body):
    """Whom the training is for: one code or several; what isn't named is open to all."""

    kota: KotaCode | Annotated[list[KotaCode], Field(min_length=1, max_length=10)] | None = Field(
        default=None, description=f"Kemendagri codes of kota or kabupaten: {', '.join(KOTA)}", examples=[["31.71"]]
    )
    kecamatan: KecamatanCode | Annotated[list[KecamatanCode], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="Kemendagri codes of kecamatan, in the kota if both are named", examples=[["31.71.01"]]
    )
    category: Category | Annotated[list[Category], Field(min_length=1, max_length=2)] | None = Field(
        default=None, description="pemula or naik_kelas"
    )
    commodity: Commodity | Annotated[list[Commodity], Field(min_length=1, max_length=30)] | None = Field(
        default=None, description="Commodity group codes", examples=[["kuliner"]]
    )


def named(body: AudienceBody | None) -> Audience:
    """Only the fields that are given, each as a list; without a body everybody."""
    given = {name: getattr(body, name) for name in AudienceBody.model_fields} if body is not None else {}
    lists = {name: [value] if isinstance(value, str) else list(value) for name, value in given.items() if value}
    return cast("Audience", lists)


class TrainingBody(Body):
    """A training to announce."""

    title: Line = Field(min_length=1, max_length=200, description="Title", examples=["Pemasaran digital"])
    description: Lines = Field(
        default="", max_length=5000, description="What it is about", examples=["Dasar-dasar berjualan daring."]
    )
    stage: TrainingStage = Field(description="Stage of which completing it is evidence (R8)")
    dinas: Code | None = Field(
        default=None, min_length=1, max_length=40, description=f"Office responsible: {', '.join(DINAS)}", examples=["PPKUKM"]
    )
    sessions: list[SessionBody] = Field(max_length=100, description="In order, not overlapping (R10)", json_schema_extra=_FILLED)
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

    title: Line | None = Field(default=None, min_length=1, max_length=200, description="Title")
    description: Lines | None = Field(default=None, max_length=5000, description="What it is about")
    sessions: list[SessionBody] | None = Field(
        default=None, max_length=100, description="All sessions, in order", json_schema_extra=_FILLED
    )
    registration_deadline: Moment | None = Field(default=None, description="Before the first session, with offset")
    quota: Quota | None = Field(default=None, description="Not below the seats that are confirmed or offered")


class TransitionBody(Body):
    """A step of a training."""

    to: Literal["submitted", "approved", "published", "closed", "running", "completed", "reported", "cancelled"] = Field(
        description="New status (R10)"
    )
    reason: Remark | None = Field(
        default=None,
        max_length=500,
        description="Why; of a cancellation everybody reads it, else only who may change the training",
    )


class TrainingReference(BaseModel):
    """A training and its status; no id for a dry run."""

    training_id: str | None = Field(description="Id of the training; null for a dry run")
    status: TrainingStatus = Field(description="Status (R10)")


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
    stage: TrainingStage = Field(description="Stage of which completing it is evidence (R8)")
    dinas: str | None = Field(description="Code of the office responsible")
    audience: dict[str, list[str]] = Field(description="Whom it is for: kota, kecamatan, category, commodity")
    sessions: list[SessionShown] = Field(description="In order")
    quota: int = Field(description="Number of seats")
    registration_deadline: datetime = Field(description="With offset")
    status: TrainingStatus = Field(description="Status (R10)")
    reason: str | None = Field(
        description="Reason given with the last step, if any; of other steps than a cancellation only for who may change it"
    )
    seats: Seats = Field(description="How they stand now")
    revision: int = Field(description="What its owner changed, counted: the ETag. Enrolments don't change it")


class TrainingPage(BaseModel):
    """A page of trainings."""

    items: list[Training] = Field(description="By start of the first session")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last")
