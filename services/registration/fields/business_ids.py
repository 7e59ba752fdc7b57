"""R4: the form of business identifiers and contact data: NIB, NPWP, KBLI, telephone, e-mail. No register is asked.

Every function takes the text that a person typed and returns `Checked(value, errors, warnings)`, with the value in the form
that is stored. Callers leave out optional fields that are empty.
"""

import re
from typing import Final

import phonenumbers
from stdnum import luhn

from chassis.errors import FieldError
from chassis.forms.findings import Checked
from services.registration.reference.kbli import CODES

_SEPARATORS: Final = re.compile(r"[\s.\-]+")
_DIGITS_13: Final = re.compile(r"[0-9]{13}")
_DIGITS_15_16: Final = re.compile(r"[0-9]{15,16}")
_DIGITS_5: Final = re.compile(r"[0-9]{5}")

# The plain Indonesian mobile forms: 0812..., 62812..., +62812..., 812... (a spreadsheet ate the zero), 9 to 12 digits
# after the 0 or 62. The pattern is phonenumbers' own for Indonesian mobiles; a test compares the two.
_PLAIN_MOBILE: Final = re.compile(r"(?:\+?62|0)?(8[1-35-9][0-9]{7,10})")
# phonenumbers would accept letters as keys of a telephone ("0812-WARUNG") and digits of other scripts.
_PHONE_CHARACTERS: Final = re.compile(r"[0-9+()./\-\s]{5,40}")
_62_WITHOUT_PLUS: Final = re.compile(r"\(?62[\s)(./-]*0?[\s)(./-]*8")

_EMAIL: Final = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)

_NIB: Final = FieldError("nib", "R4.nib", "NIB harus terdiri dari 13 angka.", "A NIB has 13 digits.")
_NPWP_LENGTH: Final = FieldError(
    "npwp", "R4.npwp_length", "NPWP harus terdiri dari 15 atau 16 angka.", "An NPWP has 15 or 16 digits."
)
_NPWP_CHECK: Final = FieldError(
    "npwp", "R4.npwp_check", "Angka pemeriksa NPWP tidak cocok.", "The check digit of the NPWP doesn't match."
)
_KBLI: Final = FieldError("kbli", "R4.kbli", "Kode KBLI harus terdiri dari 5 angka.", "A KBLI code has 5 digits.")
_KBLI_VERSION: Final = FieldError(
    "kbli_version", "R4.kbli_version", "Versi KBLI harus 2020 atau 2025.", "The KBLI version is 2020 or 2025."
)
_KBLI_UNKNOWN: Final = FieldError(
    "kbli",
    "R4.kbli_unknown",
    "Kode KBLI tidak ada dalam daftar singkat kami; mohon periksa kembali.",
    "The KBLI code isn't in our short list; please check it.",
)
_PHONE: Final = FieldError(
    "phone",
    "R4.phone",
    "Nomor telepon Indonesia tidak sah (contoh: 0812xxxxxxxx).",
    "Not a valid Indonesian telephone number (example: 0812xxxxxxxx).",
)
_EMAIL_FORM: Final = FieldError("email", "R4.email", "Alamat surel tidak sah.", "Not a valid e-mail address.")


def nib(raw: str) -> Checked:
    """The business number NIB as 13 digits; blanks, dots and hyphens are dropped (R4)."""
    value = _SEPARATORS.sub("", raw)
    return Checked(value) if _DIGITS_13.fullmatch(value) else Checked(None, (_NIB,))


def npwp(raw: str) -> Checked:
    """The tax number NPWP as 15 or 16 digits (R4).

    The old 15 digits have a check digit (Luhn over the first nine). Of 16 digits, those with a leading 0 are old
    numbers, whose check digit is only a warning, because the new numbering doesn't guarantee it. The others are a NIK or
    newly issued numbers; they aren't checked as a NIK, because the two kinds can't be told apart.
    """
    value = _SEPARATORS.sub("", raw)
    if not _DIGITS_15_16.fullmatch(value):
        return Checked(None, (_NPWP_LENGTH,))
    if len(value) == 15:
        return Checked(value) if luhn.is_valid(value[:9]) else Checked(None, (_NPWP_CHECK,))
    if value[0] == "0" and not luhn.is_valid(value[1:10]):
        return Checked(value, warnings=(_NPWP_CHECK,))
    return Checked(value)


def kbli(raw: str, version: str) -> Checked:
    """The KBLI code as 5 digits, of the edition `version` ("2020" or "2025"); a code that our list lacks is a warning (R4)."""
    if version not in CODES:
        return Checked(None, (_KBLI_VERSION,))
    value = raw.strip()
    if not _DIGITS_5.fullmatch(value):
        return Checked(None, (_KBLI,))
    known = CODES[version]
    return Checked(value) if known is None or value in known else Checked(value, warnings=(_KBLI_UNKNOWN,))


def phone(raw: str) -> Checked:
    """An Indonesian telephone number as E.164, "+62..." (R4); numbers of other countries are an error."""
    plain = _PLAIN_MOBILE.fullmatch(raw)
    if plain is not None:
        return Checked("+62" + plain[1])
    return _phone_by_library(raw)


def _phone_by_library(raw: str) -> Checked:
    """The slow path (some 16 µs against 0.5): landlines, separators, brackets, and every refusal, by phonenumbers' metadata."""
    text = raw.strip()
    if not _PHONE_CHARACTERS.fullmatch(text):
        return Checked(None, (_PHONE,))
    if _62_WITHOUT_PLUS.match(text):
        # "62812345678" also reads as area 0628, so the library would take the short ones for landlines.
        text = "+" + text.lstrip("(")
    try:
        number = phonenumbers.parse(text, "ID")
    except phonenumbers.NumberParseException:
        return Checked(None, (_PHONE,))
    if number.country_code != 62 or not phonenumbers.is_valid_number(number):
        return Checked(None, (_PHONE,))
    return Checked(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def email(raw: str) -> Checked:
    """An e-mail address, its domain in lower case (R4); plain ASCII forms only, no quoted names or IP literals."""
    text = raw.strip()
    if not _EMAIL.fullmatch(text):
        return Checked(None, (_EMAIL_FORM,))
    name, _, domain = text.rpartition("@")
    return Checked(f"{name}@{domain.lower()}")
