"""Small capped collections that can be followed: for hints, which may be lost. Next: chassis/publishing/hints.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import CursorType
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis.database.mongo import Mongo

_NAMESPACE_EXISTS = 48


async def ensure(mongo: Mongo, collection: str, size: int, documents: int) -> None:
    """A capped collection of so many bytes and documents: those that are added push the oldest out."""
    try:
        await mongo.database.command("create", collection, capped=True, size=size, max=documents)
    except OperationFailure as failure:
        if failure.code != _NAMESPACE_EXISTS:
            raise
        if not (await mongo[collection].options()).get("capped"):  # it was dropped, and made anew by `append`
            await mongo.database.command("convertToCapped", collection, size=size)


async def append(mongo: Mongo, collection: str) -> None:
    """Add an empty document, which may be lost again when the primary changes."""
    await mongo[collection].with_options(write_concern=WriteConcern(w=1)).insert_one({})


@asynccontextmanager
async def follow(mongo: Mongo, collection: str) -> AsyncIterator[Any]:
    """A cursor over a capped collection, from its oldest document on, that goes on with what is added (no majority needed).

    Iterating ends when nothing came for a second; iterate again while the cursor is `alive`.
    """
    documents = mongo[collection].with_options(read_concern=ReadConcern("local"))
    cursor = documents.find({}, cursor_type=CursorType.TAILABLE_AWAIT).max_await_time_ms(1000)
    try:
        yield cursor
    finally:
        await cursor.close()
