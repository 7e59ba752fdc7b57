"""The rows of an import file, pure: text in, forms or findings out. One broken row never stops the others.

The file is UTF-8 CSV (comma or semicolon, as Excel writes it in Indonesia) with a header of the form's fields, flat.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from chassis.errors import DomainError, FieldError, Invalid, invalid
from chassis.forms.validation import from_validation
from services.registration.people import rules as domain
from services.registration.people.models import RegistrationForm
from services.registration.people.rules import Person

_BUSINESS = ("name", "commodity", "kbli", "kbli_version", "started_on", "capital", "annual_sales", "assets", "workers")
REQUIRED = ("nik", "name", "birth_date", "gender", "phone", "kelurahan", "category", "consent_version", "consent_given_at")
COLUMNS = (
    *REQUIRED, "email", "address", "dinas", *(f"business_{name}" for name in _BUSINESS),
    "registered_on", "verified_on", "channel",
)  # fmt: skip
_LINE_LIMIT = 1024 * 1024  # characters: a line that never ends must not fill the memory
# What pydantic would understand otherwise than the person meant it: 500.000 as five hundred.
_WHOLE = re.compile(r"-?[0-9]+")
_FIGURES = tuple(f"business_{name}" for name in ("capital", "annual_sales", "assets", "workers"))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `person` is what it says if it is right, else `errors` why not.

    Rows are counted by `number` from 1 without empty ones; `line` is where the row stands, the header's being 0.
    """

    number: int
    line: int
    person: Person | None
    verified_on: date | None
    errors: tuple[FieldError, ...]


def read_header(line: str) -> tuple[str, list[str]]:
    """The delimiter and the column names; raises Invalid naming every unknown, doubled and missing column.

    Columns without a name at the end don't count: Excel writes them where a cell was once touched.
    """
    delimiter = ";" if line.count(";") > line.count(",") else ","
    try:
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
        while names and not names[-1]:
            names.pop()
    except csv.Error:  # a line break of an old Macintosh, or a line beyond every measure
        text = ("Baris judul tidak dapat dibaca sebagai CSV.", "The header line can't be read as CSV.")
        raise invalid(FieldError("header", "header", *text)) from None
    problems = [
        *(_column(name, "unknown_column", "Kolom tidak dikenal", "Unknown column") for name in names if name not in COLUMNS),
        *(_column(name, "missing_column", "Kolom tidak ada", "Missing column") for name in REQUIRED if name not in names),
        *(
            _column(name, "double_column", "Kolom muncul dua kali", "Column appears twice")
            for name in sorted({name for name in names if names.count(name) > 1})
        ),
    ]
    if problems:
        raise invalid(*problems)
    return delimiter, names


def _column(name: str, code: str, text_id: str, text_en: str) -> FieldError:
    shown = name[:60] if name.isprintable() else "?"
    return FieldError(f"header.{shown}", code, f"{text_id}: {shown}.", f"{text_en}: {shown}.")


class Records:
    """Cuts text that arrives in pieces into records, one a line.

    No right cell holds a line break, so a quote that isn't closed on its line is a slip: it costs its own row, and not all
    the rows up to the next quote.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._line = -1  # the header's is 0
        self.delimiter = ","
        self.names: list[str] = []

    def feed(self, text: str, *, last: bool) -> Iterator[tuple[int, list[str] | None]]:
        """Line number and record of each line that is complete now; None for a broken one.

        The header, which comes first, and lines without anything in them aren't given, but counted. How the text is cut into
        pieces makes no difference.
        """
        text = self._rest + text
        end = len(text) if last or len(text) > _LINE_LIMIT else 0
        end = end if last else text.rfind("\n") + 1 or end
        text, self._rest = text[:end], text[end:]
        for line in io.StringIO(text, newline="\n"):
            self._line += 1
            if not self.names:
                self.delimiter, self.names = read_header(line.removeprefix("\ufeff").rstrip("\r\n"))
                continue
            record = self._record(line.rstrip("\r\n"))
            if record is None or any(cell and not cell.isspace() for cell in record):
                yield self._line, record

    def _record(self, line: str) -> list[str] | None:
        try:
            return next(csv.reader([line], delimiter=self.delimiter, strict=True), [])
        except csv.Error:
            return None


def row_of(number: int, line: int, names: Sequence[str], record: Sequence[str] | None, *, today: date) -> Row:
    """One record through the form and the field rules."""
    try:
        cells = _cells(names, record)
    except DomainError as refusal:
        return Row(number, line, None, None, refusal.errors)
    errors: list[FieldError] = []
    verified_on = person = None
    try:
        verified_on = _verified_on(cells.pop("verified_on", ""), today)
    except DomainError as refusal:
        errors += refusal.errors
    try:
        person = domain.check_form(_form(cells), today=today, officer=True, default_channel="import")
    except DomainError as refusal:
        errors += refusal.errors
    if person is not None and verified_on is not None and verified_on < person.registered_on:
        text = ("Tidak boleh sebelum tanggal pendaftaran.", "Can't be before the registration.")
        errors.append(FieldError("verified_on", "verified_on", *text))
    return Row(number, line, None, None, tuple(errors)) if errors else Row(number, line, person, verified_on, ())


def _cells(names: Sequence[str], record: Sequence[str] | None) -> dict[str, str]:
    if record is None or len(record) < len(names) or any(cell.strip() for cell in record[len(names) :]):
        raise _broken(record, len(names))
    cells = {name: value.strip() for name, value in zip(names, record, strict=False)}
    # What wasn't UTF-8: Excel's plain "CSV" keeps the header readable and spoils every ’ and é.
    spoilt = [name for name, value in cells.items() if "\ufffd" in value]
    if spoilt:
        text = ("Huruf tidak terbaca. Simpan sebagai CSV UTF-8.", "Letters can't be read. Save the file as CSV UTF-8.")
        raise invalid(*(FieldError(name, "row.encoding", *text) for name in spoilt))
    return cells


def _form(cells: Mapping[str, str]) -> RegistrationForm:
    given: dict[str, Any] = {name: value for name, value in cells.items() if value}
    for name in _FIGURES:
        if name in given and not _WHOLE.fullmatch(given[name]):
            given[name] = "?"  # nothing to pydantic either: refused with the other wrong fields
    consent = {name: given.pop(f"consent_{name}") for name in ("version", "given_at") if f"consent_{name}" in given}
    business = {name: given.pop(f"business_{name}") for name in _BUSINESS if f"business_{name}" in given}
    if business:
        given["business"] = business
    try:
        return RegistrationForm.model_validate_strings({**given, "consent": consent})
    except ValidationError as error:
        raise from_validation(list(error.errors(include_url=False, include_input=False))) from None


def _verified_on(text: str, today: date) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else date.max
    except ValueError:
        day = date.max
    if day > today:
        raise invalid(
            FieldError(
                "verified_on", "verified_on", "Bukan tanggal yang benar atau di masa depan.", "Not a date, or in the future."
            )
        )
    return day


def _broken(record: Sequence[str] | None, expected: int) -> Invalid:
    found = "?" if record is None else str(len(record))
    return invalid(
        FieldError(
            "row",
            "row.columns",
            f"Baris rusak: {found} kolom, seharusnya {expected}. Periksa tanda kutip, pemisah, dan ganti baris di dalam sel.",
            f"Broken row: {found} columns instead of {expected}. Check quotes, separators and line breaks within cells.",
        )
    )
