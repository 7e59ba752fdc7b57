"""Settings of training: its ports and the numbers of its rules (R9 to R12)."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from chassis.settings import Settings
from services.training.policy import Rules


class TrainingSettings(Settings):
    """See chassis/settings.py for what every service has."""

    port: int = Field(default=8102, description="Public port")
    internal_port: int = Field(default=9102, description="Port of /metrics and /health")

    offer_hours: int = Field(default=48, ge=1, description="R11: an offer lapses after so many hours")
    cut_off_hours: int = Field(default=24, ge=0, description="R11: no offers in the last hours before the start")
    offers_after_registration_close: bool = Field(
        default=False, description="R11: whether seats that become free after registration closed are still offered"
    )
    waiting_limit: int = Field(default=10_000, ge=0, description="Most people on one waiting list")
    completion_percent: int = Field(default=80, ge=1, le=100, description="R12: attended of scheduled minutes")
    late_upload_hours: int = Field(default=48, ge=0, description="R12: scans are taken so long after the end")
    scan_tolerance_minutes: int = Field(default=30, ge=0, description="R12: how far outside a session a scan may lie")
    transitions_follow_clock: bool | None = Field(
        default=None,
        description="R10, R12: whether a training runs only from its start and completes only after its end, and scans can't lie "
        "ahead. None: only outside local. Off lets a demonstration run a whole course in a minute; it is refused outside local",
    )
    settle_at_once: int = Field(default=250, ge=1, le=1000, description="Enrolments settled in one transaction at the end")
    offers_swept_at_once: int = Field(default=500, ge=1, description="Lapsed offers that one sweep takes")

    api_key_days: int = Field(default=365, ge=1, le=365, description="Longest life of a partner's API key")
    api_key_cache_seconds: float = Field(
        default=3.0, ge=0, le=5.0, description="How long a looked-up API key is believed: a revocation works after it"
    )

    def rules(self) -> Rules:
        """The numbers as the rules take them; raises ValueError for a setting that only JAKPRENEUR_ENV=local allows."""
        local = self.env == "local"
        if self.transitions_follow_clock is False and not local:
            # Otherwise a training could be completed before it takes place, and its people would count as P2, P3 or P5.
            raise ValueError("outside JAKPRENEUR_ENV=local trainings follow the clock: unset JAKPRENEUR_TRANSITIONS_FOLLOW_CLOCK")
        return Rules(
            offer=timedelta(hours=self.offer_hours),
            cut_off=timedelta(hours=self.cut_off_hours),
            offers_after_close=self.offers_after_registration_close,
            waiting_limit=self.waiting_limit,
            completion_percent=self.completion_percent,
            late_upload=timedelta(hours=self.late_upload_hours),
            scan_tolerance=timedelta(minutes=self.scan_tolerance_minutes),
            follow_clock=bool(self.transitions_follow_clock) or not local,
            api_key_days=self.api_key_days,
        )
