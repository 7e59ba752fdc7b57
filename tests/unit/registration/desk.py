"""Registration's desk: its usual time, and its refusals by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.harness import desk

NOW = datetime(2021, 3, 1, 20, 0, tzinfo=UTC)  # already 2 March in Jakarta


class Desk(desk.Desk):
    """At NOW."""

    def __init__(self) -> None:
        super().__init__(NOW)


def codes(refusal: Any) -> list[tuple[str, str]]:
    """Field and code of all failing rules."""
    return [(error.field, error.code) for error in refusal.errors]
