"""R3: Jakarta's 267 kelurahan with their kecamatan (44) and kota/kabupaten (6), by Kemendagri code.

BPS, the statistics office, numbers the same five cities 3171-3175 in *another order* (3171 is Jakarta Selatan for BPS
and Jakarta Pusat for Kemendagri). A BPS code that was taken for a Kemendagri code would move people to another city, and
nobody would notice. Three rules keep the two apart:

- Only a whole kelurahan code is accepted. A code of a city or kecamatan alone would be ambiguous.
- Both systems write ten digits, but cut them differently: Kemendagri 2-2-2-4, its last group 1001 and up for a
  kelurahan; BPS 2-2-3-3, and every BPS kecamatan code in Jakarta ends in 0 (010, 020, ...). So the seventh digit is 1
  in Kemendagri's form and 0 in BPS's: no text is a code in both. A BPS code is refused with a field error of its own and
  never converted.
- Names are never looked up: a kelurahan's name may occur twice, and spellings differ.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Final

from chassis.errors import FieldError


@dataclass(frozen=True, slots=True)
class Area:
    """One kelurahan and what lies above it; codes in Kemendagri's dotted form, "31.71.01.1001"."""

    kelurahan: str
    kelurahan_name: str
    kecamatan: str
    kecamatan_name: str
    kota: str
    kota_name: str


def _load() -> tuple[Area, ...]:
    """The packaged list, read once at import: reference data that ships with the code, not a setting."""
    text = resources.files("services.registration.reference").joinpath("data/kelurahan.csv").read_text("utf-8")
    return tuple(Area(**row) for row in csv.DictReader(text.splitlines()))


ALL: Final[tuple[Area, ...]] = _load()
KECAMATAN: Final[Mapping[str, str]] = MappingProxyType({area.kecamatan: area.kecamatan_name for area in ALL})
KOTA: Final[Mapping[str, str]] = MappingProxyType({area.kota: area.kota_name for area in ALL})
KECAMATAN_OF: Final = MappingProxyType({kota: [code for code in KECAMATAN if code.startswith(kota)] for kota in KOTA})

# Both spellings as keys: a lookup in an import of 226,000 rows is one dictionary access.
_BY_CODE: Final = {area.kelurahan: area for area in ALL} | {area.kelurahan.replace(".", ""): area for area in ALL}
_SEPARATORS: Final = re.compile(r"[\s.\-]+")
_BPS: Final = re.compile(r"31(?:01|7[1-5])[0-9]{2}0[0-9]{3}")

_UNKNOWN: Final = FieldError(
    "kelurahan",
    "R3.kelurahan",
    "Kode kelurahan tidak termasuk 267 kelurahan di DKI Jakarta (bentuk 31.71.01.1001).",
    "The code is none of Jakarta's 267 kelurahan (form 31.71.01.1001).",
)
_BPS_CODE: Final = FieldError(
    "kelurahan",
    "R3.bps_code",
    "Ini kode wilayah BPS, yang menomori kota secara berbeda; gunakan kode Kemendagri (bentuk 31.71.01.1001).",
    "This is a BPS area code, which numbers the cities differently; use the Kemendagri code (form 31.71.01.1001).",
)


def find(code: str) -> Area | None:
    """The kelurahan of a Kemendagri code, dotted or as ten digits ("3171011001"); None for anything else (R3)."""
    area = _BY_CODE.get(code)
    if area is None:
        return _BY_CODE.get(_SEPARATORS.sub("", code))
    return area


def check(code: str) -> tuple[Area | None, list[FieldError]]:
    """The kelurahan of a code, or why it can't be one: `R3.kelurahan`, or `R3.bps_code` for the other numbering."""
    area = find(code)
    if area is not None:
        return area, []
    return None, [_BPS_CODE if _BPS.fullmatch(_SEPARATORS.sub("", code)) else _UNKNOWN]
