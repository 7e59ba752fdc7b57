"""Queries and indexes of imports: the imports themselves, their encrypted chunks while they run, and their noted rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Literal

from chassis import clock
from chassis.database.mongo import Mongo, ReturnDocument, Tx
from chassis.errors import FieldError
from services.registration.documents import (
    IMPORT_CHUNKS,
    IMPORT_ERRORS,
    IMPORTS,
    ImportChunk,
    ImportDocument,
    NotedRow,
    Severity,
    StoredFinding,
    chunk_id,
    noted_row_id,
)

_UNFINISHED = {"$in": ["queued", "running"]}
_LEFT_BEHIND = timedelta(days=1)  # longer than any upload takes


async def ensure_indexes(mongo: Mongo) -> None:
    """Indexes of chunks and noted rows. The few imports themselves need none beside `_id`."""
    await mongo[IMPORT_CHUNKS].create_index([("upload", 1), ("number", 1)])
    await mongo[IMPORT_CHUNKS].create_index("created_at")
    await mongo[IMPORT_ERRORS].create_index([("import_id", 1), ("row", 1)])


class ImportStore:
    """Queries of imports."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get(self, import_id: str) -> ImportDocument | None:
        """One import, or None."""
        found: ImportDocument | None = await self._mongo[IMPORTS].find_one({"_id": import_id})
        return found

    async def next_queued(self) -> ImportDocument | None:
        """The oldest import that isn't finished."""
        found: ImportDocument | None = await self._mongo[IMPORTS].find_one({"state": _UNFINISHED}, sort=[("created_at", 1)])
        return found

    async def save_chunk(self, upload: str, number: int, sealed: bytes) -> None:
        """One piece of the file, encrypted."""
        chunk: ImportChunk = {
            "_id": chunk_id(upload, number),
            "upload": upload,
            "number": number,
            "sealed": sealed,
            "created_at": clock.now(),
        }
        await self._mongo[IMPORT_CHUNKS].insert_one(chunk)

    async def count_chunks(self, upload: str) -> int:
        """How many pieces the file has."""
        count: int = await self._mongo[IMPORT_CHUNKS].count_documents({"upload": upload})
        return count

    async def chunk(self, upload: str, number: int) -> bytes:
        """One piece of the file, encrypted; raises ConnectionError if it is gone: the import has ended meanwhile."""
        found = await self._mongo[IMPORT_CHUNKS].find_one({"_id": chunk_id(upload, number)})
        if found is None:
            raise ConnectionError("the file is gone")
        return bytes(found["sealed"])

    async def delete_chunks(self, upload: str) -> None:
        """Delete the file."""
        await self._mongo[IMPORT_CHUNKS].delete_many({"upload": upload})

    async def delete_left_behind(self) -> int:
        """Delete old chunks that no unfinished import needs: their process died during the upload. Returns how many."""
        needed = [found["upload"] async for found in self._mongo[IMPORTS].find({"state": _UNFINISHED}, {"upload": 1})]
        query = {"created_at": {"$lt": clock.now() - _LEFT_BEHIND}, "upload": {"$nin": needed}}
        deleted: int = (await self._mongo[IMPORT_CHUNKS].delete_many(query)).deleted_count
        return deleted

    async def set_total(self, document: ImportDocument, total: int) -> None:
        """Store how many rows the file has: the import runs. Raises ConnectionError if another worker has stored it."""

        async def work(tx: Tx) -> None:
            query = {**_same(document), "rows_total": None}
            update = {"$set": {"rows_total": total, "state": "running"}}
            _require(await self._mongo[IMPORTS].update_one(query, update, session=tx))
            # The refused rows of an earlier, failed run of the same file go here, once: this run uses their ids again.
            await self._mongo[IMPORT_ERRORS].delete_many({"import_id": document["_id"]}, session=tx)

        await self._mongo.transaction(work)

    async def progress(
        self,
        document: ImportDocument,
        rows: tuple[int, int],
        accepted: int,
        noted: Sequence[tuple[int, Severity, Sequence[FieldError]]],
    ) -> None:
        """Store that the rows from the first to the last are decided: the counts and the noted rows, in one transaction.

        `rows` are the numbers of the first and the last row, `noted` holds the file's rows that were refused, or that have
        warnings, and what was found. Raises ConnectionError unless the rows follow those stored: a worker that slept past its
        lease must not count rows again.
        """
        import_id, (first, last) = document["_id"], rows
        documents: list[NotedRow] = [
            {
                "_id": noted_row_id(import_id, line),
                "import_id": import_id,
                "row": line,
                "severity": severity,
                "errors": [_stored(error) for error in errors],
            }
            for line, severity, errors in noted
        ]
        refused = sum(severity == "error" for _, severity, _ in noted)
        counted = {"accepted": accepted, "rejected": refused, "warned": len(noted) - refused}

        async def work(tx: Tx) -> None:
            update: dict[str, Any] = {"$set": {"rows_done": last}, "$inc": counted}
            query = {**_same(document), "rows_done": first - 1}
            _require(await self._mongo[IMPORTS].update_one(query, update, session=tx))
            if documents:
                await self._mongo[IMPORT_ERRORS].insert_many(documents, session=tx)

        await self._mongo.transaction(work)

    async def count_attempt(self, document: ImportDocument) -> int:
        """Count a run that ended with a bug; returns how many have, or 0 if the import has ended meanwhile."""
        after = await self._mongo[IMPORTS].find_one_and_update(
            _same(document), {"$inc": {"attempts": 1}}, return_document=ReturnDocument.AFTER
        )
        return int(after["attempts"]) if after else 0

    async def finish(
        self,
        document: ImportDocument,
        state: Literal["done", "failed"],
        reason: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        """End the import and destroy its file and the file's key. An import that another worker ended isn't changed."""
        ended = {"state": state, "reason": reason, "errors": [_stored(error) for error in errors]}
        await self._mongo[IMPORTS].update_one(_same(document), {"$set": ended, "$unset": {"key": ""}})
        await self.delete_chunks(document["upload"])

    async def noted(self, import_id: str) -> AsyncIterator[NotedRow]:
        """The rows that were refused or have warnings, in the order of the file."""
        async for found in self._mongo[IMPORT_ERRORS].find({"import_id": import_id}).sort("row", 1):
            yield found


def _same(document: ImportDocument) -> dict[str, Any]:
    """The import, as long as it is unfinished and of this upload: a failed import may have been uploaded again."""
    return {"_id": document["_id"], "upload": document["upload"], "state": _UNFINISHED}


def _stored(error: FieldError) -> StoredFinding:
    return {"field": error.field, "code": error.code, "message_id": error.message_id, "message_en": error.message_en}


def _require(updated: Any) -> None:
    if updated.matched_count != 1:
        raise ConnectionError("another worker goes on")
