"""Whole files of officers, from the bytes to the people: what Excel makes of them, and what is said about a row that is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.documents import Document
from services.registration.imports.header import check_start
from services.registration.imports.replies import errors_csv
from services.registration.imports.rows import Records, Row, row_of
from tests.harness.forms import nik, registration
from tests.unit.registration.sample_people import TODAY

OWN = {
    "nik": "NIK", "name": "Name", "birth_date": "Birth Date", "gender": "GENDER", "phone": "Phone", "kelurahan": "Kelurahan",
    "category": "category", "consent_version": "Consent Version", "consent_given_at": "consent.given-at",
    "business_name": "Business Name", "business_commodity": "Business Commodity", "business_kbli": "Business KBLI",
    "business_capital": "Business Capital", "business_annual_sales": "business annual sales",
    "business_assets": "Business-Assets", "business_workers": "Business Workers",
}  # fmt: skip


def person(number: int = 1, /, **changes: str) -> dict[str, str]:
    """A row as Excel in Indonesian writes it."""
    form = registration(number)
    year, month, day = form["birth_date"].split("-")
    return {
        "nik": form["nik"], "name": f"Siti {number}", "birth_date": f"{day}/{month}/{year}", "gender": "female",
        "phone": form["phone"], "kelurahan": "31.71.01.1001", "category": "naik_kelas", "consent_version": "2",
        "consent_given_at": "01/02/2021 09:30", "business_name": "Warung", "business_commodity": "kuliner",
        "business_kbli": "56102", "business_capital": "Rp 1.500.000", "business_annual_sales": "54.000.000,00",
        "business_assets": "0", "business_workers": "3", **changes,
    }  # fmt: skip


def sheet(rows: Sequence[dict[str, str]], *, above: str = "", delimiter: str = ";", ending: str = "\r\n") -> str:
    """The rows below a header in the office's own words."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    writer.writerows([list(OWN.values()), *([row[name] for name in OWN] for row in rows)])
    return above + text.getvalue()


def read(text: str) -> list[Row]:
    """What becomes of a file."""
    assert check_start(text.encode(), last=True) is not None
    records = Records()
    found = list(records.feed(text.encode().decode("utf-8", "replace"), last=True))
    assert records.header is not None
    return [row_of(at, line, records.header, record, today=TODAY) for at, (line, record) in enumerate(found, start=1)]


@given(
    st.sampled_from(["", "\ufeff"]), st.sampled_from(";,\t"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(0, 3)
)
def test_a_file_as_excel_saves_it(mark: str, delimiter: str, ending: str, told: bool, titles: int) -> None:
    """With a mark or without, whatever separates its cells, under titles: the same people, on the rows that Excel shows."""
    above = mark + (f"sep={delimiter}{ending}" if told else "") + f"DATA UMKM{ending}" * titles
    rows = read(sheet([person(1), person(2)], above=above, delimiter=delimiter, ending=ending))
    assert [(row.number, row.line, row.errors, row.warnings) for row in rows] == [
        (1, titles + 2, (), ()),
        (2, titles + 3, (), ()),
    ]
    first = rows[0].person
    assert first is not None
    assert (first.nik, first.personal["capital"], first.personal["annual_sales"]) == (nik(1), "1500000", "54000000")
    assert first.consent["given_at"] == "2021-02-01T09:30:00+07:00"


@pytest.mark.parametrize("blank", ["", ";" * 15, " ; ;" + ";" * 13, ";;", '"";"";', "\t", "\u00a0;\u00a0", " " * 40, ";" * 30])
def test_blank_rows_are_rows_to_excel(blank: str) -> None:
    """Nobody is in them and nothing is said of them; the rows below keep the number that Excel shows."""
    wrong = person(2, phone="12")
    lines = sheet([person(1), wrong]).split("\r\n")
    rows = read("\r\n".join(["Judul", blank, lines[0], blank, lines[1], blank, blank, lines[2], blank, blank]))
    assert [(row.number, row.line, row.person is None) for row in rows] == [(1, 5, False), (2, 8, True)]


def test_errors_in_the_words_of_the_file() -> None:
    """An officer finds the cell: by the row of Excel and by the column as the file calls it, never by a name of ours."""
    (row,) = read(sheet([person(phone="12", birth_date="31/02/1990", business_capital="1,5", business_workers="", gender="P")]))
    assert [(error.field, error.code) for error in row.errors] == [
        ("Birth Date", "date_parsing"),
        ("GENDER", "literal_error"),
        ("Phone", "R4.phone"),
        ("Business Capital", "int_parsing"),
        ("Business Workers", "missing"),
    ]
    told = {error.field: (error.message_id, error.message_en) for error in row.errors}
    assert told["Business Workers"] == ("Business Workers: wajib diisi.", "Business Workers: is required.")
    assert told["GENDER"][0].startswith("GENDER: bukan salah satu pilihan")
    assert not any("business" in text.split(":")[0] for texts in told.values() for text in texts)


def test_warnings_in_the_words_of_the_file() -> None:
    """She is registered, with what a verifier may look at; the person keeps the warnings under the names of the form."""
    (row,) = read(sheet([person(1, birth_date="06/01/1991", gender="male", business_kbli="99999")]))
    assert row.errors == ()
    assert row.person is not None
    assert [warning.field for warning in row.warnings] == ["Birth Date", "GENDER", "Business KBLI"]
    assert [warning.field for warning in row.person.warnings] == ["birth_date", "gender", "business.kbli"]
    assert [warning.code for warning in row.warnings] == [warning.code for warning in row.person.warnings]


async def test_the_list_of_errors_is_a_table_again() -> None:
    """errors.csv opens in Excel: numbers of rows, the file's columns, both texts, and which rows are registered all the same."""

    async def noted() -> object:
        for row in read(sheet([person(1, phone="12"), person(2, gender="male")], above="Judul\r\n\r\n")):
            found = [*row.errors, *row.warnings]
            told: Document = {"row": row.line, "severity": "warning" if row.person else "error"}
            yield told | {
                "errors": [{name: getattr(e, name) for name in ("field", "code", "message_id", "message_en")} for e in found]
            }

    text = b"".join([piece async for piece in errors_csv(noted())]).decode()  # type: ignore[arg-type] # a row of the database
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(line["row"], line["field"], line["code"], line["severity"]) for line in table] == [
        ("4", "Phone", "R4.phone", "error"),
        ("5", "GENDER", "R1.gender", "warning"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "\u200b", "\u2800", "\u3164", "\u2060", "\u202e", "\u200b\u2800 \u3164", "\x80\x81", "\x85", "\x9b31m", "\u00a0",
        "'\u200b", "\u202e\u202d\ufeff", "...", "Siti\x9f", "\ufe0f", '="\u200b"', "\u2028", "\u0301",
    ],
)  # fmt: skip
def test_names_that_nobody_sees(name: str) -> None:
    """Of a person and of a business: refused, and nothing else about the row is wrong."""
    for column in ("name", "business_name"):
        (row,) = read(sheet([person(**{column: name})]))
        assert row.person is None
        assert {error.field for error in row.errors} == {OWN[column]}


def woven(text: str, mark: str) -> str:
    """The text with a mark before, after and between all its characters."""
    return mark + mark.join(text) + mark


@settings(max_examples=60)
@given(st.sampled_from(["\u202a", "\u200e", "\ufeff", "\u202c", "\u200b", "\u00ad"]), st.sampled_from(["", "'"]))
def test_numbers_with_marks_that_nobody_sees(mark: str, apostrophe: str) -> None:
    """Copied from Windows' address book or a chat: numbers, days and codes are read as if the marks weren't there."""
    plain = person()
    names = (
        "nik",
        "phone",
        "birth_date",
        "kelurahan",
        "business_capital",
        "business_kbli",
        "consent_version",
        "consent_given_at",
    )
    changes = {name: woven(plain[name], mark) for name in names}
    changes["phone"], changes["nik"] = apostrophe + changes["phone"], apostrophe + changes["nik"]
    (row,) = read(sheet([person(**changes)]))
    assert row.errors == ()
    assert row.person == read(sheet([plain]))[0].person


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("nik", "3171\u20110145\u20111290\u20119001"), ("nik", "'3171 0145 1290 9001"), ("nik", '="3171014512909001"'),
        ("nik", "\uff13171014512909001"), ("nik", "31.7101.451290.9001"), ("phone", "'+62812\u20113456\u20117890"),
        ("phone", "\u202a+62 812-3456-7890\u202c"), ("phone", '="081234567890"'), ("phone", "\u200e(0812) 3456 7890"),
        ("phone", "81234567890"),
    ],
)  # fmt: skip
def test_numbers_as_a_sheet_holds_them(column: str, value: str) -> None:
    """However the officer kept Excel from spoiling them."""
    (row,) = read(sheet([person(**{"birth_date": "05/12/1990", "nik": "3171014512909001", column: value})]))
    assert row.errors == ()
    assert row.person is not None
    assert (row.person.nik, row.person.personal["phone"][:4]) == ("3171014512909001", "+628")


@pytest.mark.parametrize("value", ["3,17101E+15", "3.17101E+15", "\u200e3,17101E+15", '="3,17101E+15"'])
def test_a_nik_without_its_digits_is_told_once(value: str) -> None:
    """One sentence about the NIK, not three about its length, its date and the birth date beside it."""
    (row,) = read(sheet([person(nik=value)]))
    assert [(error.field, error.code) for error in row.errors] == [("NIK", "R1.number")]


@pytest.mark.parametrize("value", ["\u200b", "\u2800", "\u3164", "\u2060", "\ufeff", "\u202e", "'", "-", "0", "\x80", "="])
def test_a_verification_that_nobody_sees(value: str) -> None:
    """The column of days holds a blank of a web page: it is no day or a refused one, and never an end of the whole import."""
    text = sheet([person()])
    head, row = text.split("\r\n")[:2]
    (found,) = read(f"{head};Verified On\r\n{row};{value}\r\n")
    assert found.verified_on is None
    assert [(error.field, error.code) for error in found.errors] in ([], [("Verified On", "verified_on")])


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.text(max_size=8) | st.sampled_from(list(person().values())), max_size=17), max_size=5),
    st.sampled_from(["", "'", "\u200b", '"']),
)
def test_whatever_an_office_sends(cells: list[list[str]], around: str) -> None:
    """Each row is a person or errors of its own; no error names a column that the file doesn't have, or quotes a cell."""
    body = "\n".join(";".join(around + cell.replace("\n", "") for cell in row) for row in cells)
    for row in read(f"{';'.join(OWN.values())};verified_on\n{body}"):
        assert (row.person is None) == bool(row.errors)
        assert {error.field for error in row.errors} <= {*OWN.values(), "verified_on", "row", "business", "consent"}
        assert "Siti 1" not in repr(row.errors)
