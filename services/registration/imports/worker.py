"""The worker of imports: registers the rows of queued files, on whichever replica holds the lease.

Progress is stored after every batch of rows, so a worker that takes over begins at the last stored row.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator, Sequence

from chassis import clock, logs
from chassis.calendar import jakarta_day
from chassis.database import lease
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.errors import DomainError, FieldError, Unavailable
from chassis.privacy.vault import PersonKey, Vault
from chassis.process.lifecycle import Core
from chassis.writing.decision import Decision
from services.registration.documents import ImportDocument, Severity, row_origin
from services.registration.imports import refusals
from services.registration.imports.chunks import texts_of
from services.registration.imports.rounding import LastDigits
from services.registration.imports.rows import Records, Row, nik_of, row_of
from services.registration.imports.store import ImportStore
from services.registration.people.rules import Verified
from services.registration.people.use_cases import PeopleUseCases

log = logs.get(__name__)
_LEASE = "imports"
_SLICE = 100  # rows checked and encrypted before the event loop gets a turn: some 5 ms
_ATTEMPTS = 3  # runs that end with a bug; then the import fails, and those behind it go on
_SWEEP_SECONDS = 600.0
_IDLE_SECONDS = 1.0
_TROUBLE_SECONDS = 1.0


class ImportWorker:
    """`work` is one round of the worker. `queued` is set when a file arrives in this process."""

    def __init__(
        self,
        core: Core,
        store: ImportStore,
        people: PeopleUseCases,
        vault: Vault,
        queued: asyncio.Event,
        *,
        rows_at_once: int,
        lease_seconds: float,
    ) -> None:
        self._core = core
        self._store = store
        self._people = people
        self._vault = vault
        self._queued = queued
        self._rows_at_once = rows_at_once
        self._lease_seconds = lease_seconds
        self._swept = -_SWEEP_SECONDS

    async def work(self) -> None:
        """Attempt the oldest unfinished import while holding the lease; without one wait for a file, at most a second."""
        held = await lease.acquire(self._core.mongo, _LEASE, self._core.owner, self._lease_seconds)
        try:
            if held is not None:
                await self._sweep()
            document = await self._store.next_queued() if held else None
            if document is None:
                self._queued.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._queued.wait(), _IDLE_SECONDS)
            else:
                await self._attempt(document)
        except asyncio.CancelledError:
            if held is not None:
                with contextlib.suppress(PyMongoError):
                    await lease.release(self._core.mongo, held)
            raise

    async def _attempt(self, document: ImportDocument) -> None:
        """Run an import. After database trouble it is tried again; after too many bugs it fails, and the next one goes on."""
        import_id = document["_id"]
        try:
            await self._run(document)
        except (ConnectionError, Unavailable) as trouble:
            log.warning("import_interrupted", import_id=import_id, error=logs.name_of(trouble))
            await asyncio.sleep(_TROUBLE_SECONDS)
        except (WriteRace, CommitUnknown):
            raise
        except DomainError as error:
            log.warning("import_failed", import_id=import_id, reason=type(error).__name__)
            await self._store.finish(document, "failed", reason=error.code, errors=error.errors)
        except Exception as bug:
            if isinstance(bug, PyMongoError) and is_unreachable(bug):
                raise
            # The log says where it happened, but not the exception's message: that may quote a row.
            where = "".join(traceback.format_tb(bug.__traceback__))[-4000:]
            attempts = await self._store.count_attempt(document)
            log.error("import_bug", import_id=import_id, reason=type(bug).__name__, attempts=attempts, where=where)
            if attempts >= _ATTEMPTS:
                await self._store.finish(document, "failed", reason=type(bug).__name__)
            await asyncio.sleep(_TROUBLE_SECONDS)

    async def _sweep(self) -> None:
        """Now and then delete the chunks of uploads whose process died."""
        if time.monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = time.monotonic()
            if deleted := await self._store.delete_left_behind():
                log.warning("import_chunks_left_behind", deleted=deleted)

    async def _run(self, document: ImportDocument) -> None:
        import_id, done = document["_id"], document["rows_done"]
        key = self._vault.open_key(document["key"])
        log.info("import_started", import_id=import_id, from_row=done)
        if document["rows_total"] is None:
            await self._store.set_total(document, await self._count(document, key))
        committing: asyncio.Task[None] | None = None
        try:
            # The next rows are checked and encrypted while the last ones are being committed.
            async for rows in self._batches(document, key, skip=done):
                decisions = await self._decisions(document, rows)
                if committing is not None:
                    await committing
                await self._keep_lease()
                committing = asyncio.create_task(self._commit(document, rows, decisions))
            if committing is not None:
                await committing
        finally:
            if committing is not None and not committing.done():
                await committing
        await self._store.finish(document, "done")
        log.info("import_done", import_id=import_id)

    async def _keep_lease(self) -> None:
        if await lease.acquire(self._core.mongo, _LEASE, self._core.owner, self._lease_seconds) is None:
            raise ConnectionError("another worker took over the imports")

    async def _count(self, document: ImportDocument, key: PersonKey) -> int:
        """How many rows there are. Raises Invalid for a file whose NIKs a spreadsheet has rounded, before any row is stored."""
        records, total, digits = Records(), 0, LastDigits()
        async for text, last in texts_of(self._store, key, document["upload"]):
            for _, record in records.feed(text, last=last):
                total += 1
                if record is not None and records.header is not None:
                    digits.note(nik_of(records.header, record))
            await asyncio.sleep(0)
        if digits.rounded:
            raise refusals.niks_rounded()
        return total

    async def _batches(self, document: ImportDocument, key: PersonKey, *, skip: int) -> AsyncIterator[list[Row]]:
        records, number, rows = Records(), 0, list[Row]()
        today = jakarta_day(clock.now())
        async for text, last in texts_of(self._store, key, document["upload"]):
            for line, record in records.feed(text, last=last):
                number += 1
                if number <= skip:
                    continue
                assert records.header is not None  # noqa: S101 - no record comes before it
                rows.append(row_of(number, line, records.header, record, today=today))
                if number % _SLICE == 0:
                    await asyncio.sleep(0)
                if len(rows) == self._rows_at_once:
                    yield rows
                    rows = []
        if rows:
            yield rows

    async def _decisions(self, document: ImportDocument, rows: list[Row]) -> list[Decision]:
        """The decisions to register those rows that are right. Whoever uploaded a verification answers for it."""
        decisions = []
        for index, row in enumerate(rows):
            if row.person is not None:
                origin = row_origin(document["_id"], row.number)
                verified = Verified(row.verified_on, document["by"]) if row.verified_on and document.get("migrator") else None
                decisions.append(self._people.registration_of(row.person, origin=origin, verified=verified))
            if index % _SLICE == 0:
                await asyncio.sleep(0)
        return decisions

    async def _commit(self, document: ImportDocument, rows: list[Row], decisions: list[Decision]) -> None:
        """Register the rows, then store the progress. `decisions` are those of the rows that have a person, in order."""
        replies = iter(await self._core.group_commit.submit_many(decisions))
        noted: list[tuple[int, Severity, Sequence[FieldError]]] = []
        for row in rows:
            if row.person is None:
                noted.append((row.line, "error", row.errors))
                continue
            reply = next(replies)
            if isinstance(reply, Unavailable):
                raise ConnectionError(str(reply))  # begin again at the last stored row: no row is refused for database trouble
            if isinstance(reply, DomainError):
                noted.append((row.line, "error", reply.errors))
            elif isinstance(reply, BaseException):
                raise reply
            elif row.warnings:
                noted.append((row.line, "warning", row.warnings))
        refused = sum(severity == "error" for _, severity, _ in noted)
        await self._store.progress(document, (rows[0].number, rows[-1].number), len(rows) - refused, noted)
