"""Partners over HTTP (R9): applying, changing the status, API keys. Next: use_cases.py."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.errors import FieldError
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.provided import provided
from services.training.api_types import PartnerId, actor_of
from services.training.partners.api_key_rules import expiry_problems
from services.training.partners.models import (
    ApiKeyBody,
    NewApiKey,
    Partner,
    PartnerBody,
    PartnerReference,
    Revoked,
    StatusBody,
)
from services.training.partners.use_cases import PartnerUseCases

Kid = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{12}$", description="Public id of the key", examples=["4Yq0pV7sT2mX"])]
Admin = Annotated[Caller, callers("admin")]
AdminOrPartner = Annotated[Caller, callers("admin", "partner")]
Partners = Annotated[PartnerUseCases, provided(PartnerUseCases)]


def routes() -> APIRouter:
    """The routes of partners."""
    router = APIRouter(prefix="/v1/partners", tags=["partners"])
    router.post("", status_code=201, response_model=PartnerReference)(apply_as_partner)
    router.get("/{partner_id}", response_model=Partner, responses=NOT_FOUND)(get_partner)
    router.post("/{partner_id}/status", response_model=PartnerReference, responses=NOT_FOUND | CONFLICT | STALE)(
        change_partner_status
    )
    router.post(
        "/{partner_id}/api-keys", status_code=201, response_model=NewApiKey, responses=NOT_FOUND | CONFLICT, tags=["keys"]
    )(create_api_key)
    router.delete("/{partner_id}/api-keys/{kid}", response_model=Revoked, responses=NOT_FOUND, tags=["keys"])(revoke_api_key)
    return router


async def apply_as_partner(
    request: Request,
    caller: Annotated[Caller, callers("anyone")],
    body: Annotated[PartnerBody, json_body(PartnerBody)],
    partners: Partners,
) -> Any:
    """Ask to become a partner."""
    contact = {"contact_name": body.contact_name, "contact_email": body.contact_email}
    return await partners.apply_as_partner(body.name, body.kind, contact, body.approval_required, idempotency(request, caller))


async def get_partner(partner_id: PartnerId, response: Response, caller: AdminOrPartner, partners: Partners) -> Any:
    """One partner: an admin's view, or the partner's own."""
    found = await partners.get_partner(partner_id, actor_of(caller))
    set_etag(response, found["version"])
    return found


async def change_partner_status(
    request: Request,
    response: Response,
    partner_id: PartnerId,
    caller: Admin,
    body: Annotated[StatusBody, json_body(StatusBody)],
    partners: Partners,
    if_match: IfMatch = None,
) -> Any:
    """Move a partner on: applied, verified, active, suspended, ended (R9)."""
    reply = await partners.change_partner_status(
        partner_id, body.to, body.reason, actor_of(caller), version_of(if_match), idempotency(request, caller)
    )
    set_etag(response, reply["version"])
    return reply


def _expiry_rules(request: Request, part: ApiKeyBody) -> list[FieldError]:
    """What rules say of a body whose types are wrong in part (R9)."""
    partners: PartnerUseCases = request.app.state.provided[PartnerUseCases]
    return expiry_problems(part.expires_on, jakarta_day(clock.now()), partners.rules.api_key_days)


async def create_api_key(
    request: Request,
    partner_id: PartnerId,
    caller: AdminOrPartner,
    body: Annotated[ApiKeyBody, json_body(ApiKeyBody, _expiry_rules)],
    partners: Partners,
) -> Any:
    """Make an API key; two at most are valid at once. A repeated Idempotency-Key gets 409: the secret isn't stored."""
    return await partners.create_api_key(
        partner_id, sorted(set(body.scopes)), body.expires_on, actor_of(caller), idempotency(request, caller)
    )


async def revoke_api_key(partner_id: PartnerId, kid: Kid, caller: AdminOrPartner, partners: Partners) -> Any:
    """Revoke an API key; it stops to work within five seconds."""
    return await partners.revoke_api_key(partner_id, kid, actor_of(caller))
