"""A lease with an epoch: one holder at a time, by the server's clock, never by ours.

`LeaseKeeper` takes and renews one in a task of its own, however long the holder's work takes. Who holds a lease may have lost
it without knowing (a long pause): work under a lease must be safe to be done twice, or check the epoch in its transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

from chassis import logs
from chassis.database.failures import DuplicateKeyError, PyMongoError
from chassis.database.mongo import Mongo, ReturnDocument
from chassis.documents import Document

LEASES = "leases"
_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 1.0  # longest pause of one who waits: the holder may give the lease away before it lapses
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """Held by `owner` under `epoch`."""

    name: str
    owner: str
    epoch: int


async def acquire(mongo: Mongo, name: str, owner: str, seconds: float) -> Lease | None:
    """Take the lease if it is free or lapsed, or renew it if it is ours; None while somebody else holds it."""
    found = await _take(mongo, name, owner, seconds)
    if found is None:
        try:
            await mongo[LEASES].insert_one({"_id": name, "epoch": 0})  # the first time ever
        except DuplicateKeyError:
            return None
        found = await _take(mongo, name, owner, seconds)
    return Lease(name, owner, found["epoch"]) if found else None


async def _take(mongo: Mongo, name: str, owner: str, seconds: float) -> Document | None:
    mine = {"$eq": ["$owner", owner]}
    lapsed = {"$lt": ["$expires_at", "$$NOW"]}  # true as well where there is no expires_at: nothing sorts before a date
    changes = {
        "epoch": {"$cond": [mine, "$epoch", {"$add": ["$epoch", 1]}]},
        "owner": owner,
        "expires_at": {"$add": ["$$NOW", int(seconds * 1000)]},
    }
    found: Document | None = await mongo[LEASES].find_one_and_update(
        {"_id": name, "$expr": {"$or": [mine, lapsed]}}, [{"$set": changes}], return_document=ReturnDocument.AFTER
    )
    return found


async def lapses_in(mongo: Mongo, name: str) -> float:
    """Seconds, by the server's clock, until the lease lapses unless it is renewed; 0 if it is free."""
    left = {"$divide": [{"$subtract": ["$expires_at", "$$NOW"]}, 1000]}
    found = await mongo.aggregate(LEASES, [{"$match": {"_id": name}}, {"$project": {"left": left}}])
    return max(0.0, float(found[0]["left"] or 0.0)) if found else 0.0


async def holder(mongo: Mongo, name: str) -> tuple[str | None, float]:
    """Who holds the lease, and for how many seconds still; None and 0 if nobody does."""
    found = await mongo[LEASES].find_one({"_id": name})
    left = await lapses_in(mongo, name)
    return (found["owner"] if found and left else None), left


async def release(mongo: Mongo, lease: Lease) -> None:
    """Let the next one take over at once."""
    await mongo[LEASES].update_one(
        {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch},
        {"$set": {"owner": None}, "$unset": {"expires_at": ""}},
    )


class LeaseKeeper:
    """Takes a lease, renews it, and knows whether it still holds. `start()`, then ask `held`; `stop()` gives it back."""

    def __init__(self, mongo: Mongo, name: str, owner: str, *, seconds: float, renew_seconds: float) -> None:
        self._mongo = mongo
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._renew_seconds = renew_seconds
        self._lease: Lease | None = None
        self._until = 0.0  # by our monotonic clock, counted from before the server was asked: never later than the server's
        self._not_before = 0.0
        self._taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether the lease is ours, as far as can be known without asking."""
        return self._lease is not None and time.monotonic() < self._until

    def start(self) -> None:
        """Begin to take and renew it."""
        self._task = asyncio.create_task(self._keep(), name=f"lease-{self._name}")

    async def taken(self) -> None:
        """Wait until the lease is ours."""
        await self._taken.wait()

    async def give_away(self, seconds: float) -> None:
        """Release the lease and leave it to others for so long: we hold it and can't do its work."""
        self._not_before = time.monotonic() + seconds
        await self._release()

    async def stop(self) -> None:
        """Give the lease back if it is ours; without a primary it lapses by itself."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(PyMongoError):
            await self._release()

    async def _release(self) -> None:
        lease, self._lease = self._lease, None
        self._taken.clear()
        if lease is not None:
            await release(self._mongo, lease)

    async def _keep(self) -> None:
        while True:
            try:
                await asyncio.sleep(await self._step())
            except PyMongoError as error:
                log.warning("lease_not_renewed", lease=self._name, error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _step(self) -> float:
        """Take or renew the lease; returns the seconds until the next try."""
        asked = time.monotonic()
        if asked < self._not_before:
            return self._not_before - asked
        known = self._lease
        found = await acquire(self._mongo, self._name, self._owner, self._seconds)
        if self._lease is not known:  # given away while we asked
            if found is not None:
                await release(self._mongo, found)
            return 0.0
        if found is None:
            if known is not None:
                log.warning("lease_lost", lease=self._name, epoch=known.epoch)
            self._lease = None
            self._taken.clear()
            return min(_LOOK_SECONDS, await lapses_in(self._mongo, self._name) + 0.01)
        self._until = asked + self._seconds
        self._lease = found
        if known is None or known.epoch != found.epoch:
            log.info("lease_taken", lease=self._name, epoch=found.epoch)
        self._taken.set()
        return self._renew_seconds
