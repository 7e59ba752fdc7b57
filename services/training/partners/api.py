"""Partners over HTTP (R9): applying, moving on, API keys."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from chassis.access.callers import Caller, callers
from chassis.forms.body import Body
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from services.training.api_types import LINE, Day, PartnerId, actor_of
from services.training.use_cases import UseCases

Kind = Literal["university", "company", "government", "bank", "community", "other"]
Scope = Literal["trainings:write", "enrolments:write", "attendance:write", "activities:write", "assessments:write"]
Status = Literal["applied", "verified", "active", "suspended", "ended"]
Kid = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{12}$", description="Public id of the key", examples=["4Yq0pV7sT2mX"])]
_EMAIL = r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,180}\.[A-Za-z]{2,20}$"


class PartnerBody(Body):
    """An institution's application."""

    name: str = Field(min_length=1, max_length=200, pattern=LINE, description="The institution", examples=["Kampus Contoh"])
    kind: Kind = Field(description="Kind of institution")
    contact_name: str = Field(
        min_length=1, max_length=200, pattern=LINE, description="Whom to ask; kept encrypted", examples=["Siti Contoh"]
    )
    contact_email: str = Field(
        max_length=254, pattern=_EMAIL, description="Their e-mail address; kept encrypted", examples=["siti@example.com"]
    )
    approval_required: bool = Field(
        default=True, description="Whether an officer approves each training; an admin sees the wish before verifying"
    )


class StatusBody(Body):
    """Where an admin moves a partner."""

    to: Literal["verified", "active", "suspended", "ended"] = Field(description="New status (R9)")
    reason: str = Field(min_length=1, max_length=500, pattern=LINE, description="Why; kept, not published", examples=["Checked"])


class ApiKeyBody(Body):
    """A new API key."""

    scopes: list[Scope] = Field(min_length=1, max_length=5, description="What it may do", examples=[["trainings:write"]])
    expires_on: Day = Field(description="Last day on which it works (Asia/Jakarta), at most 365 days ahead")


class PartnerReference(BaseModel):
    """A partner and its status."""

    partner_id: str = Field(description="Id of the partner")
    status: Status = Field(description="applied, verified, active, suspended or ended")


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


def routes(use_cases: UseCases) -> APIRouter:
    """The routes of partners."""
    router = APIRouter(prefix="/v1/partners", tags=["partners"])

    @router.post("", status_code=201, response_model=PartnerReference)
    async def apply(
        request: Request, caller: Annotated[Caller, callers("anyone")], body: Annotated[PartnerBody, json_body(PartnerBody)]
    ) -> Any:
        """Ask to become a partner."""
        contact = {"contact_name": body.contact_name, "contact_email": body.contact_email}
        return await use_cases.apply_as_partner(
            body.name, body.kind, contact, body.approval_required, idempotency(request, caller)
        )

    @router.get("/{partner_id}", response_model=Partner, responses={**NOT_FOUND})
    async def get_partner(
        partner_id: PartnerId, response: Response, caller: Annotated[Caller, callers("admin", "partner")]
    ) -> Any:
        """One partner: an admin's view, or the partner's own."""
        found = await use_cases.get_partner(partner_id, actor_of(caller))
        set_etag(response, found["version"])
        return found

    @router.post("/{partner_id}/status", response_model=PartnerReference, responses={**NOT_FOUND, **CONFLICT, **STALE})
    async def change_status(
        request: Request,
        response: Response,
        partner_id: PartnerId,
        caller: Annotated[Caller, callers("admin")],
        body: Annotated[StatusBody, json_body(StatusBody)],
        if_match: IfMatch = None,
    ) -> Any:
        """Move a partner on: applied, verified, active, suspended, ended (R9)."""
        reply = await use_cases.change_partner_status(
            partner_id, body.to, body.reason, actor_of(caller), version_of(if_match), idempotency(request, caller)
        )
        set_etag(response, reply["version"])
        return reply

    @router.post(
        "/{partner_id}/api-keys", status_code=201, response_model=NewApiKey, responses={**NOT_FOUND, **CONFLICT}, tags=["keys"]
    )
    async def create_key(
        request: Request,
        partner_id: PartnerId,
        caller: Annotated[Caller, callers("admin", "partner")],
        body: Annotated[ApiKeyBody, json_body(ApiKeyBody)],
    ) -> Any:
        """Make an API key; two at most are valid at once. A repeated Idempotency-Key gets 409: the secret isn't stored."""
        return await use_cases.create_api_key(
            partner_id, sorted(set(body.scopes)), body.expires_on, actor_of(caller), idempotency(request, caller)
        )

    @router.delete("/{partner_id}/api-keys/{kid}", response_model=Revoked, responses={**NOT_FOUND}, tags=["keys"])
    async def revoke_key(partner_id: PartnerId, kid: Kid, caller: Annotated[Caller, callers("admin", "partner")]) -> Any:
        """Revoke an API key; it stops to work within five seconds."""
        return await use_cases.revoke_api_key(partner_id, kid, actor_of(caller))

    return router
