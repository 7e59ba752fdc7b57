"""The documents of imports: the import itself, its encrypted chunks while it runs, and the rows that were refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chassis import clock
from chassis.database.mongo import Mongo, ReturnDocument, Tx
from chassis.documents import Document
from chassis.errors import FieldError
from services.registration.people.store import CHUNKS, ERRORS, IMPORTS

_UNFINISHED = {"$in": ["queued", "running"]}
_LEFT_BEHIND = timedelta(days=1)  # longer than any upload takes


def queued(import_id: str, upload: str, key: Mapping[str, object], size: int, by: str, now: datetime) -> Document:
    """A new import."""
    return {
        "_id": import_id, "upload": upload, "key": dict(key), "bytes": size, "by": by, "state": "queued", "created_at": now,
        "rows_total": None, "rows_done": 0, "accepted": 0, "rejected": 0, "reason": None,
        "attempts": 0,
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
        found: Document | None = await self._mongo[IMPORTS].find_one({"state": _UNFINISHED}, sort=[("created_at", 1)])
        return found

    async def save_chunk(self, upload: str, number: int, sealed: bytes) -> None:
        """One piece of the file, encrypted."""
        await self._mongo[CHUNKS].insert_one(
            {
                "_id": f"{upload}:{number:08d}",
                "upload": upload,
                "number": number,
                "sealed": sealed,
                "created_at": clock.now(),
            }
        )

    async def count_chunks(self, upload: str) -> int:
        """How many pieces the file has."""
        count: int = await self._mongo[CHUNKS].count_documents({"upload": upload})
        return count

    async def chunk(self, upload: str, number: int) -> bytes:
        """One piece of the file, encrypted; raises ConnectionError if it is gone: the import has ended meanwhile."""
        found = await self._mongo[CHUNKS].find_one({"_id": f"{upload}:{number:08d}"})
        if found is None:
            raise ConnectionError("the file is gone")
        return bytes(found["sealed"])

    async def delete_chunks(self, upload: str) -> None:
        """Forget the file."""
        await self._mongo[CHUNKS].delete_many({"upload": upload})

    async def delete_left_behind(self) -> int:
        """Delete what processes that died left of files: old pieces that no unfinished import needs. Returns how many."""
        needed = [found["upload"] async for found in self._mongo[IMPORTS].find({"state": _UNFINISHED}, {"upload": 1})]
        query = {"created_at": {"$lt": clock.now() - _LEFT_BEHIND}, "upload": {"$nin": needed}}
        deleted: int = (await self._mongo[CHUNKS].delete_many(query)).deleted_count
        return deleted

    async def set_total(self, document: Document, total: int) -> None:
        """The file was counted: the import runs. Raises ConnectionError if another worker was quicker."""

        async def work(tx: Tx) -> None:
            query = {**_same(document), "rows_total": None}
            update = {"$set": {"rows_total": total, "state": "running"}}
            _require(await self._mongo[IMPORTS].update_one(query, update, session=tx))
            # Of an earlier, failed run of the same file. Here and once only: their ids will be used again.
            await self._mongo[ERRORS].delete_many({"import_id": document["_id"]}, session=tx)

        await self._mongo.transaction(work)

    async def progress(
        self,
        document: Document,
        rows: tuple[int, int],
        accepted: int,
        refused: Sequence[tuple[int, tuple[FieldError, ...]]],
    ) -> None:
        """Rows from the first to the last are decided: the counts and the refused rows (by line), in one transaction.

        Raises ConnectionError unless they follow on those stored: a worker that slept past its lease must not count again.
        """
        import_id, (first, last) = document["_id"], rows
        documents = [
            {
                "_id": f"{import_id}:{line:09d}",
                "import_id": import_id,
                "row": line,
                "errors": [
                    {"field": e.field, "code": e.code, "message_id": e.message_id, "message_en": e.message_en} for e in errors
                ],
            }
            for line, errors in refused
        ]

        async def work(tx: Tx) -> None:
            update: dict[str, Any] = {"$set": {"rows_done": last}, "$inc": {"accepted": accepted, "rejected": len(refused)}}
            query = {**_same(document), "rows_done": first - 1}
            _require(await self._mongo[IMPORTS].update_one(query, update, session=tx))
            if documents:
                await self._mongo[ERRORS].insert_many(documents, session=tx)

        await self._mongo.transaction(work)

    async def count_attempt(self, document: Document) -> int:
        """An attempt failed for a fault of ours; returns how many have, or 0 if the import has ended meanwhile."""
        after = await self._mongo[IMPORTS].find_one_and_update(
            _same(document), {"$inc": {"attempts": 1}}, return_document=ReturnDocument.AFTER
        )
        return int(after["attempts"]) if after else 0

    async def finish(self, document: Document, state: str, reason: str | None = None) -> None:
        """The import has ended: its file and the file's key are destroyed. Changes nothing if another worker ended it."""
        await self._mongo[IMPORTS].update_one(
            _same(document), {"$set": {"state": state, "reason": reason}, "$unset": {"key": ""}}
        )
        await self.delete_chunks(document["upload"])

    async def refused(self, import_id: str) -> AsyncIterator[tuple[int, list[dict[str, str]]]]:
        """The refused rows, in order."""
        async for found in self._mongo[ERRORS].find({"import_id": import_id}).sort("row", 1):
            yield found["row"], found["errors"]


def _same(document: Document) -> dict[str, Any]:
    """The import while it is unfinished and of this upload: a failed one may have been uploaded again."""
    return {"_id": document["_id"], "upload": document["upload"], "state": _UNFINISHED}


def _require(updated: Any) -> None:
    if updated.matched_count != 1:
        raise ConnectionError("another worker goes on")
