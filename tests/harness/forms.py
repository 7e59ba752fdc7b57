"""Registrations to send: synthetic people, recognisable by NIK serials from 9001 and telephone prefix 0861."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

_FIRST_DAY = date(1950, 1, 1)
_DAYS = 18_000
_SERIALS = 999


def nik(number: int) -> str:
    """The NIK of synthetic woman `number`: distinct for each number below about 18 million."""
    born = _born(number)
    serial = 9001 + number // _DAYS % _SERIALS
    return f"317101{born.day + 40:02d}{born.month:02d}{born.year % 100:02d}{serial}"


def registration(number: int, **changes: Any) -> dict[str, Any]:
    """The body of `POST /v1/jakpreneurs` for person `number`; the same number is the same person."""
    form: dict[str, Any] = {
        "nik": nik(number),
        "name": f"Siti Contoh {number}",
        "birth_date": _born(number).isoformat(),
        "gender": "female",
        "phone": f"0861{number % 10**8:08d}",
        "kelurahan": "31.71.01.1001",
        "category": "pemula",
        "consent": {"version": "2", "given_at": "2021-02-01T09:30:00+07:00"},
    }
    return form | changes


def _born(number: int) -> date:
    return _FIRST_DAY + timedelta(days=number % _DAYS)
