"""The documents of imports: the import itself, its encrypted chunks while it runs, and the rows that were refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.errors import FieldError
from chassis.mongo import Document, Mongo, Tx
from services.registration.store import CHUNKS, ERRORS, IMPORTS


def queued(import_id: str, upload: str, key: Mapping[str, object], size: int, by: str, now: datetime) -> Document:
    """A new import."""
    return {
        "_id": import_id, "upload": upload, "key": dict(key), "bytes": size, "by": by, "state": "queued", "created_at": now,
        "rows_total": None, "rows_done": 0, "accepted": 0, "rejected": 0, "reason": None,
    }  # fmt: skip


class ImportStore:
    """Queries of imports."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get(self, import_id: str) -> Document | None:
        """One import."""
        found: Document | None = await self._mongo[IMPORTS].find_one({"_id": import_id})
        return found

    async def next_queued(self) -> Document | None:
        """The oldest import that isn't finished."""
        found: Document | None = await self._mongo[IMPORTS].find_one(
            {"state": {"$in": ["queued", "running"]}}, sort=[("created_at", 1)]
        )
        return found

    async def save_chunk(self, upload: str, number: int, sealed: bytes) -> None:
        """One piece of the file, encrypted."""
        await self._mongo[CHUNKS].insert_one(
            {"_id": f"{upload}:{number:08d}", "upload": upload, "number": number, "sealed": sealed}
        )

    async def count_chunks(self, upload: str) -> int:
        """How many pieces the file has."""
        count: int = await self._mongo[CHUNKS].count_documents({"upload": upload})
        return count

    async def chunk(self, upload: str, number: int) -> bytes:
        """One piece of the file, encrypted."""
        found = await self._mongo[CHUNKS].find_one({"_id": f"{upload}:{number:08d}"})
        return bytes(found["sealed"])

    async def delete_chunks(self, upload: str) -> None:
        """Forget the file."""
        await self._mongo[CHUNKS].delete_many({"upload": upload})

    async def set_total(self, import_id: str, total: int) -> None:
        """The file was counted: the import runs."""
        await self._mongo[IMPORTS].update_one({"_id": import_id}, {"$set": {"rows_total": total, "state": "running"}})

    async def progress(
        self, import_id: str, rows_done: int, accepted: int, refused: Sequence[tuple[int, tuple[FieldError, ...]]]
    ) -> None:
        """Rows up to `rows_done` are decided: the counts and the refused rows, in one transaction."""
        documents = [
            {
                "_id": f"{import_id}:{row:09d}",
                "import_id": import_id,
                "row": row,
                "errors": [
                    {"field": e.field, "code": e.code, "message_id": e.message_id, "message_en": e.message_en} for e in errors
                ],
            }
            for row, errors in refused
        ]

        async def work(tx: Tx) -> None:
            update: dict[str, Any] = {"$set": {"rows_done": rows_done}, "$inc": {"accepted": accepted, "rejected": len(refused)}}
            query = {"_id": import_id, "rows_done": {"$lt": rows_done}}
            moved = await self._mongo[IMPORTS].update_one(query, update, session=tx)
            if moved.matched_count and documents:
                await self._mongo[ERRORS].insert_many(documents, session=tx)

        await self._mongo.transaction(work)

    async def finish(self, document: Document, state: str, reason: str | None = None) -> None:
        """The import has ended: its file and the file's key are destroyed."""
        await self._mongo[IMPORTS].update_one(
            {"_id": document["_id"]}, {"$set": {"state": state, "reason": reason}, "$unset": {"key": ""}}
        )
        await self.delete_chunks(document["upload"])

    async def refused(self, import_id: str) -> AsyncIterator[tuple[int, list[dict[str, str]]]]:
        """The refused rows, in order."""
        async for found in self._mongo[ERRORS].find({"import_id": import_id}).sort("row", 1):
            yield found["row"], found["errors"]
