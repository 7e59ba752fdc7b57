"""The answer of a field rule that also normalises."""

from __future__ import annotations

from typing import NamedTuple

from chassis.errors import FieldError


class Checked(NamedTuple):
    """A field in its canonical form, or None when it can't have one; errors refuse the form, warnings go along."""

    value: str | None
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[FieldError, ...] = ()
