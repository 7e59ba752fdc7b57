"""Metrics' own series: reconciliation, and the domain figures that the ledger knows."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import Gauge

from services.metrics.figures.store import Figures

DIFFERENCE = Gauge("reconciliation_difference", "Sum of differences between ledger and rollups; must be 0")
AGE = Gauge("reconciliation_age_seconds", "Seconds since the ledger was last recounted")
TRAINED = Gauge("jakpreneurs_trained", "People who completed a training (stage P2)")
_EVERY_SECONDS = 5.0


_reconciled: float = time.time()
AGE.set_function(lambda: time.time() - _reconciled)


def reconciled(difference: int) -> None:
    """The ledger was recounted just now."""
    global _reconciled  # noqa: PLW0603 - the gauge's age is counted from the last result of this process
    _reconciled = time.time()
    DIFFERENCE.set(difference)


async def keep(figures: Figures) -> None:
    """Worker: set the gauges once, and wait."""
    TRAINED.set(await figures.total("P2", None))
    await asyncio.sleep(_EVERY_SECONDS)
