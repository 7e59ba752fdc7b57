"""The codes that a training is addressed by: the seven offices, Jakarta's six kota and kabupaten, and their kecamatan.

A training of an office that isn't there is nobody's to manage, and one for people from nowhere is for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from chassis.errors import FieldError
from contracts.reference import Dinas, Kota
from services.training.refusals import failing

DINAS: Final[tuple[str, ...]] = get_args(Dinas)
KOTA: Final[tuple[str, ...]] = get_args(Kota)
_BY_FOLDED: Final = {code.casefold(): code for code in DINAS}


def dinas_of(text: str) -> str | None:
    """The office's code as all services spell it, whatever the case and the spaces around it; None for an unknown one."""
    return _BY_FOLDED.get(text.strip().casefold())


def code_problems(dinas: str | None, audience: Mapping[str, Sequence[str]]) -> list[FieldError]:
    """All that names an office or a place that isn't there, and kecamatan outside the kota that are named with them."""
    errors: list[FieldError] = []
    if dinas is not None and dinas_of(dinas) is None:
        errors.append(failing("dinas", "unknown_dinas", known=", ".join(DINAS)))
    kota, kecamatan = audience.get("kota", ()), audience.get("kecamatan", ())
    unknown = sorted(set(kota) - set(KOTA))
    if unknown:
        errors.append(failing("audience.kota", "unknown_kota", unknown=", ".join(unknown), known=", ".join(KOTA)))
    strange = [code for code in kecamatan if kota_of(code) not in KOTA]
    if strange:
        errors.append(failing("audience.kecamatan", "unknown_kecamatan", unknown=", ".join(strange)))
    outside = [code for code in kecamatan if kota and kota_of(code) in KOTA and kota_of(code) not in kota]
    if outside:
        errors.append(failing("audience.kecamatan", "kecamatan_elsewhere", outside=", ".join(outside), kota=", ".join(kota)))
    return errors


def kota_of(kecamatan: str) -> str:
    """`31.71.01` lies in `31.71`."""
    return kecamatan.rpartition(".")[0]
