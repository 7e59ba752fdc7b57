"""Metrics' own Prometheus series. Reconciliation sets its own by `reconciled`; figures/worker.py sets the others."""

from __future__ import annotations

import time
from datetime import datetime

from prometheus_client import Gauge

DIFFERENCE = Gauge("reconciliation_difference", "Sum of differences between ledger and rollups; must be 0")
AGE = Gauge("reconciliation_age_seconds", "Seconds since the ledger was last recounted")
TRAINED = Gauge("jakpreneurs_trained", "People who completed a training (stage P2)")


_reconciled: float = time.time()  # until a result is known: that of a new platform isn't late yet
AGE.set_function(lambda: time.time() - _reconciled)


def reconciled(difference: int, checked_at: str) -> None:
    """What the last recount found, by whichever process, and when (ISO 8601)."""
    global _reconciled  # noqa: PLW0603 - the gauge's age is counted from the last result
    _reconciled = datetime.fromisoformat(checked_at).timestamp()
    DIFFERENCE.set(difference)


def reconciled_at() -> float:
    """When the last known recount ended, as a Unix time."""
    return _reconciled
