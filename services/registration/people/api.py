"""People over HTTP: a table of routes, and handlers that turn a request into the call of a use case."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.errors import Conflict, FieldError
from chassis.http.answers import CONFLICT, NOT_FOUND, REPEATABLE, STALE, id_path
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, page_of
from chassis.http.provided import provided
from contracts.reference import Dinas, Kota
from services.registration.people import refusals
from services.registration.people.form_check import form_problems
from services.registration.people.models import (
    COMMODITY,
    KECAMATAN,
    Decided,
    Jakpreneur,
    JakpreneurPage,
    Received,
    Registered,
    RegistrationForm,
    Reveal,
    Search,
    Status,
    Verification,
)
from services.registration.people.use_cases import PeopleUseCases, signed_in

JakpreneurId = Annotated[str, id_path("jkp", "Public id of a Jakpreneur")]
Staff = Annotated[Caller, callers("officer", "verifier", "admin")]
StaffOrSelf = Annotated[Caller, callers("officer", "verifier", "admin", "citizen")]
People = Annotated[PeopleUseCases, provided(PeopleUseCases)]
_RECEIVED: dict[int | str, dict[str, Any]] = {
    202: {"description": "Received from somebody who isn't signed in, whether or not the NIK is known", "model": Received}
}


def routes() -> APIRouter:
    """The routes of people."""
    router = APIRouter(prefix="/v1/jakpreneurs", tags=["jakpreneurs"], route_class=DirectRoute)
    router.add_api_route(
        "", register_jakpreneur, methods=["POST"], status_code=201, response_model=Registered, responses={**_RECEIVED, **CONFLICT}
    )
    router.add_api_route("", list_jakpreneurs, methods=["GET"], response_model=JakpreneurPage)
    router.add_api_route("/search", search_jakpreneurs, methods=["POST"], response_model=JakpreneurPage, openapi_extra=REPEATABLE)
    router.add_api_route("/{jakpreneur_id}", get_jakpreneur, methods=["GET"], response_model=Jakpreneur, responses={**NOT_FOUND})
    router.add_api_route(
        "/{jakpreneur_id}/reveal",
        reveal_jakpreneur,
        methods=["POST"],
        response_model=Jakpreneur,
        responses={**NOT_FOUND},
        openapi_extra=REPEATABLE,
    )
    router.add_api_route(
        "/{jakpreneur_id}/verification",
        verify_jakpreneur,
        methods=["POST"],
        response_model=Decided,
        responses={**NOT_FOUND, **CONFLICT, **STALE},
    )
    return router


def _rules(request: Request, form: RegistrationForm) -> list[FieldError]:
    """The rules of a form whose types are wrong in part."""
    caller: Caller = request.state.caller
    return form_problems(form, today=jakarta_day(clock.now()), officer="officer" in caller.roles)


async def register_jakpreneur(
    request: Request,
    caller: Annotated[Caller, callers("anyone")],
    form: Annotated[RegistrationForm, json_body(RegistrationForm, _rules)],
    people: People,
) -> Any:
    """Register a person. One Jakpreneur per NIK (R2); whoever isn't signed in doesn't hear whether the NIK is known."""
    try:
        reply = await people.register_jakpreneur(form, caller, idempotency(request, caller))
    except Conflict as known:
        if not caller.staff and known.code == refusals.ALREADY_REGISTERED:
            await request.app.state.authenticator.limits.count("known-nik", caller.id)
        raise
    return reply if signed_in(caller) else JSONResponse({"receipt": reply["receipt"]}, 202)


async def list_jakpreneurs(
    caller: Staff,
    people: People,
    status: Annotated[Status | None, Query(description="Only these")] = None,
    kota: Annotated[Kota | None, Query(description="Kemendagri code")] = None,
    kecamatan: Annotated[str | None, Query(pattern=KECAMATAN, description="Kemendagri code")] = None,
    commodity: Annotated[str | None, Query(pattern=COMMODITY, description="Commodity group")] = None,
    dinas: Annotated[Dinas | None, Query(description="Code of a dinas")] = None,
    q: Annotated[
        str | None,
        Query(pattern=r"^jkp_[0-9A-Za-z]{1,40}$", description="A jakpreneur_id; for a NIK POST /v1/jakpreneurs/search"),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """People by status, area, commodity and dinas, personal data masked."""
    wanted = {"status": status, "kota": kota, "kecamatan": kecamatan, "commodity": commodity, "dinas": dinas, "_id": q}
    found = await people.list_jakpreneurs(_given(wanted), caller, _after(cursor), limit + 1)
    return _page(found, limit)


async def search_jakpreneurs(caller: Staff, search: Annotated[Search, json_body(Search)], people: People) -> Any:
    """As the list, and by a whole NIK or a receipt. Personal data is encrypted, so parts of it can't be searched."""
    wanted = search.model_dump(include={"status", "kota", "kecamatan", "commodity", "dinas"})
    found = await people.search_jakpreneurs(search, _given(wanted), caller, _after(search.cursor), search.limit + 1)
    return _page(found, search.limit)


async def get_jakpreneur(jakpreneur_id: JakpreneurId, response: Response, caller: StaffOrSelf, people: People) -> Any:
    """One person, personal data masked: an officer's view, or a citizen's own."""
    if not caller.staff and caller.jakpreneur_id != jakpreneur_id:
        raise refusals.unknown_jakpreneur()
    shown = await people.get_jakpreneur(jakpreneur_id, caller)
    set_etag(response, shown["version"])
    return shown


async def reveal_jakpreneur(
    jakpreneur_id: JakpreneurId,
    response: Response,
    caller: StaffOrSelf,
    reveal: Annotated[Reveal, json_body(Reveal)],
    people: People,
) -> Any:
    """One person with some fields in the clear. Who saw what and why is written to the audit log first (R17)."""
    if not caller.staff and caller.jakpreneur_id != jakpreneur_id:
        raise refusals.unknown_jakpreneur()
    shown = await people.reveal_jakpreneur(jakpreneur_id, sorted(set(reveal.fields)), reveal.reason, caller)
    set_etag(response, shown["version"])
    return shown


async def verify_jakpreneur(
    request: Request,
    response: Response,
    jakpreneur_id: JakpreneurId,
    caller: Annotated[Caller, callers("verifier")],
    verification: Annotated[Verification, json_body(Verification)],
    people: People,
    if_match: IfMatch = None,
) -> Any:
    """Verify or reject a submitted registration: evidence of stage P1 (R8)."""
    key = idempotency(request, caller)
    decided = await people.verify_jakpreneur(jakpreneur_id, verification, caller, version_of(if_match), key)
    set_etag(response, decided["version"])
    return decided


def _given(wanted: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value is not None}


def _after(cursor: str | None) -> tuple[str, str] | None:
    after = decode_cursor(cursor, 2)
    return (after[0], after[1]) if after else None


def _page(found: list[Any], limit: int) -> Any:
    items, following = page_of(found, limit, lambda person: (person["registered_on"], person["jakpreneur_id"]))
    return {"items": items, "next_cursor": following}
