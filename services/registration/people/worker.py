"""The background worker of people: keeps the service's Prometheus gauges."""

from __future__ import annotations

import asyncio

from services.registration import telemetry
from services.registration.people.store import PeopleStore

_EVERY_SECONDS = 5.0


async def count_people(store: PeopleStore) -> None:
    """One round of the worker: set the gauges of people registered and verified, and wait."""
    registered, verified = await store.counts()
    telemetry.REGISTERED.set(registered)
    telemetry.VERIFIED.set(verified)
    await asyncio.sleep(_EVERY_SECONDS)
