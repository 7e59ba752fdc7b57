"""MongoDB: the only module that imports the driver's client. Runs on motor (default) or on PyMongo's own async API.

The two differ in sessions, `start_transaction`, `aggregate`, `close` and in what a call costs; that ends here.
Everybody else gets a `Mongo` and passes `tx` (a driver session with an open transaction, or a snapshot).
Defaults: majority reads, majority journaled writes, so that nothing read or acknowledged can be rolled back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pymongo
from pymongo import ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis import fail_points
from chassis.database.bounded import Bounded
from chassis.database.failures import CommitUnknown, WriteRace, race_of
from chassis.database.writes import Writes
from chassis.documents import Document
from chassis.settings import Settings

Tx = Any  # motor ships no types; a tx is used only by handing it to the driver
T = TypeVar("T")
LogicalTime = tuple[int, int]  # seconds and increment of the server's hybrid logical clock
SaveEvents = Callable[[LogicalTime], Mapping[str, Writes]]

_DUPLICATE_KEY = 11000
_CLIENT_OPTIONS: Mapping[str, Any] = {
    "tz_aware": True,
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryWrites": True,
    "serverSelectionTimeoutMS": 3000,
    "waitQueueTimeoutMS": 5000,
    "appname": "jakpreneur",
}


def _options(settings: Settings) -> dict[str, Any]:
    """A server that hangs is noticed within a heartbeat and a connect timeout, and its sockets are given up then."""
    return {
        **_CLIENT_OPTIONS,
        "heartbeatFrequencyMS": int(settings.mongo_heartbeat_seconds * 1000),
        "connectTimeoutMS": int(settings.mongo_connect_seconds * 1000),
        "socketTimeoutMS": int(settings.mongo_socket_seconds * 1000),
    }


class Mongo:
    """One service's database. Reads through `mongo[collection]` take `query_seconds` at most."""

    def __init__(self, client: Any, database_name: str, driver: str, query_seconds: float = 10.0) -> None:
        self.client = client
        self.driver = driver
        self.database = client[database_name]
        self._query_milliseconds = int(query_seconds * 1000)
        self._hurry_from = float("inf")  # monotonic; no commit is tried again after it

    def __getitem__(self, collection: str) -> Any:
        return Bounded(self.database[collection], self._query_milliseconds)

    async def ping(self) -> None:
        """Raise unless the primary answers."""
        await self.database.command("ping")

    async def find_by_ids(self, collection: str, ids: Iterable[Any], tx: Tx = None) -> list[Document]:
        """The documents with these `_id`s, in no order."""
        found: list[Document] = await self[collection].find({"_id": {"$in": list(ids)}}, session=tx).to_list(None)
        return found

    async def versions(self, collection: str, ids: Sequence[Any]) -> dict[Any, int]:
        """The versions of those that exist."""
        cursor = self[collection].find({"_id": {"$in": ids}}, projection={"version": 1})
        return {document["_id"]: document.get("version", 1) for document in await cursor.to_list(None)}

    async def insert_all(self, collection: str, documents: Sequence[Document], tx: Tx) -> None:
        """Insert many documents that have an `_id`, as one command in a transaction; raises WriteRace for a duplicate key.

        What insert_many does for each document in Python (types, ids, batches) costs a large batch more than its encoding.
        All must fit into one message of 48 MB.
        """
        _check_inserted(await self.database.command(_insert(collection, documents), session=tx))

    async def write(self, writes: Mapping[str, Writes], tx: Tx, save_events: SaveEvents | None = None) -> None:
        """Write into several collections; raises WriteRace for a duplicate key or a version that has moved on.

        `save_events` gives further writes for the server's logical time after the first ones (see writing/outbox.py).
        With motor this is one call in a thread: handing each command over to a thread costs more than the command.
        """
        if not writes:
            return
        if self.driver == "motor":
            thread = asyncio.ensure_future(asyncio.to_thread(_write, self.database.delegate, writes, tx.delegate, save_events))
            try:
                await asyncio.shield(thread)
            except asyncio.CancelledError:
                # Aborted under its feet, the thread would go on writing outside the transaction.
                await asyncio.wait([thread])
                raise
            return
        await self._write_each(writes, tx)
        if save_events is not None:
            await self._write_each(save_events(_logical_time(tx)), tx)

    async def _write_each(self, writes: Mapping[str, Writes], tx: Tx) -> None:
        for collection, found in writes.items():
            if found.replaces:
                requests = _requests(found)
                _check_replaced(await self[collection].bulk_write(requests, ordered=False, session=tx), requests)
            if found.inserts:
                await self.insert_all(collection, found.inserts, tx)

    async def aggregate(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], tx: Tx = None, *, seconds: float = 15.0
    ) -> list[Document]:
        """All results of a pipeline, within so many seconds (the sockets' own limit doesn't count); may spill to disk."""
        with pymongo.timeout(seconds):
            cursor = self[collection].aggregate(pipeline, session=tx, allowDiskUse=True)
            if self.driver == "pymongo":
                cursor = await cursor
            results: list[Document] = await cursor.to_list(None)
        return results

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """Reads inside see one majority-committed point in time, however long they take or the server yields."""
        session = self.client.start_session(snapshot=True)
        if self.driver == "motor":
            session = await session
        async with session:
            yield session

    def snapshot_time(self, snapshot: Tx) -> LogicalTime | None:
        """The point in time that a snapshot shows, once something was read of it."""
        session = snapshot.delegate if self.driver == "motor" else snapshot
        # The driver has no public name for it. Without it callers do what needs no time: they start at the beginning.
        time = getattr(session, "_snapshot_time", None)
        return None if time is None else (time.time, time.inc)

    async def transaction(self, work: Callable[[Tx], Awaitable[T]], deadline_seconds: float = 20.0) -> T:
        """Run `work(tx)` in one majority transaction and commit it.

        Raises WriteRace when another writer was met (nothing was written), CommitUnknown when the answer to the commit is
        missing at the deadline, and the driver's own errors when the server can't be reached (nothing was written).
        """
        async with self._session() as session:
            begun = session.start_transaction(
                read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
            )
            if self.driver == "pymongo":
                await begun
            try:
                result = await work(session)
            except BaseException as error:
                await self._abort(session)
                race = race_of(error)
                if race:
                    raise WriteRace(race) from error
                raise
            fail_points.hit("commit.before")
            await self._commit(session, time.monotonic() + deadline_seconds)
            fail_points.hit("commit.after")
            return result

    def hurry(self, seconds: float) -> None:
        """The process is asked to end: try no commit again after so many seconds, whatever its own deadline.

        Who waits for one hears that its outcome is unknown, instead of nothing when the process is killed.
        """
        self._hurry_from = time.monotonic() + seconds

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        if self.driver == "pymongo":
            async with self.client.start_session() as session:
                yield session
            return
        from motor.motor_asyncio import AsyncIOMotorClientSession

        # Motor would take a thread for the start and one for the end, which only touch memory: the first command begins a
        # session, and at its end its transaction is over, unless it was cancelled while it committed.
        session = AsyncIOMotorClientSession(self.client.delegate.start_session(), self.client)
        try:
            yield session
        finally:
            if session.delegate.in_transaction:
                await session.end_session()
            else:
                session.delegate.end_session()

    @staticmethod
    async def _abort(session: Any) -> None:
        try:
            await session.abort_transaction()
        except PyMongoError:
            return  # the server ends a transaction that it no longer hears from by itself

    async def _commit(self, session: Any, deadline: float) -> None:
        # A lost reply to commitTransaction says nothing about the outcome. Committing again is idempotent; deciding
        # again would write the change twice.
        while True:
            try:
                await session.commit_transaction()
                return
            except PyMongoError as error:
                unknown = error.has_error_label("UnknownTransactionCommitResult") or isinstance(error, ConnectionFailure)
                if not unknown:
                    race = race_of(error)
                    if race:
                        raise WriteRace(race) from error
                    raise
                if time.monotonic() >= min(deadline, self._hurry_from):
                    raise CommitUnknown(str(error)) from error
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Close all connections."""
        closing = self.client.close()
        if self.driver == "pymongo":
            await closing


def _write(database: Any, writes: Mapping[str, Writes], session: Any, save_events: SaveEvents | None) -> None:
    """Mongo.write for PyMongo's synchronous classes, which motor wraps."""
    _write_each(database, writes, session)
    if save_events is not None:
        _write_each(database, save_events(_logical_time(session)), session)


def _logical_time(session: Any) -> LogicalTime:
    time = session.cluster_time["clusterTime"]
    return time.time, time.inc


def _write_each(database: Any, writes: Mapping[str, Writes], session: Any) -> None:
    for collection, found in writes.items():
        if found.replaces:
            requests = _requests(found)
            _check_replaced(database[collection].bulk_write(requests, ordered=False, session=session), requests)
        if found.inserts:
            _check_inserted(database.command(_insert(collection, found.inserts), session=session))


def _requests(found: Writes) -> list[ReplaceOne[Document]]:
    return [ReplaceOne({"_id": doc["_id"], "version": guard}, doc) for guard, doc in found.replaces]


def _insert(collection: str, documents: Sequence[Document]) -> Document:
    return {"insert": collection, "documents": documents, "ordered": False}


def _check_inserted(reply: Document) -> None:
    failures = reply.get("writeErrors", [])
    if any(failure["code"] == _DUPLICATE_KEY for failure in failures):
        raise WriteRace("duplicate_key")
    if failures:
        raise OperationFailure(str(failures[0]["errmsg"]), failures[0]["code"])


def _check_replaced(written: Any, requests: Sequence[Any]) -> None:
    if written.matched_count != len(requests):
        raise WriteRace("version")


def connect(settings: Settings, service: str) -> Mongo:
    """The database of one service, on the driver that the settings name. Opens no connection yet."""
    url = settings.mongodb_url.get_secret_value()
    name = f"{settings.mongodb_database_prefix}_{service}"
    if settings.mongo_driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient

        return Mongo(AsyncIOMotorClient(url, **_options(settings)), name, "motor", settings.mongo_query_seconds)
    from pymongo import AsyncMongoClient

    client: AsyncMongoClient[Document] = AsyncMongoClient(url, **_options(settings))
    return Mongo(client, name, "pymongo", settings.mongo_query_seconds)


__all__ = ["LogicalTime", "Mongo", "ReplaceOne", "ReturnDocument", "Tx", "UpdateOne", "connect"]
