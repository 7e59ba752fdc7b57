"""The columns of an import file, pure: where its header is, how it separates cells, and what the file calls each column.

Before the header there may be what offices and Excel put there: blank rows, titles, and the line `sep=;`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.errors import invalid
from services.registration.imports import refusals

BUSINESS: Final = ("name", "commodity", "kbli", "kbli_version", "started_on", "capital", "annual_sales", "assets", "workers")
REQUIRED: Final = (
    "nik", "name", "birth_date", "gender", "phone", "kelurahan", "category", "consent_version", "consent_given_at",
)  # fmt: skip
COLUMNS: Final = (
    *REQUIRED, "email", "address", "dinas", *(f"business_{name}" for name in BUSINESS),
    "registered_on", "verified_on", "channel",
)  # fmt: skip
MIGRATORS: Final = "verified_on"  # the column that needs a right of its own
_WORKBOOKS: Final = (b"PK", b"\xd0\xcf\x11\xe0")  # first bytes of .xlsx and .xls
_SEPARATOR: Final = re.compile(r'"?sep=([,;|\t])"?', re.IGNORECASE)
_TITLES: Final = 10  # rows with something in them that may stand before the header


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file: our names in its order, and its own name of each."""

    delimiter: str
    names: tuple[str, ...]
    own_names: Mapping[str, str]


class HeaderSearch:
    """Looks for the header, line by line. `skipped` counts lines that Excel doesn't show."""

    def __init__(self) -> None:
        self.skipped = 0
        self._separator: str | None = None
        self._seen = 0
        self._within = False  # a cell with a line break: Excel shows both lines as one row

    def feed(self, line: str) -> Header | None:
        """The header, or None for a line before it; raises Invalid for a wrong header, and when there is none."""
        separator = _SEPARATOR.fullmatch(line.strip(" ")) if self._seen == 0 else None
        if separator is not None:
            self._separator, self.skipped = separator[1], 1
            return None
        self.skipped += self._within
        self._within ^= line.count('"') % 2 == 1
        if not line.strip():
            return None
        delimiter = self._separator or max(",;\t", key=line.count)
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            raise refusals.header_not_csv() from None
        if not any(cells):
            return None
        names = [_canonical(cell) for cell in cells]
        if _is_header(names):
            return _header(delimiter, names, cells)
        self._seen += 1
        if self._seen > _TITLES:
            raise refusals.header_missing()
        return None


def _canonical(cell: str) -> str:
    return re.sub(r"[\s.\-]{1,3}", "_", cell.lower())


def _is_header(names: list[str]) -> bool:
    """Whether a row names columns. A person who is called Nik, or a title `Dinas; Sosial`, has one such word by chance."""
    known = sum(name in COLUMNS for name in names)
    mostly = 1 < known > sum(map(bool, names)) / 2
    return mostly or ("nik" in names and not any(map(str.isdigit, names)))


def _header(delimiter: str, names: list[str], cells: list[str]) -> Header:
    """Raises Invalid naming every unknown, doubled and missing column.

    Columns without a name at the end don't count: Excel writes them where a cell was once touched.
    """
    while names and not names[-1]:
        names.pop()
    problems = [
        *(refusals.unknown_column(place, cell) for place, (name, cell) in enumerate(zip(names, cells, strict=False), 1)
          if name not in COLUMNS),
        *(refusals.missing_column(name) for name in REQUIRED if name not in names),
        *(refusals.double_column(name) for name in COLUMNS if names.count(name) > 1),
    ]  # fmt: skip
    if problems:
        raise invalid(*problems)
    return Header(delimiter, tuple(names), dict(zip(names, cells, strict=False)))


def check_start(start: bytes, *, last: bool) -> Header | None:
    """The header, as soon as it is there, in the first bytes of a file; raises Invalid for what can't be an import.

    It may be a workbook, another encoding than UTF-8, an empty file, or a file without a header or with a wrong one. None: more
    is needed; never when this is the `last` that will be looked at.
    """
    if start.startswith(_WORKBOOKS):
        raise refusals.file_is_workbook()
    search = HeaderSearch()
    lines = start.split(b"\n")
    for number, line in enumerate(lines):
        if number == len(lines) - 1 and not last:
            return None
        try:
            text = line.decode("utf-8-sig" if number == 0 else "utf-8")
        except UnicodeDecodeError:
            raise refusals.file_not_utf8() from None
        header = search.feed(text.rstrip("\r"))
        if header is not None:
            return header
    raise refusals.header_missing() if start.strip() else refusals.file_empty()
