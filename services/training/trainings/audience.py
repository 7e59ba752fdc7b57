"""R10: the codes that a training names: the seven offices, Jakarta's six kota and kabupaten, and their kecamatan.

Unknown codes are refused: nobody could manage a training of an unknown office, and nobody could enrol in one for people of an
unknown place. The codes are those of contracts/reference.py.
"""

from __future__ import annotations

from typing import Final, get_args

from chassis.errors import FieldError
from contracts.reference import Dinas, Kota
from services.training.documents import Audience
from services.training.trainings.refusals import REFUSALS

DINAS: Final[tuple[str, ...]] = get_args(Dinas)
KOTA: Final[tuple[str, ...]] = get_args(Kota)
_BY_FOLDED: Final = {code.casefold(): code for code in DINAS}


def dinas_of(text: str) -> str | None:
    """The office's code as all services spell it; case and surrounding spaces are ignored. None for an unknown office."""
    return _BY_FOLDED.get(text.strip().casefold())


def code_problems(dinas: str | None, audience: Audience) -> list[FieldError]:
    """Every failing rule: unknown offices and places, and kecamatan that lie outside the kota named with them."""
    errors: list[FieldError] = []
    if dinas is not None and dinas_of(dinas) is None:
        errors.append(REFUSALS.failing("dinas", "unknown_dinas", known=", ".join(DINAS)))
    kota, kecamatan = audience.get("kota", []), audience.get("kecamatan", [])
    unknown = sorted(set(kota) - set(KOTA))
    if unknown:
        errors.append(REFUSALS.failing("audience.kota", "unknown_kota", unknown=", ".join(unknown), known=", ".join(KOTA)))
    strange = [code for code in kecamatan if kota_of(code) not in KOTA]
    if strange:
        errors.append(REFUSALS.failing("audience.kecamatan", "unknown_kecamatan", unknown=", ".join(strange)))
    outside = [code for code in kecamatan if kota and kota_of(code) in KOTA and kota_of(code) not in kota]
    if outside:
        errors.append(
            REFUSALS.failing("audience.kecamatan", "kecamatan_elsewhere", outside=", ".join(outside), kota=", ".join(kota))
        )
    return errors


def kota_of(kecamatan: str) -> str:
    """The kota of a kecamatan: `31.71.01` lies in `31.71`."""
    return kecamatan.rpartition(".")[0]
