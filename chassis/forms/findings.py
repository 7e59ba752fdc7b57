"""What a rule has to say about one field, in both languages; and the answer of a rule that also normalises.

A finding carries no input value: it goes to logs, to `errors.csv` and to the person, and must never leak a NIK.
"""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Finding:
    """One failing rule: the form field, a stable code ("R1.length"), and the text in Indonesian and in English."""

    field: str
    code: str
    message_id: str
    message_en: str


class Checked(NamedTuple):
    """A field in its canonical form, or None when it can't have one; errors refuse the form, warnings go along."""

    value: str | None
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
