"""The worker that keeps the gauges of seats for Prometheus. Next: services/training/telemetry.py."""

from __future__ import annotations

import asyncio

from services.training import telemetry
from services.training.seats.store import SeatStore

_EVERY_SECONDS = 5.0


async def keep_gauges(store: SeatStore) -> None:
    """Set the gauges once, then wait: the process calls this again and again."""
    trainings, seats = await store.seats()
    telemetry.OPEN.set(trainings)
    for state, number in seats.items():
        telemetry.SEATS.labels(state).set(number)
    await asyncio.sleep(_EVERY_SECONDS)
