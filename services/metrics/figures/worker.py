"""The background worker of figures: keeps the service's Prometheus gauges."""

from __future__ import annotations

import asyncio

from services.metrics import telemetry
from services.metrics.figures.store import FigureStore

_EVERY_SECONDS = 5.0


async def count_trained(store: FigureStore) -> None:
    """One round of the worker: set the gauge of people who completed a training, and wait."""
    telemetry.TRAINED.set(await store.total("P2", None))
    await asyncio.sleep(_EVERY_SECONDS)
