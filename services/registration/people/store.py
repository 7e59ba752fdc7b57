"""Registration's collections, indexes and queries: nothing else in the service knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.database.mongo import Mongo
from chassis.documents import Document
from services.registration.audit.rules import AUDIT, HEAD
from services.registration.people.rules import IDENTITIES, JAKPRENEURS

IMPORTS = "imports"
CHUNKS = "import_chunks"
ERRORS = "import_errors"
_UNDECIDED = ["submitted", "rejected"]


async def ensure_indexes(mongo: Mongo) -> None:
    """Few on purpose: every index is paid for by every registration."""
    people = mongo[JAKPRENEURS]
    await people.create_index([("registered_on", -1), ("_id", -1)])
    await people.create_index([("kecamatan", 1), ("registered_on", -1), ("_id", -1)])
    await people.create_index(
        [("status", 1), ("registered_on", -1), ("_id", -1)],
        name="undecided",
        partialFilterExpression={"status": {"$in": _UNDECIDED}},
    )
    await mongo[CHUNKS].create_index([("upload", 1), ("number", 1)])
    await mongo[CHUNKS].create_index("created_at")
    await mongo[ERRORS].create_index([("import_id", 1), ("row", 1)])


class Store:
    """Reads for the API, and the import's own documents."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def person(self, jakpreneur_id: str) -> Document | None:
        """One person by id."""
        found: Document | None = await self._mongo[JAKPRENEURS].find_one({"_id": jakpreneur_id})
        return found

    async def id_of_identity(self, identity: str) -> str | None:
        """The person with this blind index."""
        found = await self._mongo[IDENTITIES].find_one({"_id": identity})
        return found["jakpreneur_id"] if found else None

    async def people(self, query: Mapping[str, Any], after: tuple[str, str] | None, limit: int) -> list[Document]:
        """Newest registrations first; `after` is the (registered_on, _id) of the last one seen."""
        conditions: list[Mapping[str, Any]] = [query]
        if after is not None:
            day, last = after
            conditions.append({"$or": [{"registered_on": {"$lt": day}}, {"registered_on": day, "_id": {"$lt": last}}]})
        cursor = self._mongo[JAKPRENEURS].find({"$and": conditions}).sort([("registered_on", -1), ("_id", -1)]).limit(limit)
        found: list[Document] = await cursor.to_list(None)
        return found

    async def counts(self) -> tuple[int, int]:
        """People registered, and people verified: from the collection's metadata and the small index of undecided ones."""
        people = self._mongo[JAKPRENEURS]
        registered: int = await people.estimated_document_count()
        undecided: int = await people.count_documents({"status": {"$in": _UNDECIDED}}, hint="undecided")
        return registered, registered - undecided

    async def audit_chain(self) -> tuple[list[Document], Document | None]:
        """All entries in order, and the head as it was just before: so the entries reach as far as the head says."""
        head: Document | None = await self._mongo[HEAD[0]].find_one({"_id": HEAD[1]})
        found: list[Document] = await self._mongo[AUDIT].find({}).sort("_id", 1).to_list(None)
        return found, head
