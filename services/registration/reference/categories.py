"""R5: the two categories in which a person enters the programme. Data, because a regulation may set them otherwise."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

PEMULA: Final = "pemula"
NAIK_KELAS: Final = "naik_kelas"


class Category(NamedTuple):
    """A category with its names and the source of its definition."""

    code: str
    name_id: str
    name_en: str
    source: str


CATEGORIES: Final[Mapping[str, Category]] = MappingProxyType(
    {
        PEMULA: Category(PEMULA, "Pemula", "Starter: no operating business at registration", "R5"),
        NAIK_KELAS: Category(NAIK_KELAS, "Naik kelas", "Already trading at registration", "R5"),
    }
)


def find(code: str) -> Category | None:
    """The category of a code ("pemula", "naik_kelas"), or None."""
    return CATEGORIES.get(code)
