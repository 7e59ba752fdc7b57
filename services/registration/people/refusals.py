"""The refusals of people: stable codes, and texts in both languages. None of them carries a value that somebody typed."""

from __future__ import annotations

from typing import Final, get_args

from chassis.errors import Conflict, FieldError, Invalid, NotFound, Stale, invalid, not_found
from contracts.reference import PROGRAMME_START, Dinas
from services.registration.reference.commodities import COMMODITIES

ALREADY_REGISTERED: Final = "R2.already_registered"
YOUNGEST: Final = 15  # years: nobody may work before (UU 13/2003, articles 68 and 69; ILO convention 138)

_DINAS: Final = ", ".join(get_args(Dinas))
UNKNOWN_DINAS: Final = FieldError(
    "dinas", "unknown_dinas", f"Kode dinas tidak dikenal. Pilihan: {_DINAS}.", f"Unknown code of a dinas. Choices: {_DINAS}."
)
REGISTERED_ON: Final = FieldError(
    "registered_on",
    "registered_on",
    "Tanggal pendaftaran di luar masa program atau di masa depan.",
    "Before the programme, or in the future.",
)
BIRTH_DATE: Final = FieldError("birth_date", "birth_date", "Tanggal lahir tidak masuk akal.", "Not a possible date of birth.")
TOO_YOUNG: Final = FieldError(
    "birth_date",
    "too_young",
    f"Umur pada tanggal pendaftaran kurang dari {YOUNGEST} tahun.",
    f"Younger than {YOUNGEST} years on the day of registration.",
)
STARTED_IN_FUTURE: Final = FieldError("business.started_on", "future", "Tidak boleh di masa depan.", "Can't be in the future.")
STARTED_BEFORE_BIRTH: Final = FieldError(
    "business.started_on", "before_birth", "Tidak boleh sebelum tanggal lahir.", "Can't be before the date of birth."
)
CONSENT_TOO_OLD: Final = FieldError(
    "consent.given_at",
    "too_old",
    f"Tidak boleh sebelum program dimulai ({PROGRAMME_START}).",
    f"Can't be before the programme began ({PROGRAMME_START}).",
)
CONSENT_IN_FUTURE: Final = FieldError("consent.given_at", "future", "Tidak boleh di masa depan.", "Can't be in the future.")
BUSINESS_REQUIRED: Final = FieldError(
    "business",
    "R5.business_required",
    "Kategori naik_kelas memerlukan data usaha.",
    "Category naik_kelas needs a business.",
)
UNKNOWN_COMMODITY: Final = FieldError(
    "business.commodity",
    "unknown_commodity",
    f"Kode komoditas tidak dikenal. Pilihan: {', '.join(COMMODITIES)}.",
    f"Unknown commodity code. Choices: {', '.join(COMMODITIES)}.",
)


def officer_only(field: str) -> FieldError:
    """Somebody who is no officer gave a field that only officers may give."""
    return FieldError(field, "officer_only", "Hanya petugas yang boleh mengisi ini.", "Only officers may give this.")


def already_registered() -> Conflict:
    """R2. The refusal says nothing about the person who holds the NIK."""
    text = ("NIK ini sudah terdaftar.", "This NIK is registered already.")
    return Conflict(ALREADY_REGISTERED, *text, (FieldError("nik", ALREADY_REGISTERED, *text),))


def already_decided() -> Conflict:
    """A registration is verified or rejected once."""
    return Conflict("already_decided", "Pendaftaran ini sudah diputuskan.", "This registration was decided already.")


def verified_on_out_of_range() -> Invalid:
    """The day of a decision lies before the registration or in the future."""
    text = ("Harus antara tanggal pendaftaran dan hari ini.", "Must lie between the registration and today.")
    return invalid(FieldError("verified_on", "verified_on", *text))


def reasons_missing() -> Invalid:
    """A rejection without a reason."""
    return invalid(FieldError("reasons", "missing", "Penolakan memerlukan alasan.", "A rejection needs a reason."))


def unknown_jakpreneur() -> NotFound:
    """There is no such person, or they are another dinas' person: the two refusals are equal on purpose."""
    return not_found("Jakpreneur", "Jakpreneur")


def stale_jakpreneur() -> Stale:
    """If-Match names an older version of the person."""
    return Stale("stale", "Data sudah diubah orang lain. Muat ulang.", "The document has changed meanwhile. Load it again.")
