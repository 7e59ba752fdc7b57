"""Metrics' own Prometheus series. Reconciliation sets its own by `reconciled`; figures/worker.py sets the others."""

from __future__ import annotations

import time

from prometheus_client import Gauge

DIFFERENCE = Gauge("reconciliation_difference", "Sum of differences between ledger and rollups; must be 0")
AGE = Gauge("reconciliation_age_seconds", "Seconds since the ledger was last recounted")
TRAINED = Gauge("jakpreneurs_trained", "People who completed a training (stage P2)")


_reconciled: float = time.time()
AGE.set_function(lambda: time.time() - _reconciled)


def reconciled(difference: int) -> None:
    """The ledger was recounted just now."""
    global _reconciled  # noqa: PLW0603 - the gauge's age is counted from the last result of this process
    _reconciled = time.time()
    DIFFERENCE.set(difference)
