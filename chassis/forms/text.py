"""Text that people type and paste: one cleaner for every text field, whoever it comes from.

Copied from a web page, a chat or a sheet, a text may carry characters that nobody sees: zero-width spaces, marks of
direction, fillers. They would make two equal names differ, and a name of nothing but them would pass for one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

# Blank on every screen, though Unicode doesn't call them spaces: Hangul fillers and the empty Braille pattern.
_BLANKS: Final = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"), " ")
# Ignorable on display, though no format characters: the grapheme joiner, Khmer inherent vowels, variation selectors.
_IGNORED: Final = dict.fromkeys([0x34F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
_REFUSED: Final = frozenset({"Cc", "Cs", "Co", "Cn"})  # controls, half characters, and what has no meaning
_LONG_NUMBER: Final = re.compile(r"(?:[0-9][ .-]?){10,}")
_SPACES: Final = re.compile(r"[^\S\n]+")
_BREAKS: Final = re.compile(r" ?(?:\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]) ?")


def clean_line(text: str) -> str:
    """One line: composed (NFC), without format characters, its blanks single and plain; raises ValueError if not printable."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_visible(text).split())


def clean_lines(text: str) -> str:
    """As `clean_line`, for several lines: line breaks and tabs are allowed and become LF and a blank."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    broken = _BREAKS.sub("\n", text.replace("\t", " "))
    return "\n".join(_SPACES.sub(" ", _visible(line)).strip() for line in broken.split("\n")).strip()


def _visible(text: str) -> str:
    kept = "".join(c for c in text.translate(_BLANKS | _IGNORED) if unicodedata.category(c) != "Cf")
    if any(unicodedata.category(c) in _REFUSED for c in kept):
        raise ValueError("not printable")
    return unicodedata.normalize("NFC", kept)


def clean_code(text: str) -> str:
    """A number, a code or an address of mail, as somebody pasted it.

    Digits of all scripts become 0-9, all hyphens `-` and all blanks ` `. Nothing else is
    changed: whether it is a number of its kind is the field's own rule.
    """
    if text.isascii():
        return text.strip()
    kept = (_digit(c) for c in text.translate(_BLANKS | _IGNORED) if unicodedata.category(c) != "Cf")
    return "".join(kept).strip()


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    if unicodedata.category(character) == "Pd" or character == "\u2212":  # the minus sign isn't a dash to Unicode
        return "-"
    if character.isspace():
        return " "
    return {"\uff0b": "+", "\uff0e": ".", "\uff08": "(", "\uff09": ")"}.get(character, character)


def _line(value: str) -> str:
    return _checked(value, clean_line)


def _lines(value: str) -> str:
    return _checked(value, clean_lines)


def _checked(value: str, cleaner: Any) -> str:
    try:
        cleaned: str = cleaner(value)
    except ValueError:
        raise PydanticCustomError(
            "not_printable", "has characters that can't be shown", {"message_id": "memuat karakter yang tidak dapat ditampilkan."}
        ) from None
    if value and not any(c.isalnum() for c in cleaned):
        raise PydanticCustomError("blank", "has no letter and no digit", {"message_id": "tidak memuat huruf atau angka."})
    return cleaned


def _remark(value: str) -> str:
    cleaned = _checked(value, clean_line)
    if _LONG_NUMBER.search(clean_code(cleaned)):
        raise PydanticCustomError(
            "personal_number",
            "has a long number; leave out the numbers of people's identity cards and telephones",
            {"message_id": "memuat nomor panjang; jangan tulis NIK atau nomor telepon orang."},
        )
    return cleaned


def _code(value: Any) -> Any:
    return clean_code(value) if isinstance(value, str) else value


_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff]*$"
_REMARK = r"^(?!.*(?:[0-9][ .-]?){10})[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff]*$"
Line = Annotated[str, AfterValidator(_line), Field(json_schema_extra={"pattern": _PRINTABLE})]
Lines = Annotated[str, AfterValidator(_lines)]
# A text about an act, stored and shown in the clear: it must not name the person behind it.
Remark = Annotated[str, AfterValidator(_remark), Field(json_schema_extra={"pattern": _REMARK})]
Code = Annotated[str, BeforeValidator(_code)]
