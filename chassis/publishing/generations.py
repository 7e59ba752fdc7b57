"""The generation of a publisher's history: a new one begins when its database is restored from a backup.

What was committed after the backup is gone from the database, though consumers have seen it: the restored publisher will give the
same ids to other events. Consumers refuse those (`other_content`); by the generation in `ce_source` an operator can tell the two
histories apart. Nothing else depends on it. The first generation has no name, and the others that of the moment they began,
so that restoring the same backup twice makes two.
"""

from __future__ import annotations

from datetime import datetime

from chassis.database.mongo import Mongo

GENERATIONS = "generations"
_CURRENT = "current"


async def current(mongo: Mongo) -> str:
    """The name of the generation, "" for the first."""
    found = await mongo[GENERATIONS].find_one({"_id": _CURRENT})
    return "" if found is None else str(found["name"])


async def begin(mongo: Mongo, now: datetime) -> str:
    """Begin a new generation, before the service is started on a restored database; returns its name."""
    name = f"{now:%Y%m%dT%H%M%SZ}"
    await mongo[GENERATIONS].replace_one({"_id": _CURRENT}, {"name": name}, upsert=True)
    return name
