"""Settings of registration: its ports and the numbers of its rules."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import Settings


class RegistrationSettings(Settings):
    """Adds to what every service has (chassis/settings.py)."""

    port: int = Field(default=8101, description="Public port")
    internal_port: int = Field(default=9101, description="Port of /metrics and /health")
    import_max_bytes: int = Field(default=200_000_000, description="Largest file of an import")
    import_rows_at_once: int = Field(default=1000, ge=1, description="Rows decided together in an import")
    import_lease_seconds: float = Field(default=30.0, description="An import whose worker died goes on elsewhere after it")
