"""Errors that rules raise and that callers understand. No HTTP here: problems.py turns them into statuses.

DomainError
├── Invalid            the input can't be right
├── RuleBroken         the input is well formed but a rule (R1 … R18) forbids it now
├── NotFound           there is no such thing, or it isn't yours
├── Conflict           it clashes with what is there
│   └── InFlight       the same Idempotency-Key is being worked on
├── Stale              If-Match names an older version
├── NotAuthenticated   no credential, or one that doesn't hold
├── Forbidden          the credential doesn't allow this
├── TooMany            rate limit
├── TooLarge           the body is over the limit
└── Unavailable        a dependency is down, or the outcome of a commit is unknown
    └── TooSlow        a query took longer than one may
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One failing rule, or a warning: it carries no input, for it goes to logs, files and people, and must never leak a NIK."""

    field: Annotated[str, Field(description="Path of the field, or the rule's subject")]
    code: Annotated[str, Field(description="Stable code, e.g. R1.length")]
    message_id: Annotated[str, Field(description="Text in Bahasa Indonesia")]
    message_en: Annotated[str, Field(description="Text in English")]


class DomainError(Exception):
    """A refusal with a stable code and texts in both languages."""

    def __init__(self, code: str, message_id: str, message_en: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message_en)
        self.code = code
        self.message_id = message_id
        self.message_en = message_en
        self.errors = errors


class Invalid(DomainError):
    """The input can't be right."""


class RuleBroken(DomainError):
    """Well formed, but a rule forbids it now."""


class NotFound(DomainError):
    """There is no such thing, or it isn't the caller's: the two look the same on purpose."""


class Conflict(DomainError):
    """It clashes with what is there."""


class InFlight(Conflict):
    """The same Idempotency-Key is being worked on."""


class Stale(DomainError):
    """If-Match names a version that is no longer the current one."""


class NotAuthenticated(DomainError):
    """No credential, or one that doesn't hold."""


class Forbidden(DomainError):
    """The credential doesn't allow this."""


class TooMany(DomainError):
    """Over the rate limit; `retry_after` in seconds, `headers` say which limit it is."""

    def __init__(self, retry_after: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__("rate_limited", "Terlalu banyak permintaan. Coba lagi nanti.", "Too many requests. Try again later.")
        self.retry_after = retry_after
        self.headers = headers


class TooLarge(DomainError):
    """The body is over the limit."""


class Unavailable(DomainError):
    """A dependency is down, or a commit's outcome is unknown: try again with the same Idempotency-Key."""

    def __init__(
        self, message_en: str = "The service can't reach its database. Try again with the same Idempotency-Key."
    ) -> None:
        super().__init__(
            "unavailable",
            "Layanan sedang tidak dapat dijangkau. Coba lagi dengan Idempotency-Key yang sama.",
            message_en,
        )


class TooSlow(Unavailable):
    """The database gave up a query that took longer than one may."""

    def __init__(self) -> None:
        super().__init__("The query takes too long. Narrow it down with more filters, or try again later.")
        self.code = "too_slow"
        self.message_id = "Pencarian memakan waktu terlalu lama. Persempit dengan penyaring lain atau coba lagi nanti."


def invalid(*errors: FieldError) -> Invalid:
    """The usual refusal of input, with every failing field."""
    return Invalid("invalid", "Data belum benar. Periksa isian yang ditandai.", "Some fields are not right.", errors)


def not_found(what_id: str, what_en: str) -> NotFound:
    """The usual refusal for an unknown id."""
    return NotFound("not_found", f"{what_id} tidak ditemukan.", f"{what_en} not found.")
