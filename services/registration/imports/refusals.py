"""The refusals of imports: stable codes, and texts in both languages. None of them carries the value of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.errors import FieldError, Invalid, NotFound, TooLarge, invalid, not_found

VERIFIED_BEFORE_REGISTERED: Final = FieldError(
    "verified_on", "verified_on", "Tidak boleh sebelum tanggal pendaftaran.", "Can't be before the registration."
)
_SHOWN_NAME = 60  # characters of a column's name


def unknown_import() -> NotFound:
    """There is no such import."""
    return not_found("Impor", "Import")


def wrong_content_type() -> Invalid:
    """The upload is neither CSV nor a form."""
    text = ("Kirim CSV sebagai text/csv atau multipart/form-data.", "Send CSV as text/csv or multipart/form-data.")
    return invalid(FieldError("Content-Type", "content_type", *text))


def file_missing() -> Invalid:
    """The form holds no file."""
    return invalid(FieldError("file", "missing", "Berkas wajib diunggah.", "A file is required."))


def file_too_large(max_bytes: int) -> TooLarge:
    """The file exceeds the limit, which is told in MB."""
    limit = max_bytes // 1_000_000
    return TooLarge(
        "too_large",
        f"Berkas melebihi {limit} MB. Bagi menjadi beberapa berkas.",
        f"The file exceeds {limit} MB. Split it.",
    )


def file_is_workbook() -> Invalid:
    """The file is an Excel workbook."""
    text = ("Simpan buku kerja sebagai CSV (UTF-8) lalu unggah.", "Save the workbook as CSV (UTF-8) and upload that.")
    return invalid(FieldError("file", "workbook", *text))


def file_not_utf8() -> Invalid:
    """The header line isn't UTF-8."""
    return invalid(FieldError("file", "encoding", "Berkas harus UTF-8.", "The file must be UTF-8."))


def file_empty() -> Invalid:
    """There is no header line."""
    return invalid(FieldError("file", "empty", "Berkas kosong.", "The file is empty."))


def header_not_csv() -> Invalid:
    """The header line has line breaks of an old Macintosh, or is too long for the CSV reader."""
    text = ("Baris judul tidak dapat dibaca sebagai CSV.", "The header line can't be read as CSV.")
    return invalid(FieldError("header", "header", *text))


def unknown_column(name: str) -> FieldError:
    """The header names a column that the form doesn't have."""
    return _column(name, "unknown_column", "Kolom tidak dikenal", "Unknown column")


def missing_column(name: str) -> FieldError:
    """The header lacks a column that every row needs."""
    return _column(name, "missing_column", "Kolom tidak ada", "Missing column")


def double_column(name: str) -> FieldError:
    """The header names a column twice."""
    return _column(name, "double_column", "Kolom muncul dua kali", "Column appears twice")


def _column(name: str, code: str, text_id: str, text_en: str) -> FieldError:
    shown = name[:_SHOWN_NAME] if name.isprintable() else "?"
    return FieldError(f"header.{shown}", code, f"{text_id}: {shown}.", f"{text_en}: {shown}.")


def cells_not_utf8(names: Sequence[str]) -> Invalid:
    """These cells of a row hold bytes that aren't UTF-8."""
    text = ("Huruf tidak terbaca. Simpan sebagai CSV UTF-8.", "Letters can't be read. Save the file as CSV UTF-8.")
    return invalid(*(FieldError(name, "row.encoding", *text) for name in names))


def row_broken(columns: int | None, expected: int) -> Invalid:
    """A row has another number of columns than the header, or can't be read as CSV (None)."""
    found = "?" if columns is None else str(columns)
    return invalid(
        FieldError(
            "row",
            "row.columns",
            f"Baris rusak: {found} kolom, seharusnya {expected}. Periksa tanda kutip, pemisah, dan ganti baris di dalam sel.",
            f"Broken row: {found} columns instead of {expected}. Check quotes, separators and line breaks within cells.",
        )
    )


def verified_on_not_a_date() -> Invalid:
    """The day of verification can't be read, or lies in the future."""
    text = ("Bukan tanggal yang benar atau di masa depan.", "Not a date, or in the future.")
    return invalid(FieldError("verified_on", "verified_on", *text))
