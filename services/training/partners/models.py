"""Request and response models of partners (R9): shapes only."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from chassis.forms.body import Body
from chassis.forms.text import Code, Line, Remark
from services.training.api_types import Day
from services.training.documents import ApiKeyScope, PartnerKind, PartnerStatus

_EMAIL = r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,180}\.[A-Za-z]{2,20}$"


class PartnerBody(Body):
    """An institution's application."""

    name: Line = Field(min_length=1, max_length=200, description="The institution", examples=["Kampus Contoh"])
    kind: PartnerKind = Field(description="Kind of institution")
    contact_name: Line = Field(min_length=1, max_length=200, description="Whom to ask; kept encrypted", examples=["Siti Contoh"])
    contact_email: Code = Field(
        max_length=254, pattern=_EMAIL, description="Their e-mail address; kept encrypted", examples=["siti@example.com"]
    )
    approval_required: bool = Field(
        default=True, description="Whether an officer approves each training; an admin sees the wish before verifying"
    )


class StatusBody(Body):
    """Where an admin moves a partner."""

    to: Literal["verified", "active", "suspended", "ended"] = Field(description="New status (R9)")
    reason: Remark = Field(min_length=1, max_length=500, description="Why; kept, not published", examples=["Checked"])


class ApiKeyBody(Body):
    """A new API key."""

    scopes: list[ApiKeyScope] = Field(min_length=1, max_length=5, description="What it may do", examples=[["trainings:write"]])
    expires_on: Day = Field(description="Last day on which it works (Asia/Jakarta), at most 365 days ahead")


class PartnerReference(BaseModel):
    """A partner and its status."""

    partner_id: str = Field(description="Id of the partner")
    status: PartnerStatus = Field(description="applied, verified, active, suspended or ended")


class ApiKey(BaseModel):
    """A key that is valid, without its secret."""

    kid: str = Field(description="Public id of the key")
    scopes: list[str] = Field(description="What it may do")
    expires_on: date = Field(description="Last day on which it works")


class NewApiKey(ApiKey):
    """A new key. The secret is shown this once."""

    key: str = Field(description="Send it as X-API-Key")


class Revoked(BaseModel):
    """A revoked key."""

    kid: str = Field(description="Public id of the key")
    revoked: bool = Field(description="Always true")


class Partner(PartnerReference):
    """A partner. The contact person is masked, except for the partner itself."""

    name: str = Field(description="Name of the institution")
    kind: str = Field(description="Kind of institution")
    approval_required: bool = Field(description="Whether an officer approves each training")
    contact_name: str = Field(description="Whom to ask")
    contact_email: str = Field(description="Their e-mail address")
    api_keys: list[ApiKey] = Field(description="Valid keys")
    version: int = Field(description="Version of the document, as in its ETag")
