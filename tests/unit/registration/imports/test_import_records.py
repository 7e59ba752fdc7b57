"""CSV that arrives in pieces: however it is cut, the records are those of the whole file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.registration.imports.header import REQUIRED, Header, HeaderSearch
from services.registration.imports.rows import Records
from tests.unit.registration.desk import codes

HEADER = ",".join(REQUIRED)
Found = list[tuple[int, list[str] | None]]


def records_of(pieces: Iterable[str]) -> tuple[list[str], Found]:
    """Column names, and lines and records, of a file that arrives in these pieces."""
    records, found, held = Records(), Found(), list(pieces)
    for number, piece in enumerate(held, start=1):
        found += records.feed(piece, last=number == len(held))
    return list(records.header.names) if records.header else [], found


def cut(text: str, places: Iterable[int]) -> list[str]:
    """The text in pieces, some of them empty."""
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(edges)] or [text]


cells = st.text(st.sampled_from('ab ,;"\u2028\u0085é0'), max_size=6)
rows = st.lists(st.lists(cells, min_size=1, max_size=4), max_size=8)
places = st.lists(st.integers(0, 10_000), max_size=12)


def written(rows: list[list[str]], delimiter: str, ending: str) -> str:
    """The rows as a spreadsheet writes them."""
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + ending)
    return "".join(lines)


@settings(max_examples=200)
@given(rows, st.sampled_from([",", ";"]), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]), places)
def test_a_proper_file_comes_back_as_it_was_written(
    rows: list[list[str]], delimiter: str, ending: str, mark: str, places: list[int]
) -> None:
    """Comma or semicolon, Unix or Windows, with Excel's mark or without: quotes and separators lie in cells."""
    text = mark + delimiter.join(REQUIRED) + ending + written(rows, delimiter, ending)
    names, found = records_of(cut(text, places))
    assert list(REQUIRED) == names
    assert [(line, row) for line, row in enumerate(rows, start=2) if any(cell.strip() for cell in row)] == found


@settings(max_examples=300)
@given(st.text(st.sampled_from('ab,"\n\r\u2028'), max_size=60), places)
@example('5" pipe,x\n"Jalan A\nNo 1",y\n', [len(HEADER) + 22])
@example('a"b\n"c\nd"\n', [len(HEADER) + 8])
@example('"never closed\nx\n', [len(HEADER) + 10])
@example('"x"y\nz\n', [len(HEADER) + 4])
def test_a_broken_file_is_broken_in_the_same_places(body: str, places: list[int]) -> None:
    """Whatever somebody's editor made of it: where the pieces end makes no difference to what is read and what is broken."""
    text = f"{HEADER}\n{body}"
    assert records_of([text]) == records_of(cut(text, places))


@settings(max_examples=100)
@given(st.text(st.sampled_from('ab,"\n\r'), max_size=60))
def test_records_letter_by_letter(body: str) -> None:
    """A very slow line."""
    text = f"{HEADER}\n{body}"
    assert records_of([text]) == records_of(text)


def body(text: str) -> Found:
    """The lines and records of a file with this body."""
    return records_of([f"{HEADER}\n{text}"])[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n\r\n\n", []),
        (" \n;;;\n,, ,\n", [(3, [";;;"])]),
        ("a,b", [(2, ["a", "b"])]),
        ("a,b\n\nc,d\n", [(2, ["a", "b"]), (4, ["c", "d"])]),
        ('"Jalan A\r\nNo 1",b\r\nc,d\n', [(2, None), (3, ['No 1"', "b"]), (4, ["c", "d"])]),
        ('"say ""hello""",b\n', [(2, ['say "hello"', "b"])]),
        ('5" pipe,b\nc,d\n', [(2, ['5" pipe', "b"]), (3, ["c", "d"])]),
        ('"x"y,b\nc,d\n', [(2, None), (3, ["c", "d"])]),
        ('"never closed\nc,d\n', [(2, None), (3, ["c", "d"])]),
        ("a\rb,c\nd\n", [(2, None), (3, ["d"])]),
        ("a\u2028b,c\u0085d\n", [(2, ["a\u2028b", "c\u0085d"])]),
    ],
)
def test_what_a_body_is(text: str, expected: Found) -> None:
    """Empty lines are counted, not given; a quote within a word is a letter; a broken quote costs its own row and no other."""
    assert expected == body(text)


def test_a_quote_that_never_closes_costs_one_row() -> None:
    """Somebody's name begins with a quote: the ten thousand people behind it are read, each under the number of its row."""
    text = f'{HEADER}\n"never closed\n' + "c,d\n" * 10_000
    found = records_of(cut(text, range(0, len(text), 7_000)))[1]
    assert [(2, None), *((line, ["c", "d"]) for line in range(3, 10_003))] == found


def test_a_line_that_never_ends_is_not_kept() -> None:
    """Somebody uploads a picture under another name: it is refused long before its end is there."""
    with pytest.raises(Invalid) as refusal:
        records_of(["x" * 200_000] * 20)
    assert codes(refusal.value) == [("header", "header")]


def test_a_file_that_is_a_header_only() -> None:
    """Nobody to register, whether the last line ends or not."""
    for ending in ("", "\n", "\r\n"):
        assert records_of([HEADER + ending]) == (list(REQUIRED), [])
    assert records_of([""]) == ([], [])


def read_header(line: str) -> tuple[str, list[str]]:
    """The delimiter and the columns of a header line."""
    header = HeaderSearch().feed(line)
    assert isinstance(header, Header)
    return header.delimiter, list(header.names)


@pytest.mark.parametrize("text", [HEADER, HEADER.upper(), " , ".join(REQUIRED), ",".join(f'"{name}"' for name in REQUIRED)])
def test_a_header_as_people_write_it(text: str) -> None:
    """Capitals, blanks and quotes don't matter."""
    assert read_header(text) == (",", list(REQUIRED))


def test_a_header_with_semicolons() -> None:
    """As Excel writes it where the comma is the decimal sign; a further column keeps its place."""
    assert read_header("email;" + ";".join(REQUIRED)) == (";", ["email", *REQUIRED])


def findings(line: str) -> list[tuple[str, str]]:
    """What is wrong with a header."""
    with pytest.raises(Invalid) as refusal:
        read_header(line)
    return codes(refusal.value)


def test_everything_wrong_with_a_header() -> None:
    """Unknown, missing and doubled columns are all named at once."""
    names = [name for name in REQUIRED if name != "nik"]
    assert findings(",".join([*names, "hobby", "name"])) == [
        ("header.hobby", "unknown_column"),
        ("header.nik", "missing_column"),
        ("header.name", "double_column"),
    ]


@pytest.mark.parametrize("text", [HEADER + ",,", HEADER.replace(",", ";") + "; ;"])
def test_columns_without_a_name_at_the_end(text: str) -> None:
    """Excel writes them where a cell was once touched: they are no columns."""
    assert read_header(text)[1] == list(REQUIRED)


@pytest.mark.parametrize("line", [HEADER + "\rx,y\rz", "x" * 140_000])
def test_a_header_that_is_no_csv(line: str) -> None:
    """Line breaks of an old Macintosh, or a line beyond every measure: refused, and not an error of ours."""
    assert findings(line) == [("header", "header")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x" * 100, "#10"), ("\x1b[31m", "#10"), ("3171014512909001", "#10"), ("Jalan Melati 7", "#10"), ("shoe_size", "shoe_size")],
)
def test_strange_columns_are_shown_with_care(name: str, shown: str) -> None:
    """What doesn't look like a column's name may be a person's: it is told by its place, counted from 1."""
    assert findings(f"{HEADER},{name}") == [(f"header.{shown}", "unknown_column")]


def test_texts_of_a_refused_header() -> None:
    """In both languages, with the column's name."""
    with pytest.raises(Invalid) as refusal:
        read_header(HEADER + ",hobby")
    (error,) = refusal.value.errors
    assert (error.message_id, error.message_en) == ("Kolom tidak dikenal: hobby.", "Unknown column: hobby.")
