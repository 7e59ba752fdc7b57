"""The rows of an import file, pure: text in, checked people or field errors out. One broken row never stops the others.

The file is UTF-8 CSV with a header (header.py) and cells as spreadsheets write them (cells.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from chassis.errors import DomainError, FieldError, invalid
from chassis.forms.partial import right_part
from chassis.forms.text import clean_code
from chassis.forms.validation import findings
from services.registration.fields import nik
from services.registration.imports import refusals
from services.registration.imports.cells import bare, understood
from services.registration.imports.header import BUSINESS, Header, HeaderSearch
from services.registration.people.form_check import Person, check_form, form_problems
from services.registration.people.models import RegistrationForm

_LINE_LIMIT = 1024 * 1024  # characters: a line that never ends must not fill the memory


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the checked person if the row is right, otherwise the errors that say why it isn't.

    Attributes:
        number: Place among the rows that aren't empty, from 1.
        line: Row of the file as Excel counts it, from 1.
        verified_on: Day of verification, for people of older records who were verified already.
        errors: Named by the file's own columns.
        warnings: Of a row that is right, likewise.
    """

    number: int
    line: int
    person: Person | None
    verified_on: date | None
    errors: tuple[FieldError, ...]
    warnings: tuple[FieldError, ...] = ()


class Records:
    """Cuts text that arrives in pieces into records, one for each line.

    A cell of this form never holds a line break. So a quote that isn't closed on its line breaks that row only, and not all
    the rows up to the next quote.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._line = 0
        self._search = HeaderSearch()
        self.header: Header | None = None

    def feed(self, text: str, *, last: bool) -> Iterator[tuple[int, list[str] | None]]:
        """The line number and the record of each line that is complete now; the record is None for a broken line.

        The header, what stands before it, and empty lines are counted but not returned. Where the text is cut into pieces
        makes no difference. Raises Invalid for a wrong header.
        """
        text = self._rest + text
        end = len(text) if last or len(text) > _LINE_LIMIT else 0
        end = end if last else text.rfind("\n") + 1 or end
        text, self._rest = text[:end], text[end:]
        for line in io.StringIO(text, newline="\n"):
            self._line += 1
            if self.header is None:
                self.header = self._search.feed(line.removeprefix("\ufeff").rstrip("\r\n"))
                continue
            record = self._record(line.rstrip("\r\n"), self.header.delimiter)
            if record is None or any(cell and not cell.isspace() for cell in record):
                yield self._line - self._search.skipped, record

    def _record(self, line: str, delimiter: str) -> list[str] | None:
        try:
            return next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            return None


def row_of(number: int, line: int, header: Header, record: Sequence[str] | None, *, today: date) -> Row:
    """One record as a form, checked by the field rules; `today` is the day in Jakarta. Never raises for a wrong row."""
    try:
        cells, errors = understood(_cells(header.names, record))
    except DomainError as refusal:
        return Row(number, line, None, None, _in_columns(refusal.errors, header))
    verified_on = date.fromisoformat(cells.pop("verified_on")) if cells.get("verified_on") else None
    cells.pop("verified_on", None)
    problems = list(errors.values())
    person: Person | None = None
    try:
        person = _person(cells, today=today)
    except DomainError as refusal:
        # A cell that couldn't be understood isn't missing.
        problems += [error for error in refusal.errors if _column_of(error.field) not in errors]
    if verified_on is not None and verified_on > today:
        problems.append(refusals.VERIFIED_IN_FUTURE)
    elif verified_on is not None and person is not None and verified_on < person.registered_on:
        problems.append(refusals.VERIFIED_BEFORE_REGISTERED)
    if problems or person is None:
        return Row(number, line, None, None, _in_columns(problems, header))
    return Row(number, line, person, verified_on, (), _in_columns(person.warnings, header))


def nik_of(header: Header, record: Sequence[str]) -> str:
    """The NIK of a record, as it is compared with others."""
    place = header.names.index("nik")
    return nik.normalise(clean_code(bare(record[place]))) if place < len(record) else ""


def _in_columns(errors: Sequence[FieldError], header: Header) -> tuple[FieldError, ...]:
    """The errors by the columns of the file, in its order and its own words."""
    ordered = sorted(errors, key=lambda error: _place_of(_column_of(error.field), header))
    return tuple(_in_column(error, header.own_names.get(_column_of(error.field))) for error in ordered)


def _place_of(column: str, header: Header) -> int:
    return header.names.index(column) if column in header.names else len(header.names)


def _in_column(error: FieldError, column: str | None) -> FieldError:
    if column is None:
        return error
    texts = (text.replace(f"{error.field}: ", f"{column}: ", 1) for text in (error.message_id, error.message_en))
    return FieldError(column, error.code, *texts)


def _column_of(field: str) -> str:
    """`business.capital` of the form is the column `business_capital`."""
    return field.replace(".", "_")


def _cells(names: Sequence[str], record: Sequence[str] | None) -> dict[str, str]:
    if record is None or len(record) < len(names) or any(cell.strip() for cell in record[len(names) :]):
        raise refusals.row_broken(None if record is None else len(record), len(names))
    cells = {name: value.strip() for name, value in zip(names, record, strict=False)}
    # Excel's plain "CSV" isn't UTF-8: its header can be read, but every ’ and é has become U+FFFD.
    spoilt = [name for name, value in cells.items() if "\ufffd" in value]
    if spoilt:
        raise refusals.cells_not_utf8(spoilt)
    return cells


def _person(cells: Mapping[str, str], *, today: date) -> Person:
    """Raises Invalid naming every failing cell, whether its form or a rule is broken."""
    given: dict[str, Any] = {name: value for name, value in cells.items() if value}
    consent = {name: given.pop(f"consent_{name}") for name in ("version", "given_at") if f"consent_{name}" in given}
    business = {name: given.pop(f"business_{name}") for name in BUSINESS if f"business_{name}" in given}
    form = {**given, "consent": consent} | ({"business": business} if business else {})
    try:
        checked = RegistrationForm.model_validate_strings(form)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        part = right_part(RegistrationForm, form, found, strings=True)
        rules = form_problems(part, today=today, officer=True) if part is not None else []
        raise invalid(*findings(found), *rules) from None
    return check_form(checked, today=today, officer=True, default_channel="import")
