"""The seven offices (dinas) of Jakarta's government that answer for people and trainings, by their short names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Dinas(NamedTuple):
    """An office: `code` is what API, events and figures carry; `name` is the official Indonesian name."""

    code: str
    name: str


DINAS: Final[Mapping[str, Dinas]] = MappingProxyType(
    {
        dinas.code: dinas
        for dinas in (
            Dinas("PPKUKM", "Dinas Perindustrian, Perdagangan, Koperasi, Usaha Kecil dan Menengah"),
            Dinas("Parekraf", "Dinas Pariwisata dan Ekonomi Kreatif"),
            Dinas("PPAPP", "Dinas Pemberdayaan, Perlindungan Anak dan Pengendalian Penduduk"),
            Dinas("Nakertrans", "Dinas Tenaga Kerja, Transmigrasi dan Energi"),
            Dinas("Sosial", "Dinas Sosial"),
            Dinas("KPKP", "Dinas Ketahanan Pangan, Kelautan dan Pertanian"),
            Dinas("Pendidikan", "Dinas Pendidikan"),
        )
    }
)
_BY_FOLDED: Final = {code.casefold(): dinas for code, dinas in DINAS.items()}


def find(code: str) -> Dinas | None:
    """The office of a code, whatever its case and surrounding blanks ("ppkukm" is PPKUKM), or None."""
    return DINAS.get(code) or _BY_FOLDED.get(code.strip().casefold())
