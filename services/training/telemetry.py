"""Training's domain figures for Prometheus, kept by a worker."""

from __future__ import annotations

import asyncio

from prometheus_client import Counter, Gauge

from services.training.store import Store

OPEN = Gauge("trainings_open", "Trainings that are published, closed or running")
SEATS = Gauge("training_seats", "Seats of open trainings, and people waiting for one", ["state"])
OFFERS_LAPSED = Counter("training_offers_lapsed_total", "Offers of a seat that lapsed unanswered")
WORK_FAILED = Counter("training_work_failed_total", "Decisions of a worker that failed and will be tried again", ["worker"])
_EVERY_SECONDS = 5.0


async def keep(store: Store) -> None:
    """Worker: set the gauges once, and wait."""
    trainings, seats = await store.seats()
    OPEN.set(trainings)
    for state, number in seats.items():
        SEATS.labels(state).set(number)
    await asyncio.sleep(_EVERY_SECONDS)
