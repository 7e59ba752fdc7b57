"""Pydantic's findings as field errors in both languages."""

from __future__ import annotations

from typing import Any

from chassis.errors import FieldError, Invalid, invalid

_FIELD_TEXTS = {
    "missing": ("wajib diisi", "is required"),
    "extra_forbidden": ("tidak dikenal", "is not a known field"),
    "string_too_short": ("terlalu pendek", "is too short"),
    "string_too_long": ("terlalu panjang", "is too long"),
    "string_pattern_mismatch": ("bentuknya tidak benar", "does not have the right form"),
    "literal_error": ("bukan salah satu pilihan", "is not one of the choices"),
    "enum": ("bukan salah satu pilihan", "is not one of the choices"),
    "json_invalid": ("bukan JSON yang benar", "is not valid JSON"),
    "greater_than_equal": ("terlalu kecil", "is too small"),
    "less_than_equal": ("terlalu besar", "is too large"),
}
_FAMILIES = {
    "date": ("bukan tanggal yang benar (TTTT-BB-HH)", "is not a date (YYYY-MM-DD)"),
    "datetime": ("bukan waktu yang benar dengan zona", "is not a time with an offset"),
    "timezone": ("bukan waktu yang benar dengan zona", "is not a time with an offset"),
    "int": ("harus bilangan bulat", "must be a whole number"),
    "string": ("harus teks", "must be text"),
    "bool": ("harus true atau false", "must be true or false"),
    "list": ("harus daftar", "must be a list"),
}


def from_validation(problems: list[Any]) -> Invalid:
    """Pydantic's findings as field errors in both languages. Inputs are left out: they may be personal data."""
    found = []
    for problem in problems[:50]:
        kind = str(problem["type"])
        path = ".".join(str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header"))
        texts = _FIELD_TEXTS.get(kind) or _FAMILIES.get(kind.partition("_")[0])
        text_id, text_en = texts or ("tidak benar", str(problem["msg"]))
        name = path or "body"
        found.append(FieldError(name, kind, f"{name}: {text_id}.", f"{name}: {text_en}."))
    return invalid(*found)
