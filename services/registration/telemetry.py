"""Registration's domain figures for Prometheus, kept by a worker."""

from __future__ import annotations

import asyncio

from prometheus_client import Gauge

from services.registration.people.store import Store

REGISTERED = Gauge("jakpreneurs_registered", "People registered, whatever their state")
VERIFIED = Gauge("jakpreneurs_verified", "People whose registration was verified")
_EVERY_SECONDS = 5.0


async def keep(store: Store) -> None:
    """Worker: set the gauges once, and wait."""
    registered, verified = await store.counts()
    REGISTERED.set(registered)
    VERIFIED.set(verified)
    await asyncio.sleep(_EVERY_SECONDS)
