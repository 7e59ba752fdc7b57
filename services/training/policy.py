"""The numbers of R9 to R12. settings.py reads them from the environment; the defaults are those of the programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    """Configuration of the rules."""

    offer: timedelta = timedelta(hours=48)  # R11: how long an offer of a seat is valid
    cut_off: timedelta = timedelta(hours=24)  # R11: no offer is made or accepted so long before the start
    offers_after_close: bool = False  # R11: whether seats are still offered after registration has closed
    waiting_limit: int = 10_000  # R11: most people on one waiting list
    completion_percent: int = 80  # R12: attended of scheduled minutes
    late_upload: timedelta = timedelta(hours=48)  # R12: how long after the end scans are recorded
    scan_tolerance: timedelta = timedelta(minutes=30)  # R12: how far outside a session a scan may lie
    follow_clock: bool = False  # R10, R12: whether transitions and scans are checked against the clock
    api_key_days: int = 365  # R9: longest life of an API key
