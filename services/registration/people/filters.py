"""Filters of lists of people, pure: areas, commodities and offices that there are. Nobody is found by one that there isn't."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.errors import FieldError
from services.registration.reference.areas import KECAMATAN
from services.registration.reference.commodities import COMMODITIES


def unknown_filters(wanted: Mapping[str, str]) -> list[FieldError]:
    """A field error for each value that no person can have, so that a mistyped one isn't taken for an empty list."""
    errors = []
    if wanted.get("kecamatan", "31.71.01") not in KECAMATAN:
        errors.append(_unknown("kecamatan", "/v1/areas"))
    if wanted.get("commodity", "kuliner") not in COMMODITIES:
        errors.append(_unknown("commodity", "/v1/commodities"))
    return errors


def _unknown(field: str, where: str) -> FieldError:
    text = (f"{field}: kode tidak dikenal; lihat {where}.", f"{field}: unknown code; see {where}.")
    return FieldError(field, f"unknown_{field}", *text)
