"""People over HTTP: a table of routes, and handlers that turn a request into the call of a use case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from chassis.access.callers import Caller, callers
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE, id_path
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, page_of
from chassis.http.provided import provided
from services.registration.people import refusals
from services.registration.people.models import Decided, Jakpreneur, JakpreneurPage, Registered, RegistrationForm, Verification
from services.registration.people.replies import REVEALABLE
from services.registration.people.use_cases import PeopleUseCases

JakpreneurId = Annotated[str, id_path("jkp", "Public id of a Jakpreneur")]
Staff = Annotated[Caller, callers("officer", "verifier", "admin")]
People = Annotated[PeopleUseCases, provided(PeopleUseCases)]
_SHORTEST_REASON = 5  # letters


def routes() -> APIRouter:
    """The routes of people."""
    router = APIRouter(prefix="/v1/jakpreneurs", tags=["jakpreneurs"], route_class=DirectRoute)
    router.add_api_route(
        "", register_jakpreneur, methods=["POST"], status_code=201, response_model=Registered, responses={**CONFLICT}
    )
    router.add_api_route("", list_jakpreneurs, methods=["GET"], response_model=JakpreneurPage)
    router.add_api_route("/{jakpreneur_id}", get_jakpreneur, methods=["GET"], response_model=Jakpreneur, responses={**NOT_FOUND})
    router.add_api_route(
        "/{jakpreneur_id}/verification",
        verify_jakpreneur,
        methods=["POST"],
        response_model=Decided,
        responses={**NOT_FOUND, **CONFLICT, **STALE},
    )
    return router


async def register_jakpreneur(
    request: Request,
    caller: Annotated[Caller, callers("anyone")],
    form: Annotated[RegistrationForm, json_body(RegistrationForm)],
    people: People,
) -> Any:
    """Register a person. One Jakpreneur per NIK (R2)."""
    return await people.register_jakpreneur(form, caller, idempotency(request, caller))


async def list_jakpreneurs(
    caller: Staff,
    people: People,
    status: Annotated[Literal["submitted", "verified", "rejected"] | None, Query(description="Only these")] = None,
    kota: Annotated[str | None, Query(pattern=r"^31\.[0-9]{2}$", description="Kemendagri code")] = None,
    kecamatan: Annotated[str | None, Query(pattern=r"^31\.[0-9]{2}\.[0-9]{2}$", description="Kemendagri code")] = None,
    commodity: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$", description="Commodity group")] = None,
    dinas: Annotated[str | None, Query(pattern=r"^[A-Za-z]{1,40}$", description="Code of a dinas")] = None,
    q: Annotated[str | None, Query(max_length=40, description="A whole NIK or jakpreneur_id")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """People by status, area, commodity and dinas. Personal data is encrypted, so `q` finds whole values only."""
    asked = {"status": status, "kota": kota, "kecamatan": kecamatan, "commodity": commodity, "dinas": dinas}
    wanted = {name: value for name, value in asked.items() if value is not None}
    after = decode_cursor(cursor, 2)
    found = await people.list_jakpreneurs(wanted, q, caller, (after[0], after[1]) if after else None, limit + 1)
    items, following = page_of(found, limit, lambda person: (person["registered_on"], person["jakpreneur_id"]))
    return {"items": items, "next_cursor": following}


async def get_jakpreneur(
    jakpreneur_id: JakpreneurId,
    response: Response,
    caller: Annotated[Caller, callers("officer", "verifier", "admin", "citizen")],
    people: People,
    reveal: Annotated[str | None, Query(max_length=200, description="Fields to show in the clear, e.g. nik,phone")] = None,
    reason: Annotated[str | None, Query(max_length=200, description="Why; written to the audit log")] = None,
) -> Any:
    """One person: an officer's view, or a citizen's own."""
    if not caller.staff and caller.jakpreneur_id != jakpreneur_id:
        raise refusals.unknown_jakpreneur()
    if reveal is not None:
        shown = await people.reveal_jakpreneur(jakpreneur_id, _fields_of(reveal), _reason_of(reason), caller)
    else:
        shown = await people.get_jakpreneur(jakpreneur_id, caller)
    set_etag(response, shown["version"])
    return shown


async def verify_jakpreneur(
    request: Request,
    jakpreneur_id: JakpreneurId,
    caller: Annotated[Caller, callers("verifier")],
    verification: Annotated[Verification, json_body(Verification)],
    people: People,
    if_match: IfMatch = None,
) -> Any:
    """Verify or reject a submitted registration: evidence of stage P1 (R8)."""
    key = idempotency(request, caller)
    return await people.verify_jakpreneur(jakpreneur_id, verification, caller, version_of(if_match), key)


def _fields_of(reveal: str) -> list[str]:
    """The fields that a `reveal` parameter names; raises Invalid for none or an unknown one."""
    fields = sorted({part.strip() for part in reveal.split(",") if part.strip()})
    if not fields or any(name not in REVEALABLE for name in fields):
        raise refusals.not_revealable(REVEALABLE)
    return fields


def _reason_of(reason: str | None) -> str:
    """The reason for a reveal; raises Invalid for none or a very short one."""
    if reason is None or len(reason.strip()) < _SHORTEST_REASON:
        raise refusals.reveal_reason_missing()
    return reason.strip()
