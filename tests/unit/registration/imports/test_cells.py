"""Cells as officers' spreadsheets hold them: what has one meaning is read, and anything else is refused with one sentence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.imports.cells import AMOUNTS, DATES, bare, understood

days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
amounts = st.integers(0, 10**15)


def read(name: str, text: str) -> str | None:
    """What a cell means, or None where it is refused."""
    cells, errors = understood({name: text})
    assert (name in cells) != (name in errors)
    return cells.get(name)


def indonesian(amount: int) -> str:
    """Dots between the thousands."""
    return f"{amount:,}".replace(",", ".")


@given(st.sampled_from(DATES), days, st.sampled_from("/-."), st.booleans(), st.sampled_from(["", " 0:00", " 00:00:00", " 00.00"]))
def test_every_day_reads_back(name: str, day: date, mark: str, padded: bool, midnight: str) -> None:
    """Day, month, year, as everywhere in Indonesia; with the noughts or without, and with the midnight that Excel appends."""
    parts = (f"{day.day:02d}", f"{day.month:02d}") if padded else (str(day.day), str(day.month))
    assert read(name, mark.join([*parts, str(day.year)]) + midnight) == day.isoformat()
    assert read(name, f"{day.isoformat()}{midnight}") == day.isoformat()


@given(st.integers(0, 40), st.integers(0, 20), st.integers(1900, 2099))
def test_only_days_of_the_calendar_are_days(day: int, month: int, year: int) -> None:
    """31 February and 15/15/2020 are no days, and no other day is made of them: month and day are never exchanged."""
    try:
        expected = date(year, month, day).isoformat()
    except ValueError:
        expected = None
    assert read("birth_date", f"{day:02d}/{month:02d}/{year}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "12/15/2020", "15/12/20", "15-12-20", "20/12/15", "2020/12/15", "15122020", "20201215", "15 12 2020", "44180", "44180,0",
        "15-Des-2020", "15 Desember 2020", "Dec 15, 2020", "29/02/2021", "31/04/2020", "0/12/2020", "15/0/2020", "2020-13-01",
        "15/12/2020 09:30", "15/12/2020 12:00:00 AM", "15//12/2020", "15/12/", "/12/2020", "15/12/2020/", "-15/12/2020",
        "15/12/02020", "########", "#VALUE!", "=TODAY()", "15/12/2020 15/12/2020", "00/00/0000", "00/01/1900",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["birth_date", "verified_on"])
def test_what_is_no_day(name: str, text: str) -> None:
    """Two digits of a year, a month before its day, Excel's own count of days: one sentence says how to write it."""
    cells, errors = understood({name: text})
    assert (name in cells, list(errors)) == (False, [name])
    assert "15/12/2020" in errors[name].message_id
    assert "15/12/2020" in errors[name].message_en


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15/12/2020", "2020-12-15T00:00:00+07:00"),
        ("15-12-2020 9:05", "2020-12-15T09:05:00+07:00"),
        ("5/1/2021 09.30", "2021-01-05T09:30:00+07:00"),
        ("05/01/2021 23:59:59", "2021-01-05T23:59:59+07:00"),
        ("2021-01-05 09:30", "2021-01-05T09:30:00+07:00"),
        ("2021-01-05T09:30:15", "2021-01-05T09:30:15+07:00"),
        ("2021-01-05T09:30:00+09:00", "2021-01-05T09:30:00+09:00"),
        ("2021-01-05T02:30:00Z", "2021-01-05T02:30:00Z"),
        ("\u200e5/1/2021\u00a009:30", "2021-01-05T09:30:00+07:00"),
        ("05/01/2021 24:00", None),
        ("05/01/2021 09:60", None),
        ("05/01/2021 9", None),
        ("05/13/2021 09:30", None),
        ("09:30", None),
        ("05/01/21 09:30", None),
        ("44201,39583", None),
        ("05/01/2021 09:30 PM", None),
    ],
)
def test_moments_of_consent(text: str, expected: str | None) -> None:
    """Without an offset it is Jakarta's time; what could be another is refused."""
    assert read("consent_given_at", text) == expected


@given(
    st.sampled_from(AMOUNTS),
    amounts,
    st.sampled_from(["", "Rp", "Rp ", "Rp. ", "rp", "RP\u00a0", "Rp   "]),
    st.sampled_from(["", ",00", ",-"]),
    st.booleans(),
)
def test_every_amount_reads_back(name: str, amount: int, sign: str, cents: str, dotted: bool) -> None:
    """Whole rupiah as Indonesia writes them, with dots or without, with Rp or without, with cents or without."""
    text = sign + (indonesian(amount) if dotted else str(amount)) + cents
    assert read(name, text) == str(amount)
    assert read(name, f" {text} ") == str(amount)


@pytest.mark.parametrize(
    "text",
    [
        "1,5", "1.5", "1.5.0", "1.50", "1,50", "0,5", "1.5000", "1..500", "1.500.", ".500", "1.500.00", "1500.000.00",
        "15.00.000", "1,500",
        "1,500,000", "1.500,000", "1,500.00", "1500000.00", "1500000,5", "1.500.000,50", "1.500.000,000", "1 500 000",
        "0.500", "00.500", "000.000", "1,5 juta", "1jt", "Rp", "Rp -", "USD 1500", "1500 Rp", "1,5E+06", "1.5E+6", "1e6",
        "1/2", "satu juta", "1.500.000-", "--5", "+5", "0x10", "1_000", "(1.500)", "#REF!", "########", "=A1*2", "½", "²",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["business_capital", "business_workers"])
def test_what_is_no_amount(name: str, text: str) -> None:
    """Decimals, commas between thousands, thousands that aren't three digits: nothing is guessed."""
    cells, errors = understood({name: text})
    if name in cells:  # the form's own rule for whole numbers has the last word
        assert not cells[name].isascii()
    else:
        assert (errors[name].code, "1.500.000" in errors[name].message_id) == ("int_parsing", True)


@pytest.mark.parametrize(("text", "expected"), [("12", "12"), ("1.200", "1200"), ("0", "0"), ("2,00", None), ("-3", None)])
def test_workers_are_counted(text: str, expected: str | None) -> None:
    """People have no cents, and there are never fewer than none."""
    assert read("business_workers", text) == expected


NIKS = ["3171014512909001", "'3171014512909001", "\u20193171014512909001", '="3171014512909001"', '=" 3171014512909001 "']


@pytest.mark.parametrize("text", NIKS)
def test_what_keeps_a_nik_a_text(text: str) -> None:
    """An apostrophe or a formula is what Excel needs to leave the last digit alone: it is no part of the number."""
    assert bare(f" {text} ") == "3171014512909001"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'081234567890", "081234567890"),
        ("'+6281234567890", "+6281234567890"),
        ("'(021) 3456789", "(021) 3456789"),
        ("'\u202a081234567890\u202c", "\u202a081234567890\u202c"),
        ('="0812"', "0812"),
        ("Nu'man", "Nu'man"),
        ("'Warung Melati'", "'Warung Melati'"),
        ("\u2018Warung Melati\u2019", "\u2018Warung Melati\u2019"),
        ("Jum'at'", "Jum'at'"),
        ("'", "'"),
        ("''", "''"),
        ('="', '="'),
        ('=""', ""),
        ("-", ""),
        ("--", ""),
        ("N/A", ""),
        ("#N/A", ""),
        ("", ""),
        ("Jalan Melati 7-9", "Jalan Melati 7-9"),
    ],
)
def test_what_else_stands_around_a_cell(text: str, expected: str) -> None:
    """Only what Excel needs is taken away: names keep their apostrophes, and a number keeps its plus."""
    assert bare(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "3,17101E+15", "3.17101E+15", "3,17E+15", "3E+15", "3,171014512909E+15", "3.17101e+15", "3,17101E15", " 3,17101E+15 ",
        "'3,17101E+15", '="3,17101E+15"', "\u202a3,17101E+15\u202c", "3,17101E+15\u200b", "\ufeff3,17101E+15",
    ],
)  # fmt: skip
def test_a_nik_that_excel_made_a_number(text: str) -> None:
    """One clear sentence: its digits are gone, and the officer must format the column as text."""
    cells, errors = understood({"nik": text, "name": "Siti"})
    assert (dict(cells), [error.code for error in errors.values()]) == ({"name": "Siti"}, ["R1.number"])
    assert "Teks" in errors["nik"].message_id
    assert "Text" in errors["nik"].message_en
    assert "3,17" not in repr(errors)


@pytest.mark.parametrize("name", [*DATES, "consent_given_at", *AMOUNTS, "business_workers"])
@pytest.mark.parametrize("text", ["\u200b", "\u2800", "\u3164", "\u2060", "\ufeff", "\u202e\u200e", "'\u200b", "-", "\u00a0"])
def test_cells_that_only_look_empty(name: str, text: str) -> None:
    """A blank of a web page in a column of dates is nothing: as an empty cell, and not an error of ours."""
    cells, errors = understood({name: text})
    if text == "'\u200b":  # an apostrophe is something
        assert list(errors) == [name]
    else:
        assert (dict(cells), errors) == ({name: ""}, {})


def test_other_columns_are_left_alone() -> None:
    """A name like a date and an address like an amount stay as they were written."""
    cells: Mapping[str, str] = {"name": "15/12/2020", "address": "1.500.000", "email": "3,17101E+15"}
    assert understood(cells) == (dict(cells), {})
    assert understood({}) == ({}, {})


@given(st.sampled_from([*DATES, *AMOUNTS, "business_workers", "consent_given_at", "nik"]), st.text(max_size=24))
def test_whatever_stands_in_a_cell(name: str, text: str) -> None:
    """It is understood or refused, without an exception; and what was understood is understood again in the same way."""
    cells, errors = understood({name: text})
    assert (name in cells) != (name in errors)
    if name in cells and name in DATES and cells[name]:
        assert read(name, date.fromisoformat(cells[name]).strftime("%Y-%m-%d")) == cells[name]


@pytest.mark.parametrize("name", ["birth_date", "consent_given_at", "business_capital", "business_workers", "nik", "name"])
@pytest.mark.parametrize(
    "text",
    ["1" * 130_000 + "x", ".000" * 32_000, "'" + "a" * 130_000 + "'", '="' * 65_000, " 0:00.0" * 18_000, "Rp" + " " * 130_000],
    ids=["digits", "thousands", "apostrophes", "formulas", "midnights", "blanks"],
)
def test_a_very_long_cell_costs_no_time(name: str, text: str) -> None:
    """Somebody fills the largest cell that CSV allows: it is looked at once, not a hundred thousand times."""
    begun = time.process_time()
    understood({name: text})
    assert time.process_time() - begun < 1
