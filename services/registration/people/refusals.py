"""The refusals of people: stable codes, and texts in both languages. None of them carries a value that somebody typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.errors import Conflict, FieldError, Invalid, NotFound, Stale, invalid, not_found

UNKNOWN_DINAS: Final = FieldError("dinas", "unknown_dinas", "Kode dinas tidak dikenal.", "Unknown code of a dinas.")
REGISTERED_ON: Final = FieldError(
    "registered_on",
    "registered_on",
    "Tanggal pendaftaran di luar masa program atau di masa depan.",
    "Before the programme, or in the future.",
)
BIRTH_DATE: Final = FieldError("birth_date", "birth_date", "Tanggal lahir tidak masuk akal.", "Not a possible date of birth.")
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
    "Kode komoditas tidak dikenal; lihat /v1/commodities.",
    "Unknown commodity code; see /v1/commodities.",
)


def officer_only(field: str) -> FieldError:
    """Somebody who is no officer gave a field that only officers may give."""
    return FieldError(field, "officer_only", "Hanya petugas yang boleh mengisi ini.", "Only officers may give this.")


def already_registered() -> Conflict:
    """R2. The refusal says nothing about the person who holds the NIK."""
    text = ("NIK ini sudah terdaftar.", "This NIK is registered already.")
    return Conflict("R2.already_registered", *text, (FieldError("nik", "R2.already_registered", *text),))


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


def not_revealable(choices: Sequence[str]) -> Invalid:
    """Somebody asked to reveal nothing, or a field that isn't personal data."""
    text = (f"Isi dengan: {', '.join(choices)}.", f"Choose from: {', '.join(choices)}.")
    return invalid(FieldError("reveal", "reveal", *text))


def reveal_reason_missing() -> Invalid:
    """Personal data is revealed for a reason only."""
    text = ("Sebutkan alasan (minimal 5 huruf).", "Say why (at least 5 letters).")
    return invalid(FieldError("reason", "reason_required", *text))
