"""The numbers of R9-R12, as settings give them; and who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """Configuration of the rules; the defaults are those of the programme."""

    offer: timedelta = timedelta(hours=48)
    cut_off: timedelta = timedelta(hours=24)
    offers_after_close: bool = False
    waiting_limit: int = 10_000
    completion_percent: int = 80
    late_upload: timedelta = timedelta(hours=48)
    scan_tolerance: timedelta = timedelta(minutes=30)
    follow_clock: bool = False
    api_key_days: int = 365


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an officer or admin (`staff`, perhaps of one dinas), a partner, a citizen, or nobody known."""

    id: str = "anonymous"
    staff: bool = False
    dinas: str | None = None
    partner_id: str | None = None
    jakpreneur_id: str | None = None
    scopes: frozenset[str] = frozenset()

    def owns(self, training: Mapping[str, Any]) -> bool:
        """Whether the training is theirs to manage: a partner's own, or one of the officer's dinas or of none."""
        if self.partner_id is not None:
            return bool(training["partner_id"] == self.partner_id)
        return self.staff and (self.dinas is None or training["dinas"] in (None, self.dinas))


SYSTEM = Actor(id="system", staff=True)  # the service's own workers
