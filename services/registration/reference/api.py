"""The reference lists over HTTP. Their replies are built once, when the module is imported."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from chassis.access.callers import Caller, callers
from chassis.http.direct_route import DirectRoute
from chassis.http.representation import REFERENCE, public
from services.registration.reference import areas, commodities
from services.registration.reference.models import Areas, Commodities

Anyone = Annotated[Caller, callers("anyone")]


def routes() -> APIRouter:
    """The routes of the reference lists."""
    router = APIRouter(prefix="/v1", tags=["reference"], route_class=DirectRoute)
    kept = [public(REFERENCE)]
    router.add_api_route("/areas", list_areas, methods=["GET"], response_model=Areas, dependencies=kept)
    router.add_api_route("/commodities", list_commodities, methods=["GET"], response_model=Commodities, dependencies=kept)
    return router


async def list_areas(_caller: Anyone) -> Any:
    """Jakarta's kelurahan with their kecamatan and kota (R3)."""
    return _AREAS


async def list_commodities(_caller: Anyone) -> Any:
    """Commodity groups."""
    return _COMMODITIES


_AREAS = {
    "items": [
        {
            "kelurahan": area.kelurahan,
            "kelurahan_name": area.kelurahan_name,
            "kecamatan": area.kecamatan,
            "kecamatan_name": area.kecamatan_name,
            "kota": area.kota,
            "kota_name": area.kota_name,
        }
        for area in areas.ALL
    ]
}
_COMMODITIES = {
    "items": [
        {"code": group.code, "name_id": group.name_id, "name_en": group.name_en} for group in commodities.COMMODITIES.values()
    ]
}
