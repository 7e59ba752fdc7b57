"""Rows of an import: each is right, or says what is wrong with it; none stops the others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration.imports.header import COLUMNS, Header
from services.registration.imports.rows import Row, row_of
from tests.unit.registration.sample_people import TODAY

SITI = {
    "nik": "3171014512909001", "name": "Siti Contoh", "birth_date": "1990-12-05", "gender": "female", "phone": "086112345678",
    "kelurahan": "31.71.01.1001", "category": "naik_kelas", "consent_version": "2",
    "consent_given_at": "2021-01-15T09:30:00+07:00", "registered_on": "2021-01-15", "verified_on": "2021-01-20",
    "channel": "event", "dinas": "Sosial", "business_name": "Warung Melati", "business_commodity": "kuliner",
    "business_kbli": "56102", "business_capital": "500000", "business_annual_sales": "54000000", "business_assets": "600000",
    "business_workers": "0",
}  # fmt: skip


def header_of(names: Iterable[str]) -> Header:
    """A header that calls the columns as we do."""
    return Header(",", tuple(names), {name: name for name in names})


def row(**changes: str) -> Row:
    """Siti's row with some cells changed."""
    given = {**SITI, **changes}
    return row_of(7, 9, header_of(given), list(given.values()), today=TODAY)


def problems(**changes: str) -> list[tuple[str, str]]:
    """Fields and codes of what is wrong."""
    found = row(**changes)
    assert (found.number, found.line, found.person, found.verified_on) == (7, 9, None, None)
    return [(error.field, error.code) for error in found.errors]


def test_a_good_row() -> None:
    """Everything that the old records know about Siti, with the day on which she was verified."""
    found = row()
    assert (found.number, found.errors, found.verified_on) == (7, (), date(2021, 1, 20))
    assert found.person is not None
    assert (found.person.registered_on, found.person.channel) == (date(2021, 1, 15), "event")
    assert {name: found.person.personal[name] for name in ("business_name", "capital", "workers")} == {
        "business_name": "Warung Melati",
        "capital": "500000",
        "workers": "0",
    }


def test_cells_without_anything_are_left_out() -> None:
    """A starter's row has the columns of a business and nothing in them; blanks around cells don't matter."""
    business = {name: " " for name in SITI if name.startswith("business_")}
    found = row(**business, category=" pemula ", name="  Siti Contoh ", channel="", registered_on="", verified_on="", dinas="")
    assert found.errors == ()
    assert found.person is not None
    assert (found.person.channel, found.person.registered_on, found.verified_on) == ("import", TODAY, None)
    assert found.person.personal["name"] == "Siti Contoh"


@pytest.mark.parametrize(
    ("cell", "value", "expected"),
    [
        ("nik", "31710145129", ("nik", "R1.length")),
        ("nik", "3.17101E+15", ("nik", "R1.number")),
        ("nik", "3,17101E+15", ("nik", "R1.number")),
        ("nik", "", ("nik", "missing")),
        ("name", "", ("name", "missing")),
        ("name", "Siti\nContoh", ("name", "not_printable")),
        ("name", "x" * 201, ("name", "string_too_long")),
        ("birth_date", "1990-02-30", ("birth_date", "date_parsing")),
        ("birth_date", "12/31/1990", ("birth_date", "date_parsing")),
        ("birth_date", "05/12/90", ("birth_date", "date_parsing")),
        ("birth_date", "0", ("birth_date", "date_parsing")),
        ("birth_date", "33212", ("birth_date", "date_parsing")),
        ("birth_date", "2021-03-03", ("birth_date", "birth_date")),
        ("gender", "perempuan", ("gender", "literal_error")),
        ("phone", "021", ("phone", "R4.phone")),
        ("email", "siti", ("email", "R4.email")),
        ("kelurahan", "3171010001", ("kelurahan", "R3.bps_code")),
        ("kelurahan", "Gambir", ("kelurahan", "R3.kelurahan")),
        ("category", "mikro", ("category", "literal_error")),
        ("dinas", "UMKM", ("dinas", "unknown_dinas")),
        ("consent_version", "", ("consent_version", "missing")),
        ("consent_given_at", "", ("consent_given_at", "missing")),
        ("consent_given_at", "1610700000", ("consent_given_at", "datetime_parsing")),
        ("consent_given_at", "9999-12-31T23:59:59Z", ("consent_given_at", "future")),
        ("registered_on", "2014-12-31", ("registered_on", "registered_on")),
        ("registered_on", "2021-03-03", ("registered_on", "registered_on")),
        ("verified_on", "20 Januari", ("verified_on", "verified_on")),
        ("verified_on", "31/12/2020", ("verified_on", "verified_on")),
        ("verified_on", "20210120", ("verified_on", "verified_on")),
        ("verified_on", "2021-03-03", ("verified_on", "verified_on")),
        ("verified_on", "2021-01-14", ("verified_on", "verified_on")),
        ("channel", "Kantor Dinas", ("channel", "string_pattern_mismatch")),
        ("business_commodity", "emas", ("business_commodity", "unknown_commodity")),
        ("business_kbli", "561", ("business_kbli", "R4.kbli")),
        ("business_kbli_version", "2015", ("business_kbli_version", "literal_error")),
        ("business_started_on", "0", ("business_started_on", "date_parsing")),
        ("business_capital", "", ("business_capital", "missing")),
        ("business_capital", "1,500,000", ("business_capital", "int_parsing")),
        ("business_capital", "1.50.000", ("business_capital", "int_parsing")),
        ("business_capital", "500,000", ("business_capital", "int_parsing")),
        ("business_capital", "500_000", ("business_capital", "int_parsing")),
        ("business_capital", "-1", ("business_capital", "greater_than_equal")),
        ("business_capital", "1" + "0" * 16, ("business_capital", "less_than_equal")),
        ("business_workers", "2.0", ("business_workers", "int_parsing")),
        ("business_workers", "dua", ("business_workers", "int_parsing")),
    ],
)
def test_one_bad_cell(cell: str, value: str, expected: tuple[str, str]) -> None:
    """Named by its column and a stable code. What could be read in two ways is read in none."""
    assert problems(**{cell: value}) == [expected]


def test_several_bad_cells_are_named_together() -> None:
    """Those of the form's shape and those of the rules, at once."""
    assert problems(gender="wanita", business_assets="x", nik="") == [
        ("nik", "missing"),
        ("gender", "literal_error"),
        ("business_assets", "int_parsing"),
    ]
    assert problems(nik="1", phone="1") == [("nik", "R1.length"), ("phone", "R4.phone")]
    assert problems(nik="1", gender="wanita", business_commodity="emas", business_workers="x") == [
        ("nik", "R1.length"),
        ("gender", "literal_error"),
        ("business_commodity", "unknown_commodity"),
        ("business_workers", "int_parsing"),
    ]
    assert problems(verified_on="31/12/2020", nik="3.17101E+15") == [("nik", "R1.number")]


def test_letters_that_are_not_utf_8() -> None:
    """Nur’aini's office saved "CSV", not "CSV UTF-8": her name isn't stored with a mark of ours in it, the cells are named."""
    spoilt = b"Nur\x92aini".decode("utf-8", "replace")
    assert problems(name=spoilt, address=spoilt, nik="") == [("name", "row.encoding"), ("address", "row.encoding")]


def test_cells_behind_the_last_column() -> None:
    """Empty ones are left by Excel and mean nothing; anything in them is a separator too many."""
    assert row_of(7, 9, header_of(SITI), [*SITI.values(), "", " "], today=TODAY).errors == ()
    assert row_of(7, 9, header_of(SITI), [*SITI.values(), "", "x"], today=TODAY).person is None


@pytest.mark.parametrize("record", [None, [], ["one"], [*SITI.values(), "one more"]])
def test_a_broken_row(record: list[str] | None) -> None:
    """Broken quotes, or a separator too few or too many: said in words that help, with the number of columns."""
    found = row_of(7, 9, header_of(SITI), record, today=TODAY)
    assert [(error.field, error.code) for error in found.errors] == [("row", "row.columns")]
    assert f"seharusnya {len(SITI)}" in found.errors[0].message_id


def test_a_refused_row_holds_no_value() -> None:
    """errors.csv goes round by mail: what was in the row is not in it."""
    for changes in ({"nik": "317101451290900"}, {"gender": "Rahasia"}, {"business_capital": "Rp12.345"}, {"name": "Ra\nhasia"}):
        assert not any(value in repr(row(**changes).errors) for value in ("317101451290900", "Rahasia", "12.345", "hasia"))


anything = st.text(max_size=20) | st.sampled_from(
    ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "-1", "1e999", "nan", "\x00", "\ud7ff", '"', "=1+1"]
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(COLUMNS), anything, min_size=1, max_size=6))
def test_whatever_is_in_the_cells(changes: dict[str, str]) -> None:
    """A row is a person or errors, whatever it holds; an exception would stop every import behind it."""
    found = row(**changes)
    assert (found.person is None) == bool(found.errors)
