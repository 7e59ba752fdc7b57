"""Where the header is: below titles, blank rows and `sep=`; and what is said, and never shown, where there is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from services.registration.imports.header import COLUMNS, REQUIRED, Header, HeaderSearch, check_start
from services.registration.imports.rows import Records
from tests.unit.registration.desk import codes

PERSON = ("3171014512909001", "Melati", "1990-12-05", "female", "081234567890", "31.71.01.1001", "pemula", "2", "2021-02-01")


def found(text: str) -> Header:
    """The header of a whole file, which the upload and the worker must find alike."""
    header = check_start(text.encode(), last=True)
    assert header is not None
    records = Records()
    list(records.feed(text, last=True))
    assert records.header == header
    return header


def refused(text: str | bytes) -> Invalid:
    """Why a file is no import."""
    with pytest.raises(Invalid) as refusal:
        check_start(text if isinstance(text, bytes) else text.encode(), last=True)
    return refusal.value


def line_of(text: str) -> int:
    """Excel's number of the first row below the header."""
    ((line, _),) = list(Records().feed(text + "x\n", last=True))
    return line


def written(delimiter: str = ",") -> str:
    """The header line."""
    return delimiter.join(REQUIRED)


@pytest.mark.parametrize("above", ["", "sep={0}\n", '"sep={0}"\n', "SEP={0}\r\n", "sep={0} \n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_how_the_cells_are_separated(above: str, delimiter: str, mark: str) -> None:
    """`sep=;` is for Excel, which shows no such row: the header is still row 1."""
    if not above and delimiter == "|":
        return  # nobody could know
    text = mark + above.format(delimiter) + written(delimiter) + "\r\n"
    assert (found(text).delimiter, found(text).names) == (delimiter, REQUIRED)
    assert line_of(text) == 2


TITLES = [
    "DATA JAKPRENEUR",
    "Data UMKM, Tahun 2020;;;;;;;;",
    ";;;;",
    "",
    ",,,,,",
    '"Dinas PPKUKM; Provinsi",,,',
    "\u00a0",
    "Per 15/12/2020",
]


@given(st.lists(st.sampled_from(TITLES), max_size=10), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_titles_above_the_header_count(titles: list[str], delimiter: str, ending: str, told: bool) -> None:
    """Titles and blank rows are rows to Excel, and so they are to whoever looks for the row of an error."""
    above = [f"sep={delimiter}", *titles] if told else titles
    text = ending.join([*above, written(delimiter), ""])
    assert found(text).delimiter == delimiter
    assert line_of(text) == len(titles) + 2


def test_a_title_of_two_lines_is_one_row() -> None:
    """Alt+Enter in a merged cell: Excel shows one row with two lines, and the rows below have its numbers."""
    assert line_of(f'"DATA JAKPRENEUR\nTAHUN 2020";;;\n;;;\n{written(";")}\n') == 4
    assert line_of(f'"a\n\nb";"c\n""d"""\n{written(";")}\n') == 3


@pytest.mark.parametrize(
    "title", ["Dinas;Sosial", "Kelurahan;Gambir", "Name", "Phone;Melati;Sosial", "Email: a@example.com;;", "Channel;event;;;;"]
)
def test_a_title_with_the_name_of_a_column(title: str) -> None:
    """The office writes its own name above the table: that row is no header, for one word of it is ours by chance."""
    assert found(f"{title}\n{written(';')}\n").names == REQUIRED
    assert line_of(f"{title}\n{written(';')}\n") == 3


@pytest.mark.parametrize("place", [0, 1, 4])
@pytest.mark.parametrize("word", ["phone", "email", "Dinas", "name", "address", "Gender", "Nik"])
def test_no_header_and_a_word_that_is_a_column(place: int, word: str) -> None:
    """Melati came by `phone`, or lives at "Dinas": her row isn't taken for a header, whose strange columns would be shown."""
    person = [*PERSON[:place], word, *PERSON[place:]]
    assert codes(refused(";".join(person) + "\n")) == [("header", "header_missing")]


people = st.lists(
    st.text(st.characters(categories=["L", "N"]), max_size=12) | st.sampled_from(["phone", "email", "nik", *PERSON]),
    min_size=6,
    max_size=12,
)


@given(st.lists(people, min_size=1, max_size=15), st.sampled_from(",;\t"), st.sampled_from(["", "\ufeff", "sep=;\n"]))
def test_a_person_in_place_of_a_header_is_not_shown(rows: list[list[str]], delimiter: str, above: str) -> None:
    """Somebody deleted the header row: the refusal goes round by mail, and holds nothing of the people below it."""
    text = above + "\n".join(delimiter.join(["3171014512909001", "Melati", "female", *row]) for row in rows)
    refusal = refused(text)
    assert codes(refusal) == [("header", "header_missing")]
    told = repr((refusal.errors, refusal.message_id, refusal.message_en))
    assert not re.search(r"3171|Melati|female|08123", told)


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 500])
def test_no_header_at_all(count: int) -> None:
    """However many people there are, the sentence says what the first row must hold."""
    refusal = refused((";".join(PERSON) + "\r\n") * count)
    assert codes(refusal) == [("header", "header_missing")]
    assert "nik, name, birth_date" in refusal.errors[0].message_id
    assert "nik, name, birth_date" in refusal.errors[0].message_en


def test_a_header_far_below() -> None:
    """Ten rows of titles are enough for everybody; blank ones don't count among them."""
    assert found("Judul\n" * 10 + "\n;;;\n" * 40 + written()).names == REQUIRED
    assert codes(refused("Judul\n" * 11 + written())) == [("header", "header_missing")]


def test_the_header_of_an_older_template() -> None:
    """Most columns have other names: each of them is said, for whoever called one `nik` meant a header."""
    refusal = refused("nik;nama;tanggal_lahir;telepon\n")
    assert ("header.nama", "unknown_column") in codes(refusal)
    assert ("header.name", "missing_column") in codes(refusal)


@given(st.sampled_from(COLUMNS), st.sampled_from(["{}", " {} ", '"{}"']), st.booleans(), st.sampled_from(" -._\u00a0"))
def test_the_office_writes_a_column_in_its_own_way(name: str, around: str, capitals: bool, mark: str) -> None:
    """`Birth Date` and `KBLI-version` are our columns; errors call them as the file does."""
    own = name.replace("_", mark)
    own = own.title() if capitals else own
    text = ";".join([*(column for column in REQUIRED if column != name), around.format(own)])
    header = found(text)
    assert header.names[-1] == name
    assert header.own_names[name] == own


def test_a_columns_name_of_a_hundred_kilobytes() -> None:
    """Blanks without end within a name would come back with every error of every row: such a column isn't ours."""
    refusal = refused(f"{written()},business{' ' * 100_000}name")
    assert codes(refusal) == [("header.#10", "unknown_column")]
    assert len(repr(refusal.errors)) < 1_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"\xef\xbb\xbf", "header_missing"),
        (b"sep=;\r\n", "header_missing"),
        (b";;;\n,,,\n", "header_missing"),
        (b"PK\x03\x04", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "workbook"),
        (written().encode("utf-16"), "encoding"),
        (b"Nur\x92aini\n" + written().encode(), "encoding"),
        (b"sep=\x00\n" + "\x00".join(REQUIRED).encode(), "header_missing"),
        (b'sep="\n' + '"'.join(REQUIRED).encode(), "header_missing"),
        (b"sep=a\n" + written().encode(), None),
        (b"sep=,\n" + written(";").encode(), "header_missing"),
        (b"sep=\n" + written().encode(), None),
    ],
)
def test_what_else_comes_as_a_file(content: bytes, code: str | None) -> None:
    """Empty, a workbook, another encoding, or a separator that isn't one: refused in words; `sep=` without one is a title."""
    if code is None:
        assert found(content.decode()).names == REQUIRED
    else:
        assert [error.code for error in refused(content).errors] == [code]


@given(st.integers(0, 400))
def test_the_start_of_a_file_may_be_cut_anywhere(end: int) -> None:
    """As long as its header isn't there whole, more is asked for; a cut never makes another header of it."""
    content = f"\ufeffsep=;\r\n;;\r\nNur\u2019aini\r\n{written(';')};email\r\n3171;x".encode()
    header = check_start(content[:end], last=False)
    assert header == (found(content.decode()) if end >= content.index(b"email\r\n") + 7 else None)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.booleans())
def test_whatever_comes_as_a_file(content: bytes, last: bool) -> None:
    """A header, a refusal or a wish for more; never an exception of Python's."""
    try:
        header = check_start(content, last=last)
    except Invalid:
        return
    assert header is None or header.names
    assert header is not None or not last


def test_a_search_counts_what_excel_hides() -> None:
    """Only the first row can be `sep=`: below a title it is a row like any other."""
    search = HeaderSearch()
    assert [search.feed("Judul"), search.feed("sep=;"), search.skipped] == [None, None, 0]
