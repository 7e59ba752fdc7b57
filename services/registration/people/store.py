"""Queries and indexes of people. Rules read through GroupCommit, not through this store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.database.mongo import Mongo
from services.registration.documents import IDENTITIES, JAKPRENEURS, RECEIPTS, JakpreneurDocument
from services.registration.reference.areas import KECAMATAN_OF

_UNDECIDED = ["submitted", "rejected"]
_UNDECIDED_INDEX = "undecided"


async def ensure_indexes(mongo: Mongo) -> None:
    """An index for each filter of lists. They are few on purpose: every registration pays for every index."""
    people = mongo[JAKPRENEURS]
    await people.create_index([("registered_on", -1), ("_id", -1)])
    for filtered in ("kecamatan", "dinas", "commodity"):
        await people.create_index([(filtered, 1), ("registered_on", -1), ("_id", -1)])
    await people.create_index(
        [("status", 1), ("registered_on", -1), ("_id", -1)],
        name=_UNDECIDED_INDEX,
        partialFilterExpression={"status": {"$in": _UNDECIDED}},
    )
    await mongo[RECEIPTS].create_index("expires_at", expireAfterSeconds=0)


class PeopleStore:
    """Queries of people for the API and for telemetry."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def person(self, jakpreneur_id: str) -> JakpreneurDocument | None:
        """One person by id."""
        found: JakpreneurDocument | None = await self._mongo[JAKPRENEURS].find_one({"_id": jakpreneur_id})
        return found

    async def id_of_identity(self, identity: str) -> str | None:
        """The id of the person whose NIK has this blind index."""
        found = await self._mongo[IDENTITIES].find_one({"_id": identity})
        return found["jakpreneur_id"] if found else None

    async def id_of_receipt(self, receipt: str) -> str | None:
        """The id of the person whom an anonymous registration was about."""
        found = await self._mongo[RECEIPTS].find_one({"_id": receipt})
        return found["jakpreneur_id"] if found else None

    async def people(
        self, wanted: Mapping[str, str], visible_to: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[JakpreneurDocument]:
        """People with these values, newest registrations first.

        `visible_to` limits the list to the people of one dinas and to those whom no dinas has yet. It is a condition beside
        `wanted`, not one of its values: staff who ask for another dinas' people get nobody. `after` is the (registered_on,
        _id) of the last person of the page before.
        """
        query: dict[str, Any] = dict(wanted)
        if "kota" in query and "kecamatan" not in query:
            # The same people by the index over kecamatan, whose ten entries the server merges in order.
            query["kecamatan"] = {"$in": KECAMATAN_OF[query["kota"]]}
        if visible_to is not None:
            query["$and"] = [{"dinas": {"$in": [visible_to, None]}}]
        conditions = [query]
        if after is not None:
            day, last = after
            conditions.append({"$or": [{"registered_on": {"$lt": day}}, {"registered_on": day, "_id": {"$lt": last}}]})
        cursor = self._mongo[JAKPRENEURS].find({"$and": conditions}).sort([("registered_on", -1), ("_id", -1)]).limit(limit)
        found: list[JakpreneurDocument] = await cursor.to_list(None)
        return found

    async def counts(self) -> tuple[int, int]:
        """How many people are registered, and how many of them are verified.

        Neither number is counted one by one: the first is the collection's metadata, and the people who aren't verified are
        counted in the small partial index.
        """
        people = self._mongo[JAKPRENEURS]
        registered: int = await people.estimated_document_count()
        undecided: int = await people.count_documents({"status": {"$in": _UNDECIDED}}, hint=_UNDECIDED_INDEX)
        return registered, registered - undecided
