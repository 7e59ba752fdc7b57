"""The rows of an import file, pure: text in, forms or findings out. One broken row never stops the others.

The file is UTF-8 CSV (comma or semicolon, as Excel writes it in Indonesia) with a header of the form's fields, flat.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from chassis.errors import DomainError, FieldError, Invalid, invalid
from chassis.problems import from_validation
from services.registration import domain
from services.registration.domain import Person
from services.registration.form import RegistrationForm

_BUSINESS = ("name", "commodity", "kbli", "kbli_version", "started_on", "capital", "annual_sales", "assets", "workers")
REQUIRED = ("nik", "name", "birth_date", "gender", "phone", "kelurahan", "category", "consent_version", "consent_given_at")
COLUMNS = (
    *REQUIRED, "email", "address", "dinas", *(f"business_{name}" for name in _BUSINESS),
    "registered_on", "verified_on", "channel",
)  # fmt: skip
_RECORD_LIMIT = 64 * 1024  # characters: a quote that never closes must not swallow the file


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `person` is what it says if it is right, else `errors` why not. Rows are numbered from 1 after the header."""

    number: int
    person: Person | None
    verified_on: date | None
    errors: tuple[FieldError, ...]


def read_header(line: str) -> tuple[str, list[str]]:
    """The delimiter and the column names; raises Invalid naming every unknown, doubled and missing column."""
    delimiter = ";" if line.count(";") > line.count(",") else ","
    names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
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
    """Cuts text that arrives in pieces into CSV records: a quoted field may hold line breaks and lie across pieces."""

    def __init__(self) -> None:
        self._rest = ""
        self.delimiter = ","
        self.names: list[str] = []

    def feed(self, text: str, *, last: bool) -> Iterator[list[str] | None]:
        """The records that are complete now (the header first fixes the names and isn't given); None for a broken one."""
        self._rest += text
        end = len(self._rest) if last else self._boundary()
        complete, self._rest = self._rest[:end], self._rest[end:]
        if not self.names:
            if not complete:
                return
            line, _, complete = complete.partition("\n")
            self.delimiter, self.names = read_header(line.removeprefix("\ufeff").rstrip("\r"))
        reader = csv.reader(io.StringIO(complete, newline=""), delimiter=self.delimiter, strict=True)
        while True:
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield None
                continue
            if record:
                yield record

    def _boundary(self) -> int:
        """Where the last complete record ends: a line break outside quotes."""
        end = self._rest.rfind("\n") + 1
        if end and self._rest.count('"', 0, end) % 2 == 0:
            return end
        if len(self._rest) > _RECORD_LIMIT * 16:
            return end or len(self._rest)  # a quote that never closes: let the reader report it
        return 0


def row_of(number: int, names: Sequence[str], record: Sequence[str] | None, *, today: date) -> Row:
    """One record through the form and the field rules."""
    try:
        if record is None or len(record) != len(names):
            raise _broken(record, len(names))
        cells = {name: value.strip() for name, value in zip(names, record, strict=True)}
        verified_on = _verified_on(cells.pop("verified_on", ""), today)
        person = domain.check_form(_form(cells), today=today, staff=True, default_channel="import")
        if verified_on is not None and verified_on < person.registered_on:
            text = ("Tidak boleh sebelum tanggal pendaftaran.", "Can't be before the registration.")
            raise invalid(FieldError("verified_on", "verified_on", *text))
    except DomainError as refusal:
        return Row(number, None, None, refusal.errors)
    return Row(number, person, verified_on, ())


def _form(cells: Mapping[str, str]) -> RegistrationForm:
    given: dict[str, Any] = {name: value for name, value in cells.items() if value}
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
        day = date.fromisoformat(text)
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
            f"Baris rusak: {found} kolom, seharusnya {expected}. Periksa tanda kutip dan pemisah.",
            f"Broken row: {found} columns instead of {expected}. Check quotes and separators.",
        )
    )
