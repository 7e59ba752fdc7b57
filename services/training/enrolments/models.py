"""Request and response models of enrolments (R11): shapes only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from chassis.forms.body import Body
from services.training.api_types import JAKPRENEUR_ID
from services.training.documents import EnrolmentStatus

Person = Annotated[str, Field(pattern=JAKPRENEUR_ID)]
_EXAMPLE = "jkp_4Yq0pV7sT2mXb1Zk"


def _one_of_both(schema: JsonDict) -> None:
    schema["oneOf"] = [{"required": ["jakpreneur_id"]}, {"required": ["jakpreneur_ids"]}]
    fields: Any = schema["properties"]
    for field in fields.values():
        field.update(next(choice for choice in field.pop("anyOf") if choice != {"type": "null"}))
        field.pop("default")
    fields["jakpreneur_ids"]["uniqueItems"] = True


class EnrolBody(Body):
    """One person, or a group of which all are enrolled or none."""

    model_config = ConfigDict(json_schema_extra=_one_of_both)

    jakpreneur_id: Person | None = Field(default=None, description="The person", examples=[_EXAMPLE])
    jakpreneur_ids: Annotated[list[Person], Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="Or a group, in order; at most 500", examples=[[_EXAMPLE]]
    )

    @model_validator(mode="after")
    def one_of_both(self) -> EnrolBody:
        """Exactly one of the two, not null, and nobody twice."""
        if len(self.model_fields_set) != 1 or (self.jakpreneur_id is None) == (self.jakpreneur_ids is None):
            raise PydanticCustomError(
                "one_of_both",
                "give either jakpreneur_id or jakpreneur_ids",
                {"message_id": "isi jakpreneur_id atau jakpreneur_ids, salah satu."},
            )
        if self.jakpreneur_ids is not None and len(set(self.jakpreneur_ids)) != len(self.jakpreneur_ids):
            raise PydanticCustomError(
                "named_twice", "jakpreneur_ids names a person twice", {"message_id": "jakpreneur_ids menyebut orang dua kali."}
            )
        return self

    def people(self) -> dict[str, str]:
        """Field of the request -> jakpreneur_id, in the order of the request."""
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
    status: EnrolmentStatus = Field(description="Status (R11)")


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
