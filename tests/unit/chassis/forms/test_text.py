"""Texts that people paste: what nobody sees is dropped, and what is then nothing, or can't be shown, is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.forms.body import Body
from chassis.forms.text import Code, Line, Lines, Remark, clean_code, clean_line


class Form(Body):
    """One field of each kind."""

    line: Line = "x"
    lines: Lines = "x"
    remark: Remark = "x"
    code: Code = "x"


@pytest.mark.parametrize("field", ["line", "lines", "remark"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\u200b", "blank"),
        ("\u2800\u2800", "blank"),
        ("\u3164", "blank"),
        ("\u2060", "blank"),
        ("\u202e", "blank"),
        ("\u00ad\ufeff\u200e\u200f\u061c", "blank"),
        ("\u115f\uffa0\u034f\ufe0f\U000e0041", "blank"),
        ("-- ...", "blank"),
        ("\u0301\u0302", "blank"),
        ("Siti\u0085Contoh\u0086", "not_printable"),
        ("Siti\x00Contoh", "not_printable"),
        ("Siti\x1b[31m", "not_printable"),
        ("Siti\ue000", "not_printable"),
        ("Siti\ufdd0", "not_printable"),
    ],
)
def test_what_is_no_text(field: str, text: str, code: str) -> None:
    """A name of nothing but fillers, or with controls in it: refused, whoever sends it."""
    with pytest.raises(ValidationError) as refusal:
        Form.model_validate({field: text})
    assert refusal.value.errors()[0]["type"] == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Siti Contoh", "Siti Contoh"),
        ("  Siti   Contoh ", "Siti Contoh"),
        ("Siti\u200b Contoh\ufeff", "Siti Contoh"),
        ("\u202aSiti\u202c Contoh", "Siti Contoh"),
        ("Siti\u00a0Contoh", "Siti Contoh"),
        ("Jose\u0301", "Jos\u00e9"),
        ("Nur\u2019aini", "Nur\u2019aini"),
        ("\u8b1d\u5c0f\u660e", "\u8b1d\u5c0f\u660e"),
        ("\u0633\u064a\u062a\u064a", "\u0633\u064a\u062a\u064a"),
        ("Warung \u2615 Melati", "Warung \u2615 Melati"),
    ],
)
def test_names_as_they_are_kept(text: str, expected: str) -> None:
    """Accents composed, blanks single and plain; every script's letters are letters."""
    assert Form.model_validate({"line": text}).line == expected


def test_lines_keep_their_breaks() -> None:
    """A description copied from a document of Windows or from a web page."""
    text = "Hari 1:\r\n\tdasar\u00a0foto \u2028Hari 2:\u200b lanjut\r\n"
    assert Form.model_validate({"lines": text}).lines == "Hari 1:\ndasar foto\nHari 2: lanjut"


@pytest.mark.parametrize(
    "text",
    [
        "telepon 0812 3456 7890",
        "NIK 3171014512909001",
        "0812-3456-7890",
        "\u0660\u0668\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    ],
)
def test_a_remark_names_nobody(text: str) -> None:
    """Why a training is cancelled is for all to read: no identity card's number and no telephone's."""
    with pytest.raises(ValidationError) as refusal:
        Form.model_validate({"remark": text})
    assert refusal.value.errors()[0]["type"] == "personal_number"
    assert Form.model_validate({"remark": "Ruang dipakai 12-12-2027, pindah ke lantai 3"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u202a081234567890\u202c", "081234567890"),
        ("\u200e+62\u2011812\u2011345\u20117890", "+62-812-345-7890"),
        ("\uff10\uff18\uff11\uff12", "0812"),
        ("\u0660\u0668\u0661\u0662", "0812"),
        ("\ufeff3171\u00a00145\u200b1290\u20119001", "3171 01451290-9001"),
        ("\uff0b62", "+62"),
        ("12\u00b2", "12\u00b2"),
        ("siti\u200b@example.com", "siti@example.com"),
    ],
)
def test_numbers_as_people_paste_them(text: str, expected: str) -> None:
    """From a chat, a web page or a telephone's keyboard: digits are digits, hyphens are hyphens, marks of direction nothing."""
    assert clean_code(text) == expected


@given(st.text(max_size=30))
def test_cleaning_once_is_enough(text: str) -> None:
    """What was stored and comes back is the same, and holds nothing that nobody sees."""
    try:
        cleaned = clean_line(text)
    except ValueError:
        return
    assert clean_line(cleaned) == cleaned
    assert not any(unicodedata.category(c) in ("Cf", "Cc", "Cs", "Co", "Cn") for c in cleaned)


def every_body(of: type[Body] = Body) -> list[type[Body]]:
    """All request bodies of all services."""
    import services.metrics.main
    import services.registration.main
    import services.training.main  # noqa: F401 - each import brings its service's bodies

    return [found for kind in of.__subclasses__() for found in (kind, *every_body(kind))]


def test_every_text_field_is_cleaned() -> None:
    """Somebody adds a field for a name and forgets the cleaner: this is where it is noticed."""
    bare = [
        f"{body.__name__}.{name}"
        for body in every_body()
        if body.__module__.startswith("services.")
        for name, field in body.model_fields.items()
        if field.annotation in (str, str | None) and not any(_bounded(part) for part in field.metadata)
    ]
    assert bare == []


def _bounded(part: object) -> bool:
    """A cleaner, or a pattern that lists what may be in the text."""
    return type(part).__name__ in ("AfterValidator", "BeforeValidator") or getattr(part, "pattern", None) is not None
