"""The rows of an import file, pure: text in, checked people or field errors out. One broken row never stops the others.

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

from chassis.errors import DomainError, FieldError, invalid
from chassis.forms.validation import from_validation
from services.registration.imports import refusals
from services.registration.people.form_check import Person, check_form
from services.registration.people.models import RegistrationForm

_BUSINESS = ("name", "commodity", "kbli", "kbli_version", "started_on", "capital", "annual_sales", "assets", "workers")
REQUIRED = ("nik", "name", "birth_date", "gender", "phone", "kelurahan", "category", "consent_version", "consent_given_at")
COLUMNS = (
    *REQUIRED, "email", "address", "dinas", *(f"business_{name}" for name in _BUSINESS),
    "registered_on", "verified_on", "channel",
)  # fmt: skip
_LINE_LIMIT = 1024 * 1024  # characters: a line that never ends must not fill the memory
_WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")  # first bytes of .xlsx and .xls
# Whole numbers only: pydantic would read 500.000, which means half a million in Indonesia, as five hundred.
_WHOLE = re.compile(r"-?[0-9]+")
_FIGURES = tuple(f"business_{name}" for name in ("capital", "annual_sales", "assets", "workers"))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the checked person if the row is right, otherwise the errors that say why it isn't.

    Attributes:
        number: Place among the rows that aren't empty, from 1.
        line: Line of the file; the header is line 0.
        verified_on: Day of verification, for people of older records who were verified already.
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
    except csv.Error:
        raise refusals.header_not_csv() from None
    problems = [
        *(refusals.unknown_column(name) for name in names if name not in COLUMNS),
        *(refusals.missing_column(name) for name in REQUIRED if name not in names),
        *(refusals.double_column(name) for name in sorted({name for name in names if names.count(name) > 1})),
    ]
    if problems:
        raise invalid(*problems)
    return delimiter, names


def check_start(start: bytes) -> None:
    """Refuse what can't be an import as soon as its first line is there; raises Invalid.

    It may be a workbook, another encoding than UTF-8, an empty file, or a file with a wrong header.
    """
    if start.startswith(_WORKBOOKS):
        raise refusals.file_is_workbook()
    try:
        header = start.split(b"\n", 1)[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refusals.file_not_utf8() from None
    if not header.strip():
        raise refusals.file_empty()
    read_header(header.rstrip("\r"))


class Records:
    """Cuts text that arrives in pieces into records, one for each line.

    A cell of this form never holds a line break. So a quote that isn't closed on its line breaks that row only, and not all
    the rows up to the next quote.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._line = -1  # the header's is 0
        self.delimiter = ","
        self.names: list[str] = []

    def feed(self, text: str, *, last: bool) -> Iterator[tuple[int, list[str] | None]]:
        """The line number and the record of each line that is complete now; the record is None for a broken line.

        The header, which is the first line, and empty lines are counted but not returned. Where the text is cut into pieces
        makes no difference. Raises Invalid for a wrong header.
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
    """One record as a form, checked by the field rules; `today` is the day in Jakarta. Never raises for a wrong row."""
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
        person = check_form(_form(cells), today=today, officer=True, default_channel="import")
    except DomainError as refusal:
        errors += refusal.errors
    if person is not None and verified_on is not None and verified_on < person.registered_on:
        errors.append(refusals.VERIFIED_BEFORE_REGISTERED)
    return Row(number, line, None, None, tuple(errors)) if errors else Row(number, line, person, verified_on, ())


def _cells(names: Sequence[str], record: Sequence[str] | None) -> dict[str, str]:
    if record is None or len(record) < len(names) or any(cell.strip() for cell in record[len(names) :]):
        raise refusals.row_broken(None if record is None else len(record), len(names))
    cells = {name: value.strip() for name, value in zip(names, record, strict=False)}
    # Excel's plain "CSV" isn't UTF-8: its header can be read, but every ’ and é has become U+FFFD.
    spoilt = [name for name, value in cells.items() if "\ufffd" in value]
    if spoilt:
        raise refusals.cells_not_utf8(spoilt)
    return cells


def _form(cells: Mapping[str, str]) -> RegistrationForm:
    given: dict[str, Any] = {name: value for name, value in cells.items() if value}
    for name in _FIGURES:
        if name in given and not _WHOLE.fullmatch(given[name]):
            given[name] = "?"  # pydantic refuses it together with the other wrong fields
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
        raise refusals.verified_on_not_a_date()
    return day
