"""Pydantic's findings as field errors in both languages. What was sent is never repeated: it may be personal data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

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
_MOST = 50  # findings told at once
_TRANSPORT: Final = ("body", "query", "path", "header")  # where FastAPI found it, not a field
# What a programmer calls a field. Anything else that stands where a name belongs may be a value: a NIK, a name, an address.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,39}[0-9]{0,2}")


def shown_name(name: str, place: int | None = None) -> str:
    """A name that a caller made up, if it looks like a field's; otherwise its place, counted from 1, or a question mark."""
    if _NAME.fullmatch(name):
        return name
    return "?" if place is None else f"#{place}"


def from_validation(problems: Sequence[Any]) -> Invalid:
    """Pydantic's findings as the usual refusal."""
    return invalid(*findings(problems))


def findings(problems: Sequence[Any]) -> list[FieldError]:
    """Pydantic's findings as field errors."""
    return [_finding(problem) for problem in problems[:_MOST]]


def _finding(problem: Any) -> FieldError:
    kind = str(problem["type"])
    path = [str(part) for part in problem["loc"] if part not in _TRANSPORT]
    if kind == "extra_forbidden" and path:
        path[-1] = shown_name(path[-1])
    name = ".".join(path) or "body"
    context = problem.get("ctx") or {}
    if "message_id" in context:  # one of our own rules
        return FieldError(name, kind, f"{name}: {context['message_id']}", f"{name}: {problem['msg']}")
    text_id, text_en = _FIELD_TEXTS.get(kind) or _FAMILIES.get(kind.partition("_")[0]) or ("tidak benar", str(problem["msg"]))
    choices = _choices(context) if kind in ("literal_error", "enum") else ""
    return FieldError(name, kind, f"{name}: {text_id}{choices}.", f"{name}: {text_en}{choices}.")


def _choices(context: dict[str, Any]) -> str:
    """Pydantic writes the choices as `'a', 'b' or 'c'`."""
    choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    return f" ({', '.join(choices)})" if choices else ""
