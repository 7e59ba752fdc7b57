"""A lease with an epoch: one holder at a time, by the server's clock, never by ours.

The epoch grows with every change of holder. Whoever writes under the lease checks the epoch in the same transaction, so
that a holder that slept past its lease (SIGSTOP, a long pause) can't change anything afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

from chassis.database.failures import DuplicateKeyError, WriteRace
from chassis.database.mongo import Mongo, ReturnDocument, Tx
from chassis.documents import Document

LEASES = "leases"
LOST = "lease_lost"


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


async def check(mongo: Mongo, lease: Lease, tx: Tx) -> None:
    """Raise WriteRace unless the lease is still of this epoch. A write, so that it conflicts with a new holder's."""
    updated = await mongo[LEASES].update_one(
        {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch}, {"$inc": {"uses": 1}}, session=tx
    )
    if updated.matched_count != 1:
        raise WriteRace(LOST)


async def release(mongo: Mongo, lease: Lease) -> None:
    """Let the next one take over at once."""
    await mongo[LEASES].update_one(
        {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch},
        {"$set": {"owner": None}, "$unset": {"expires_at": ""}},
    )
