"""Settings of metrics: its ports and the numbers of its rules."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import Settings


class MetricsSettings(Settings):
    """Adds to what every service has (chassis/settings.py)."""

    port: int = Field(default=8103, description="Public port")
    internal_port: int = Field(default=9103, description="Port of /metrics and /health")
    reconcile_every_seconds: float = Field(default=3600.0, description="How often the ledger is recounted")
    smallest_public_cell: int = Field(default=5, description="Smaller cells are suppressed in public figures (R18)")
