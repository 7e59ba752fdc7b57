"""Registration over HTTP: request and response models, and which use case a route calls. Decides nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from chassis.access.callers import Caller, callers
from chassis.errors import FieldError, invalid
from chassis.http.answers import CONFLICT, NOT_FOUND, STALE, id_path
from chassis.http.direct_route import DirectRoute
from chassis.http.etag import IfMatch, set_etag, version_of
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from services.registration.fields import nik
from services.registration.people import rules as domain
from services.registration.people.models import RegistrationForm, Verification
from services.registration.people.use_cases import REVEALABLE, UseCases
from services.registration.reference import areas, commodities

JakpreneurId = Annotated[str, id_path("jkp", "Public id of a Jakpreneur")]
Staff = Annotated[Caller, callers("officer", "verifier", "admin")]


class Registered(BaseModel):
    """A new registration."""

    jakpreneur_id: str = Field(description="Random public id; the NIK never leaves the service")
    status: Literal["submitted"] = Field(description="Waits for verification")
    warnings: list[FieldError] = Field(description="What an officer may want to check")


class Decided(BaseModel):
    """The outcome of a verification."""

    jakpreneur_id: str = Field(description="Public id")
    status: Literal["verified", "rejected"] = Field(description="After the decision")
    version: int = Field(description="Version of the document, as in its ETag")


class Jakpreneur(BaseModel):
    """A person; personal data masked unless revealed."""

    jakpreneur_id: str = Field(description="Public id")
    status: str = Field(description="submitted, verified or rejected")
    registered_on: str = Field(description="Day of registration")
    verified_on: str | None = Field(description="Day of verification: the date of stage P1")
    rejected_on: str | None = Field(description="Day of rejection")
    reasons: list[str] | None = Field(description="Reason codes of a rejection")
    channel: str = Field(description="How the registration came")
    kelurahan: str = Field(description="Kemendagri code")
    kecamatan: str = Field(description="Kemendagri code")
    kota: str = Field(description="Kemendagri code")
    category: str = Field(description="pemula or naik_kelas")
    gender: str = Field(description="female or male")
    dinas: str | None = Field(description="Office responsible")
    commodity: str | None = Field(description="Commodity group of the business")
    kbli: str | None = Field(description="KBLI code of the business")
    kbli_version: str | None = Field(description="Edition of the KBLI code")
    started_on: str | None = Field(description="Day on which the business began to trade")
    personal: dict[str, str] = Field(description="Personal data by field name, masked unless revealed")
    version: int = Field(description="Version of the document, as in its ETag")


class JakpreneurPage(BaseModel):
    """A page of people."""

    items: list[Jakpreneur] = Field(description="Newest registrations first")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last")


class AreaEntry(BaseModel):
    """A kelurahan and what lies above it."""

    kelurahan: str = Field(description="Kemendagri code")
    kelurahan_name: str = Field(description="Name")
    kecamatan: str = Field(description="Kemendagri code")
    kecamatan_name: str = Field(description="Name")
    kota: str = Field(description="Kemendagri code")
    kota_name: str = Field(description="Name")


class Areas(BaseModel):
    """Jakarta's 267 kelurahan."""

    items: list[AreaEntry] = Field(description="In order of their codes")


class CommodityEntry(BaseModel):
    """A commodity group."""

    code: str = Field(description="Stable code")
    name_id: str = Field(description="Name in Bahasa Indonesia")
    name_en: str = Field(description="Name in English")


class Commodities(BaseModel):
    """The commodity groups."""

    items: list[CommodityEntry] = Field(description="All groups")


def routes(use_cases: UseCases) -> APIRouter:
    """The routes of people and reference data; imports have their own file."""
    router = APIRouter(prefix="/v1", tags=["jakpreneurs"], route_class=DirectRoute)

    @router.post("/jakpreneurs", status_code=201, response_model=Registered, responses={**CONFLICT})
    async def register(
        request: Request,
        caller: Annotated[Caller, callers("anyone")],
        form: Annotated[RegistrationForm, json_body(RegistrationForm)],
    ) -> Any:
        """Register a person. One Jakpreneur per NIK (R2)."""
        return await use_cases.register_jakpreneur(form, caller, idempotency(request, caller))

    @router.get("/jakpreneurs", response_model=JakpreneurPage)
    async def list_people(
        caller: Staff,
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
        wanted = {"status": status, "kota": kota, "kecamatan": kecamatan, "commodity": commodity, "dinas": dinas}
        query: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        if caller.dinas is not None:  # besides what was asked for: who asks for another dinas' people gets nobody
            query["$and"] = [{"dinas": {"$in": [caller.dinas, None]}}]
        if q is not None and q.strip():  # an empty search box asks for nothing
            query["_id"] = await _search(use_cases, q)
        after = decode_cursor(cursor, 2)
        found = await use_cases.store.people(query, (after[0], after[1]) if after else None, limit)
        following = encode_cursor(found[-1]["registered_on"], found[-1]["_id"]) if len(found) == limit else None
        return {"items": [use_cases.shown(document) for document in found], "next_cursor": following}

    @router.get("/jakpreneurs/{jakpreneur_id}", response_model=Jakpreneur, responses={**NOT_FOUND})
    async def get_person(
        jakpreneur_id: JakpreneurId,
        response: Response,
        caller: Annotated[Caller, callers("officer", "verifier", "admin", "citizen")],
        reveal: Annotated[str | None, Query(max_length=200, description="Fields to show in the clear, e.g. nik,phone")] = None,
        reason: Annotated[str | None, Query(max_length=200, description="Why; written to the audit log")] = None,
    ) -> Any:
        """One person: an officer's view, or a citizen's own."""
        if not caller.staff and caller.jakpreneur_id != jakpreneur_id:
            raise domain.unknown()
        if reveal is not None:
            shown = await use_cases.reveal_jakpreneur(jakpreneur_id, _fields(reveal), _reason(reason), caller)
        else:
            document = await use_cases.store.person(jakpreneur_id)
            if document is None or not domain.visible(document, caller.limit(jakpreneur_id)):
                raise domain.unknown()
            shown = use_cases.shown(document)
        set_etag(response, shown["version"])
        return shown

    @router.post(
        "/jakpreneurs/{jakpreneur_id}/verification", response_model=Decided, responses={**NOT_FOUND, **CONFLICT, **STALE}
    )
    async def verify(
        request: Request,
        jakpreneur_id: JakpreneurId,
        caller: Annotated[Caller, callers("verifier")],
        verification: Annotated[Verification, json_body(Verification)],
        if_match: IfMatch = None,
    ) -> Any:
        """Verify or reject a submitted registration: evidence of stage P1 (R8)."""
        key = idempotency(request, caller)
        return await use_cases.verify_jakpreneur(jakpreneur_id, verification, caller, version_of(if_match), key)

    @router.get("/areas", response_model=Areas, tags=["reference"])
    async def list_areas(_caller: Annotated[Caller, callers("anyone")]) -> Any:
        """Jakarta's kelurahan with their kecamatan and kota (R3)."""
        return _AREAS

    @router.get("/commodities", response_model=Commodities, tags=["reference"])
    async def list_commodities(_caller: Annotated[Caller, callers("anyone")]) -> Any:
        """Commodity groups."""
        return _COMMODITIES

    return router


_AREAS = {"items": [{name: getattr(area, name) for name in AreaEntry.model_fields} for area in areas.ALL]}
_COMMODITIES = {"items": [{"code": c.code, "name_id": c.name_id, "name_en": c.name_en} for c in commodities.COMMODITIES.values()]}


async def _search(use_cases: UseCases, q: str) -> str:
    number = nik.normalise(q)
    if number.isdigit():
        found = await use_cases.store.id_of_identity(use_cases.vault.blind_index("nik", number))
        return found or "none"
    return q.strip()


def _fields(reveal: str) -> list[str]:
    wanted = sorted({part.strip() for part in reveal.split(",") if part.strip()})
    if not wanted or any(name not in REVEALABLE for name in wanted):
        text = (f"Isi dengan: {', '.join(REVEALABLE)}.", f"Choose from: {', '.join(REVEALABLE)}.")
        raise invalid(FieldError("reveal", "reveal", *text))
    return wanted


def _reason(reason: str | None) -> str:
    if reason is None or len(reason.strip()) < 5:
        text = ("Sebutkan alasan (minimal 5 huruf).", "Say why (at least 5 letters).")
        raise invalid(FieldError("reason", "reason_required", *text))
    return reason.strip()
