"""The verbs of imports: accept a file, show an import, list its refused rows. Next: worker.py, which registers the rows."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

from chassis import clock
from chassis.access.callers import Caller
from chassis.documents import Document
from chassis.errors import DomainError, Unavailable
from chassis.privacy.vault import PersonKey, Vault
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.registration.documents import IMPORTS
from services.registration.imports import refusals
from services.registration.imports.chunks import CHUNK_BYTES, seal_chunk
from services.registration.imports.header import MIGRATORS, Header, check_start
from services.registration.imports.replies import errors_csv, shown_import
from services.registration.imports.rules import QueueImport
from services.registration.imports.store import ImportStore


class ImportUseCases:
    """One method for each verb. `queued` wakes the worker of this process; `max_bytes` limits a file."""

    def __init__(
        self, group_commit: GroupCommit, store: ImportStore, vault: Vault, queued: asyncio.Event, max_bytes: int
    ) -> None:
        self._group_commit = group_commit
        self._store = store
        self._vault = vault
        self._queued = queued
        self._max_bytes = max_bytes

    async def accept_import(
        self,
        file: AsyncIterator[bytes],
        caller: Caller,
        idempotency_of: Callable[[str], Idempotency | None] = lambda _digest: None,
    ) -> Document:
        """Store a file durably and queue it; returns the import's id, its state, and whether the file was there before.

        `idempotency_of` makes the request's idempotency key from the hash of the file, which is known only when the file has
        come. Raises Invalid for a wrong header, TooLarge beyond the limit.
        """
        migrator = "migrator" in caller.roles
        upload = clock.new_id("upl")
        key, wrapped_key = self._vault.new_key()
        try:
            digest, size = await self._store_file(upload, key, file, migrator=migrator)
        except BaseException:
            await self._store.delete_chunks(upload)
            raise
        # Keyed, and not the plain hash: of a file with one row all but the NIK may be known, and its digits could be tried.
        import_id = f"imp_{self._vault.blind_index('import', digest)[:32]}"
        command = QueueImport(import_id, upload, wrapped_key, size, caller.id, migrator)
        decision = Decision(command.decide, [(IMPORTS, import_id)], idempotency_of(digest))
        try:
            reply = await self._group_commit.submit(decision)
        except DomainError as refusal:
            # Unavailable may mean that the commit's outcome is unknown. If it is durable, the import needs these chunks. If it
            # isn't, nobody can read them, since their key was never stored, and the worker deletes them a day later.
            if not isinstance(refusal, Unavailable):
                await self._store.delete_chunks(upload)
            raise
        if reply["upload"] != upload:  # the file, or the same request, came before: its chunks are used, not these
            await self._store.delete_chunks(upload)
        self._queued.set()
        return {name: reply[name] for name in ("import_id", "state", "repeated")}

    async def _store_file(self, upload: str, key: PersonKey, file: AsyncIterator[bytes], *, migrator: bool) -> tuple[str, int]:
        """Store the file in encrypted chunks; returns its SHA-256 and its size in bytes."""
        digest, size, number, held = hashlib.sha256(), 0, 0, b""
        header: Header | None = None
        looked_at = 0
        async for piece in file:
            digest.update(piece)
            size += len(piece)
            if size > self._max_bytes:
                raise refusals.file_too_large(self._max_bytes)
            held += piece
            # Not at every piece: of a file that begins with a hundred thousand blank rows each would be looked at as often.
            if header is None and (len(held) >= CHUNK_BYTES or (b"\n" in piece and len(held) >= 2 * looked_at)):
                looked_at = len(held)
                header = _allowed(check_start(held, last=len(held) >= CHUNK_BYTES), migrator=migrator)
            while len(held) >= CHUNK_BYTES:
                await self._store.save_chunk(upload, number, seal_chunk(key, upload, number, held[:CHUNK_BYTES]))
                held, number = held[CHUNK_BYTES:], number + 1
        if header is None:
            _allowed(check_start(held, last=True), migrator=migrator)
        await self._store.save_chunk(upload, number, seal_chunk(key, upload, number, held))
        return digest.hexdigest(), size

    async def get_import(self, import_id: str) -> Document:
        """State and counts of an import; raises NotFound."""
        document = await self._store.get(import_id)
        if document is None:
            raise refusals.unknown_import()
        return shown_import(document)

    async def list_errors(self, import_id: str) -> AsyncIterator[bytes]:
        """The refused rows of an import, and those with warnings, as CSV, piece by piece; raises NotFound."""
        if await self._store.get(import_id) is None:
            raise refusals.unknown_import()
        return errors_csv(self._store.noted(import_id))


def _allowed(header: Header | None, *, migrator: bool) -> Header | None:
    """Raises Invalid for a column that the uploader may not use."""
    if header is not None and MIGRATORS in header.names and not migrator:
        raise refusals.migrator_only(header.own_names[MIGRATORS])
    return header
