"""Cells as spreadsheets and people write them, pure: dates, amounts and numbers in the forms of Indonesia and of Excel.

What has one meaning only is understood; anything else is refused with one sentence that says how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from chassis.errors import FieldError
from chassis.forms.text import clean_code
from services.registration.imports import refusals

DATES: Final = ("birth_date", "business_started_on", "registered_on", "verified_on")
MOMENTS: Final = ("consent_given_at",)
AMOUNTS: Final = ("business_capital", "business_annual_sales", "business_assets")
WHOLE: Final = ("business_workers",)
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_MIDNIGHT: Final = re.compile(r"[ T]0?0[:.]00([:.]00)?(\.0+)?$")
_MOMENT: Final = re.compile(
    r"(?P<day>[0-9/.-]{8,10})(?:[ T](?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2}))?)?"
)
_AMOUNT: Final = re.compile(r"(?:Rp\.?\s*)?(-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+|-?[0-9]+)(?:,00|,-)?", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]+")
_FORMULA_TEXT: Final = re.compile(r'="(.*)"', re.DOTALL)
_APOSTROPHES: Final = frozenset("'\u2019\u2018")
_SCIENTIFIC: Final = re.compile(r"[0-9]([.,][0-9]+)?E\+?[0-9]{2}", re.IGNORECASE)
_NOTHING: Final = frozenset({"-", "--", "n/a", "#n/a"})  # what people and Excel write where there is nothing
_JAKARTA: Final = "+07:00"


def bare(cell: str) -> str:
    """A cell without what Excel needs to leave it a text: the apostrophe of `'3171…` and the formula of `="3171…"`."""
    text = cell.strip()
    formula = _FORMULA_TEXT.fullmatch(text)
    if formula is not None:
        return formula[1].strip()
    quoted = text[:1] in _APOSTROPHES, text[-1:] in _APOSTROPHES
    if quoted == (True, False) and any(map(str.isalnum, text)):
        return text[1:].strip()
    return "" if text.casefold() in _NOTHING else text


def understood(cells: Mapping[str, str]) -> tuple[dict[str, str], dict[str, FieldError]]:
    """The cells in the form's own notation, and an error for each that has no meaning or more than one."""
    texts = {name: bare(value) for name, value in cells.items()}
    errors: dict[str, FieldError] = {}
    for names, read, refusal in _KINDS:
        for name in names:
            text = clean_code(texts.get(name, ""))
            found = read(text) if text else ""
            if found is None:
                errors[name] = refusal(name)
            elif name in texts:
                texts[name] = found
    if _SCIENTIFIC.fullmatch(clean_code(texts.get("nik", ""))):
        errors["nik"] = refusals.nik_as_number()
    return {name: value for name, value in texts.items() if name not in errors}, errors


def _day(text: str) -> str | None:
    """`2020-12-15` and `15/12/2020` as ISO text; the day stands before the month, as everywhere in Indonesia."""
    if len(text) > 10:
        text = _MIDNIGHT.sub("", text)
    iso, day_first = _ISO.fullmatch(text), _DAY_FIRST.fullmatch(text)
    parts = iso.groups() if iso else day_first.groups()[::-1] if day_first else None
    try:
        return date(*map(int, parts)).isoformat() if parts else None
    except ValueError:
        return None


def _moment(text: str) -> str | None:
    """A time with offset as it is; a day, or a day and a time, of Jakarta."""
    if len(text) > 10 and text[10] in "Tt " and (text[-1] in "Zz" or text[-6] in "+-"):
        return text  # whether it is a time is the form's own rule
    found = _MOMENT.fullmatch(text)
    day = _day(found["day"]) if found else None
    if found is None or day is None:
        return None
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    return f"{day}T{hour:02d}:{minute:02d}:{second:02d}{_JAKARTA}" if hour < 24 and minute < 60 and second < 60 else None


def _amount(text: str) -> str | None:
    """`1500000`, `1.500.000`, `Rp 1.500.000` and `1.500.000,00`: dots part thousands in Indonesia, a comma the cents."""
    if text.isdigit():
        return text
    found = _AMOUNT.fullmatch(text)
    return found[1].replace(".", "") if found else None


def _whole(text: str) -> str | None:
    return text.replace(".", "") if _WHOLE.fullmatch(text) else None


_KINDS: Final = (
    (DATES, _day, refusals.not_a_date),
    (MOMENTS, _moment, refusals.not_a_time),
    (AMOUNTS, _amount, refusals.not_an_amount),
    (WHOLE, _whole, refusals.not_an_amount),
)
