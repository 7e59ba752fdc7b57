"""The refusals of imports: stable codes, and texts in both languages. None of them carries the value of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.errors import FieldError, Invalid, NotFound, TooLarge, invalid, not_found
from chassis.forms.validation import shown_name

VERIFIED_BEFORE_REGISTERED: Final = FieldError(
    "verified_on", "verified_on", "Tidak boleh sebelum tanggal pendaftaran.", "Can't be before the registration."
)


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


def header_missing() -> Invalid:
    """No row of the first ones names the columns. What stands there instead may be a person: nothing of it is shown."""
    text = (
        "Baris judul tidak ditemukan. Baris pertama harus berisi nama kolom, antara lain nik, name, birth_date.",
        "There is no header. The first row must hold the names of the columns, among them nik, name, birth_date.",
    )
    return invalid(FieldError("header", "header_missing", *text))


def unknown_column(place: int, cell: str) -> FieldError:
    """The header names a column that the form doesn't have; told by its place if the cell doesn't look like a name."""
    return _column(shown_name(cell, place), "unknown_column", "Kolom tidak dikenal", "Unknown column")


def migrator_only(name: str) -> Invalid:
    """Only a migrator may import verifications: else a file would do what the API refuses its uploader."""
    text = (
        f"Kolom {name} hanya untuk data lama dan memerlukan peran migrator. Hapus kolom ini.",
        f"The column {name} is for historical records and needs the role migrator. Remove it.",
    )
    return invalid(FieldError(f"header.{name}", "migrator_only", *text))


def missing_column(name: str) -> FieldError:
    """The header lacks a column that every row needs."""
    return _column(name, "missing_column", "Kolom tidak ada", "Missing column")


def double_column(name: str) -> FieldError:
    """The header names a column twice."""
    return _column(name, "double_column", "Kolom muncul dua kali", "Column appears twice")


def _column(name: str, code: str, text_id: str, text_en: str) -> FieldError:
    return FieldError(f"header.{name}", code, f"{text_id}: {name}.", f"{text_en}: {name}.")


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


VERIFIED_IN_FUTURE: Final = FieldError("verified_on", "verified_on", "Tidak boleh di masa depan.", "Can't be in the future.")


def not_a_date(name: str) -> FieldError:
    """A cell that is no day."""
    return FieldError(
        name,
        "verified_on" if name == "verified_on" else "date_parsing",
        "Bukan tanggal yang benar. Tulis sebagai 15/12/2020 (hari/bulan/tahun) atau 2020-12-15.",
        "Not a date. Write it as 15/12/2020 (day/month/year) or 2020-12-15.",
    )


def not_a_time(name: str) -> FieldError:
    """A cell that is no moment."""
    return FieldError(
        name,
        "datetime_parsing",
        "Bukan waktu yang benar. Tulis sebagai 15/12/2020 09:30 (waktu Jakarta) atau 2020-12-15T09:30:00+07:00.",
        "Not a time. Write it as 15/12/2020 09:30 (Jakarta time) or 2020-12-15T09:30:00+07:00.",
    )


def not_an_amount(name: str) -> FieldError:
    """A cell that is no whole number, or could be two."""
    return FieldError(
        name,
        "int_parsing",
        "Bukan bilangan bulat. Tulis sebagai 1500000 atau 1.500.000, tanpa desimal.",
        "Not a whole number. Write it as 1500000 or 1.500.000, without decimals.",
    )


def nik_as_number() -> FieldError:
    """A NIK that Excel shows, and has saved, as 3,17E+15: its last digits are lost."""
    return FieldError(
        "nik",
        "R1.number",
        "Excel menyimpan NIK sebagai angka sehingga digitnya hilang. Format kolom NIK sebagai Teks dan isi kembali.",
        "Excel has saved the NIK as a number and lost its digits. Format the column as Text and fill it in again.",
    )


def niks_rounded() -> Invalid:
    """So many NIKs end in 0 that a spreadsheet must have rounded them."""
    text_id = (
        "Terlalu banyak NIK berakhiran 0: tampaknya Excel membulatkan digit terakhirnya. Tidak ada baris yang disimpan. Format "
        "kolom NIK sebagai Teks, isi kembali dari sumbernya, lalu unggah lagi."
    )
    text_en = (
        "Too many NIKs end in 0: Excel seems to have rounded their last digit. No row was stored. Format the column as Text, "
        "fill it in again from its source, and upload the file again."
    )
    return Invalid("niks_rounded", text_id, text_en, (FieldError("nik", "niks_rounded", text_id, text_en),))
