"""Counts that all replicas of a service share, for a while. Implements chassis.access.rate_limits.Counts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from chassis import logs
from chassis.database.mongo import Mongo

log = logs.get(__name__)
RATE_LIMITS = "rate_limits"
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 5.0  # after a failure: an outage must not cost every request its patience


async def ensure_indexes(mongo: Mongo) -> None:
    """Counts are forgotten when their window is over."""
    await mongo[RATE_LIMITS].create_index("expires_at", expireAfterSeconds=0)


class SharedCounts:
    """A document for each count. A failover may lose the last ones: the next window begins at 0 anyway."""

    def __init__(self, mongo: Mongo) -> None:
        self._again_at = 0.0  # monotonic
        self._counts = mongo[RATE_LIMITS].with_options(write_concern=WriteConcern(w=1, j=False))

    async def add(self, key: str, amount: int, expires_at: float) -> int | None:
        """Add to a count; returns the sum, or None while the database can't be reached."""
        if time.monotonic() < self._again_at:
            return None
        change = {"$inc": {"count": amount}, "$setOnInsert": {"expires_at": datetime.fromtimestamp(expires_at, UTC)}}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await self._counts.find_one_and_update(
                    {"_id": key}, change, upsert=True, return_document=ReturnDocument.AFTER
                )
        except (PyMongoError, TimeoutError) as error:
            log.warning("rate_limits_counted_alone", seconds=_PAUSE_SECONDS, error=logs.name_of(error))
            self._again_at = time.monotonic() + _PAUSE_SECONDS
            return None
        return int(found["count"])
