"""A broken promise, as the ledger check names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Harm = Literal["lost", "doubled", "out of order", "wrong"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: which check, what harm, and where to look."""

    check: str
    harm: Harm
    what: str
