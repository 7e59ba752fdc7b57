"""R1: the structure of the national identity number (NIK), PPRRSS-DDMMYY-XXXX.

Whether a NIK was ever issued isn't checked: only the civil registry (Dukcapil) knows. The rule is written here because the
check of python-stdnum accepts day 81 and reads the year 2005 as 1905.
A NIK is lifelong: it doesn't change when its holder moves or when a birth date is corrected. So a difference in place, birth
date or gender is only a warning, and the prefix is never taken for the domicile (R3, reference/areas.py).
"""

import re
from datetime import date
from typing import Final

from chassis.errors import FieldError
from services.registration.reference.districts import DISTRICTS, PROVINCES

# Blanks, dots and hyphens, in every form that spreadsheets and telephone keyboards put between groups of digits.
_SEPARATORS: Final = re.compile(r"[\s.\-\u00ad\u2010-\u2015\u200b\ufeff]+")
_WOMAN: Final = 40  # added to the day of birth in a woman's NIK

_LENGTH: Final = FieldError("nik", "R1.length", "NIK harus terdiri dari 16 angka.", "A NIK has 16 digits.")
_PROVINCE: Final = FieldError(
    "nik", "R1.province", "Dua angka pertama NIK bukan kode provinsi.", "The first two digits are no province code."
)
_REGION: Final = FieldError(
    "nik",
    "R1.region",
    "Kode kabupaten/kota dan kecamatan dalam NIK tidak boleh 00.",
    "The district and sub-district codes in a NIK can't be 00.",
)
_DATE: Final = FieldError(
    "nik",
    "R1.date",
    "Angka ke-7 sampai ke-12 NIK bukan tanggal lahir yang sah.",
    "Digits 7 to 12 are no valid date of birth.",
)
_SERIAL: Final = FieldError("nik", "R1.serial", "Nomor urut NIK tidak boleh 0000.", "The serial number of a NIK can't be 0000.")
_DISTRICT: Final = FieldError(
    "nik",
    "R1.district",
    "Kode kabupaten/kota dalam NIK tidak dikenal; mohon periksa kembali.",
    "The district code in the NIK is unknown; please check it.",
)
_BIRTH_DATE: Final = FieldError(
    "birth_date",
    "R1.birth_date",
    "Tanggal lahir berbeda dengan yang tercantum dalam NIK.",
    "The date of birth differs from the one in the NIK.",
)
_GENDER: Final = FieldError(
    "gender",
    "R1.gender",
    "Jenis kelamin berbeda dengan yang tercantum dalam NIK.",
    "The gender differs from the one in the NIK.",
)


def normalise(raw: str) -> str:
    """The NIK without blanks, dots and hyphens (R1). Nothing is checked, and no other character is dropped."""
    if raw.isdigit():
        return raw
    return _SEPARATORS.sub("", raw)


def check(nik: str, *, today: date, birth_date: date | None, gender: str | None) -> tuple[list[FieldError], list[FieldError]]:
    """Errors and warnings about a normalised NIK (R1); warnings only where there are no errors.

    `birth_date` and `gender` ("female" or "male") are those of the form; None leaves the comparison out.
    `today` decides the century: a two-digit year up to this year's is 20yy, a later one 19yy.
    """
    # isascii() first: isdigit() alone accepts Arabic or full-width digits, and int() would even read them.
    if len(nik) != 16 or not nik.isascii() or not nik.isdigit():
        return [_LENGTH], []
    errors: list[FieldError] = []
    if nik[:2] not in PROVINCES:
        errors.append(_PROVINCE)
    if nik[2:4] == "00" or nik[4:6] == "00":
        errors.append(_REGION)
    born, nik_gender = _read_birth(nik, today)
    if born is None:
        errors.append(_DATE)
    if nik[12:] == "0000":
        errors.append(_SERIAL)
    if errors:
        return errors, []
    warnings: list[FieldError] = []
    if nik[:4] not in DISTRICTS:
        warnings.append(_DISTRICT)
    if birth_date is not None and born != birth_date:
        warnings.append(_BIRTH_DATE)
    if gender is not None and gender != nik_gender:
        warnings.append(_GENDER)
    return [], warnings


def birth(nik: str, *, today: date) -> tuple[date, str] | None:
    """Date of birth and gender ("female" or "male") that a normalised NIK states, or None if it is malformed (R1)."""
    if len(nik) != 16 or not nik.isascii() or not nik.isdigit():
        return None
    born, gender = _read_birth(nik, today)
    return None if born is None else (born, gender)


def _read_birth(nik: str, today: date) -> tuple[date | None, str]:
    day, month, short_year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    gender = "male"
    if day > _WOMAN:  # 41 to 71; date() below refuses the days from 32 to 40 and those above 71
        day -= _WOMAN
        gender = "female"
    year = (2000 if short_year <= today.year % 100 else 1900) + short_year
    try:
        return date(year, month, day), gender
    except ValueError:
        return None, gender


def mask(nik: str) -> str:
    """The NIK as people may see it: province and serial, "31**********0001"; all stars if it isn't 16 long."""
    if len(nik) != 16:
        # A mistyped NIK may hold all but one digit of somebody's NIK, so nothing of it is shown.
        return "*" * min(len(nik), 16)
    return f"{nik[:2]}**********{nik[12:]}"
