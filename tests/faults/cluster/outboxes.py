"""Looking into the outboxes all the time: when each commit was first seen there, and when last.

What is gone from an outbox has been acknowledged by Kafka: that it is really there, C2 finds out in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from tests.harness.waiting import eventually_async

_LOOK_SECONDS = 0.1
_LONGEST_SECONDS = 90.0
AFTERWARDS = 1.0  # what is saved so soon after a fault's end counts too: it finds the relay as the fault left it


class Outboxes:
    """`await watch()` in a task of its own; then ask."""

    def __init__(self, databases: Mapping[str, Any]) -> None:
        self._collections = [
            database.get_collection("outbox", read_concern=ReadConcern("majority")) for database in databases.values()
        ]
        self._seen: dict[str, tuple[float, float]] = {}  # commit -> when first and last (monotonic)
        self._looked = 0.0  # when the last look began

    async def watch(self) -> None:
        """Look until cancelled. While there is no primary nothing is seen to come or go."""
        while True:
            began = time.monotonic()
            try:
                found = [
                    document["_id"]
                    for collection in self._collections
                    for document in await collection.find({}, projection=["_id"]).to_list(None)
                ]
            except PyMongoError:
                continue
            now = time.monotonic()
            for commit in found:
                self._seen[commit] = (self._seen.get(commit, (now, now))[0], now)
            self._looked = began
            await asyncio.sleep(_LOOK_SECONDS)

    def waiting(self, saved_before: float = float("inf")) -> int:
        """How many commits that were there before some time still are."""
        return sum(first < saved_before and last >= self._looked for first, last in self._seen.values())

    async def published_after(self, ended: float) -> float:
        """The longest that a commit waited for Kafka, counted from the end of a fault.

        Or from when it was saved, up to a second after that. Returns when all such commits have been published.
        """
        until = ended + AFTERWARDS

        async def gone() -> bool:
            return self._looked > until and not self.waiting(until)

        await eventually_async(gone, _LONGEST_SECONDS, "what was saved up to a fault's end is in Kafka")
        return max(
            (last - max(ended, first) for first, last in self._seen.values() if first < until and last > ended), default=0.0
        )
