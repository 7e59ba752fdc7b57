"""The province and kota/kabupaten codes that a NIK may begin with (R1). Facts only; the rule is in `nik`.

Source: Kemendagri codes of 2025 (38 provinces, 514 kota/kabupaten), and beside them the codes under which people were
registered before Kalimantan Utara (2012) and the four new Papuan provinces (2022) were split off: a NIK is lifelong and
keeps them. The splits retired no province code: 64, 91 and 92 still name the provinces that remained.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

# Province code -> (name, its kota/kabupaten codes as ranges).
_TODAY: Final[Mapping[str, tuple[str, str]]] = {
    "11": ("Aceh", "01-18 71-75"),
    "12": ("Sumatera Utara", "01-25 71-78"),
    "13": ("Sumatera Barat", "01-12 71-77"),
    "14": ("Riau", "01-10 71-72"),
    "15": ("Jambi", "01-09 71-72"),
    "16": ("Sumatera Selatan", "01-13 71-74"),
    "17": ("Bengkulu", "01-09 71"),
    "18": ("Lampung", "01-13 71-72"),
    "19": ("Kepulauan Bangka Belitung", "01-06 71"),
    "21": ("Kepulauan Riau", "01-05 71-72"),
    "31": ("Daerah Khusus Ibukota Jakarta", "01 71-75"),
    "32": ("Jawa Barat", "01-18 71-79"),
    "33": ("Jawa Tengah", "01-29 71-76"),
    "34": ("Daerah Istimewa Yogyakarta", "01-04 71"),
    "35": ("Jawa Timur", "01-29 71-79"),
    "36": ("Banten", "01-04 71-74"),
    "51": ("Bali", "01-08 71"),
    "52": ("Nusa Tenggara Barat", "01-08 71-72"),
    "53": ("Nusa Tenggara Timur", "01-21 71"),
    "61": ("Kalimantan Barat", "01-12 71-72"),
    "62": ("Kalimantan Tengah", "01-13 71"),
    "63": ("Kalimantan Selatan", "01-11 71-72"),
    "64": ("Kalimantan Timur", "01-03 07-09 11 71-72 74"),
    "65": ("Kalimantan Utara", "01-04 71"),
    "71": ("Sulawesi Utara", "01-11 71-74"),
    "72": ("Sulawesi Tengah", "01-12 71"),
    "73": ("Sulawesi Selatan", "01-18 22 24 26 71-73"),
    "74": ("Sulawesi Tenggara", "01-15 71-72"),
    "75": ("Gorontalo", "01-05 71"),
    "76": ("Sulawesi Barat", "01-06"),
    "81": ("Maluku", "01-09 71-72"),
    "82": ("Maluku Utara", "01-08 71-72"),
    "91": ("Papua", "03 05-06 10-11 15 19-20 71"),
    "92": ("Papua Barat", "02-03 06-08 11-12"),
    "93": ("Papua Selatan", "01-04"),
    "94": ("Papua Tengah", "01-08"),
    "95": ("Papua Pegunungan", "01-08"),
    "96": ("Papua Barat Daya", "01-05 71"),
}
# Retired by a split, still printed on identity cards.
_BEFORE_SPLITS: Final[Mapping[str, str]] = {
    "64": "04-06 10 73",  # Bulungan, Nunukan, Malinau, Tana Tidung, Tarakan: now 65
    "91": "01-28 71",  # the whole of Papua: now 91, 93, 94 and 95
    "92": "01-12 71",  # the whole of Papua Barat: now 92 and 96
}


def _expand(province: str, ranges: str) -> Iterator[str]:
    for part in ranges.split():
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{province}{number:02d}"


PROVINCES: Final[Mapping[str, str]] = MappingProxyType({code: name for code, (name, _) in _TODAY.items()})
DISTRICTS_TODAY: Final = frozenset(code for p, (_, ranges) in _TODAY.items() for code in _expand(p, ranges))
DISTRICTS: Final = DISTRICTS_TODAY.union(*(_expand(p, ranges) for p, ranges in _BEFORE_SPLITS.items()))
