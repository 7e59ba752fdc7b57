"""Imports: a file is stored encrypted before the 202, then a worker registers its rows, on whichever replica holds the lease.

An import's id is a hash of the file, so that a second upload of the same file changes nothing. A row's registration carries
its origin (`<import>:<row>`): a worker that died and began again finds its rows done instead of clashing with them.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import csv
import hashlib
import io
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from chassis import clock, logs
from chassis.access.callers import Caller
from chassis.calendar import jakarta_day
from chassis.database import lease
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.documents import Document
from chassis.errors import DomainError, FieldError, TooLarge, Unavailable, invalid
from chassis.privacy.vault import PersonKey
from chassis.process.lifecycle import Core
from chassis.writing.decision import Decision, Documents, Idempotency, Outcome, Write
from services.registration.imports import store as import_store
from services.registration.imports.rows import Records, Row, read_header, row_of
from services.registration.imports.store import ImportStore
from services.registration.people.store import CHUNKS, IMPORTS
from services.registration.people.use_cases import UseCases

log = logs.get(__name__)
_CHUNK = 256 * 1024  # bytes sealed together
_SLICE = 100  # rows checked and sealed before the event loop gets a turn: some 5 ms
_ATTEMPTS = 3  # that end with a bug; then the import fails, and the ones behind it go on
_SWEEP_SECONDS = 600.0


class Imports:
    """The verbs of imports, and their worker."""

    def __init__(self, core: Core, use_cases: UseCases, *, max_bytes: int, rows_at_once: int, lease_seconds: float) -> None:
        self._core = core
        self._use_cases = use_cases
        self._max_bytes = max_bytes
        self._rows_at_once = rows_at_once
        self._lease_seconds = lease_seconds
        self._wake = asyncio.Event()
        self._swept = -_SWEEP_SECONDS
        self.store = ImportStore(core.mongo)

    async def accept(
        self,
        chunks: AsyncIterator[bytes],
        caller: Caller,
        idempotency_of: Callable[[str], Idempotency | None] = lambda _digest: None,
    ) -> Document:
        """Store a file durably and queue it; raises Invalid for a wrong header, TooLarge beyond the limit.

        `idempotency_of` makes the request's key of the file's hash, which is known only now.
        """
        upload = clock.new_id("upl")
        key, stored_key = self._use_cases.vault.new_key()
        try:
            digest, size = await self._store_chunks(upload, key, chunks)
        except BaseException:
            await self.store.delete_chunks(upload)
            raise
        import_id = f"imp_{digest[:32]}"

        def decide(documents: Documents, now: Any) -> Outcome:
            known = documents.get(IMPORTS, import_id)
            if known is not None and known["state"] != "failed":
                repeated = known["upload"] != upload  # else this very upload, committed by an attempt that lost its answer
                reply = {"import_id": import_id, "state": known["state"], "repeated": repeated, "upload": known["upload"]}
                return Outcome(reply)
            document = import_store.queued(import_id, upload, stored_key, size, caller.id, now)
            reply = {"import_id": import_id, "state": "queued", "repeated": False, "upload": upload}
            return Outcome(reply, (Write(IMPORTS, document),))

        decision = Decision(decide, [(IMPORTS, import_id)], idempotency_of(digest))
        try:
            reply = await self._core.group_commit.submit(decision)
        except DomainError as refusal:
            # The commit may yet be durable (unknown outcome, caller gone): then its file must stay. If it isn't, the pieces
            # are left behind, unreadable since their key was never stored, and deleted with others a day later.
            if not isinstance(refusal, Unavailable):
                await self.store.delete_chunks(upload)
            raise
        if reply["upload"] != upload:  # the file, or the request, was there before
            await self.store.delete_chunks(upload)
        self._wake.set()
        return {name: reply[name] for name in ("import_id", "state", "repeated")}

    async def _store_chunks(self, upload: str, key: PersonKey, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        digest, size, number, held = hashlib.sha256(), 0, 0, b""
        async for piece in chunks:
            digest.update(piece)
            size += len(piece)
            if size > self._max_bytes:
                limit = self._max_bytes // 1_000_000
                raise TooLarge(
                    "too_large",
                    f"Berkas melebihi {limit} MB. Bagi menjadi beberapa berkas.",
                    f"The file exceeds {limit} MB. Split it.",
                )
            held += piece
            if number == 0 and (b"\n" in held or len(held) >= _CHUNK):
                _check_start(held)
            while len(held) >= _CHUNK:
                await self.store.save_chunk(upload, number, self._seal(key, upload, number, held[:_CHUNK]))
                held, number = held[_CHUNK:], number + 1
        if number == 0:
            _check_start(held)
        await self.store.save_chunk(upload, number, self._seal(key, upload, number, held))
        return digest.hexdigest(), size

    @staticmethod
    def _seal(key: PersonKey, upload: str, number: int, piece: bytes) -> bytes:
        return key.encrypt(piece.decode("latin-1"), collection=CHUNKS, field=str(number), subject=upload)

    async def work(self) -> None:
        """Worker: take queued imports one by one while holding the lease."""
        held = await lease.acquire(self._core.mongo, "imports", self._core.owner, self._lease_seconds)
        try:
            if held is not None:
                await self._sweep()
            document = await self.store.next_queued() if held else None
            if document is None:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1.0)
            else:
                await self._attempt(document)
        except asyncio.CancelledError:
            if held is not None:
                with contextlib.suppress(PyMongoError):
                    await lease.release(self._core.mongo, held)
            raise

    async def _attempt(self, document: Document) -> None:
        """Run an import. Database trouble is no fault of its own: it is tried again. A bug must not stop those behind it."""
        import_id = document["_id"]
        try:
            await self._run(document)
        except (ConnectionError, Unavailable) as trouble:
            log.warning("import_interrupted", import_id=import_id, reason=str(trouble)[:200])
            await asyncio.sleep(1.0)
        except (WriteRace, CommitUnknown):
            raise
        except DomainError as error:
            log.warning("import_failed", import_id=import_id, reason=type(error).__name__)
            await self.store.finish(document, "failed", reason=str(error)[:300])
        except Exception as bug:
            if isinstance(bug, PyMongoError) and is_unreachable(bug):
                raise
            # Where, but not the message: it may quote a row.
            where = "".join(traceback.format_tb(bug.__traceback__))[-4000:]
            attempts = await self.store.count_attempt(document)
            log.error("import_bug", import_id=import_id, reason=type(bug).__name__, attempts=attempts, where=where)
            if attempts >= _ATTEMPTS:
                await self.store.finish(document, "failed", reason=type(bug).__name__)
            await asyncio.sleep(1.0)

    async def _sweep(self) -> None:
        if time.monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = time.monotonic()
            if deleted := await self.store.delete_left_behind():
                log.warning("import_chunks_left_behind", deleted=deleted)

    async def _run(self, document: Document) -> None:
        import_id, done = document["_id"], document["rows_done"]
        key = self._use_cases.vault.open_key(document["key"])
        log.info("import_started", import_id=import_id, from_row=done)
        total = document["rows_total"]
        if total is None:
            total = await self._count(document, key)
            await self.store.set_total(document, total)
        committing: asyncio.Task[None] | None = None
        try:
            # The next rows are checked and sealed while the last ones are being committed.
            async for rows in self._batches(document, key, skip=done):
                decisions = await self._decisions(import_id, rows)
                if committing is not None:
                    await committing
                await self._keep_lease()
                committing = asyncio.create_task(self._commit(document, rows, decisions))
            if committing is not None:
                await committing
        finally:
            if committing is not None and not committing.done():
                await committing
        await self.store.finish(document, "done")
        log.info("import_done", import_id=import_id)

    async def _keep_lease(self) -> None:
        if await lease.acquire(self._core.mongo, "imports", self._core.owner, self._lease_seconds) is None:
            raise ConnectionError("another worker took over the imports")

    async def _count(self, document: Document, key: PersonKey) -> int:
        records, total = Records(), 0
        async for text, last in self._texts(document, key):
            total += sum(1 for _ in records.feed(text, last=last))
            await asyncio.sleep(0)
        return total

    async def _batches(self, document: Document, key: PersonKey, *, skip: int) -> AsyncIterator[list[Row]]:
        records, number, rows = Records(), 0, list[Row]()
        today = jakarta_day(clock.now())
        async for text, last in self._texts(document, key):
            for line, record in records.feed(text, last=last):
                number += 1
                if number <= skip:
                    continue
                rows.append(row_of(number, line, records.names, record, today=today))
                if number % _SLICE == 0:
                    await asyncio.sleep(0)
                if len(rows) == self._rows_at_once:
                    yield rows
                    rows = []
        if rows:
            yield rows

    async def _texts(self, document: Document, key: PersonKey) -> AsyncIterator[tuple[str, bool]]:
        """The file piece by piece as text, decrypted; characters may lie across pieces."""
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        count = await self.store.count_chunks(document["upload"])
        if count == 0:  # even an empty file has one: never mistake a file that is gone for one without rows
            raise ConnectionError("the file is gone")
        for number in range(count):
            sealed = await self.store.chunk(document["upload"], number)
            piece = key.decrypt(sealed, collection=CHUNKS, field=str(number), subject=document["upload"]).encode("latin-1")
            last = number == count - 1
            yield utf8.decode(piece, final=last), last

    async def _decisions(self, import_id: str, rows: list[Row]) -> list[Decision]:
        decisions = []
        for index, row in enumerate(rows):
            if row.person is not None:
                origin = f"{import_id}:{row.number}"
                decisions.append(self._use_cases.registration(row.person, origin=origin, verified_on=row.verified_on))
            if index % _SLICE == 0:
                await asyncio.sleep(0)
        return decisions

    async def _commit(self, document: Document, rows: list[Row], decisions: list[Decision]) -> None:
        replies = iter(await self._core.group_commit.submit_many(decisions))
        refused: list[tuple[int, tuple[FieldError, ...]]] = []
        for row in rows:
            if row.person is None:
                refused.append((row.line, row.errors))
                continue
            reply = next(replies)
            if isinstance(reply, Unavailable):
                raise ConnectionError(str(reply))  # begin again at the last stored row: nothing is rejected for our trouble
            if isinstance(reply, DomainError):
                refused.append((row.line, reply.errors))
            elif isinstance(reply, BaseException):
                raise reply
        await self.store.progress(document, (rows[0].number, rows[-1].number), len(rows) - len(refused), refused)

    async def errors_csv(self, import_id: str) -> AsyncIterator[bytes]:
        """The refused rows as CSV: row, field, code, texts. No values: they may be personal data."""
        yield b"row,field,code,message_id,message_en\r\n"
        async for row, errors in self.store.refused(import_id):
            yield b"".join(_csv_lines(row, errors))


def _csv_lines(row: int, errors: list[dict[str, str]]) -> Iterator[bytes]:
    for error in errors:
        line = io.StringIO()
        csv.writer(line).writerow([row, error["field"], error["code"], error["message_id"], error["message_en"]])
        yield line.getvalue().encode()


def _check_start(start: bytes) -> None:
    """Refuse at once what can't be an import: a workbook, another encoding, a wrong header."""
    if start[:2] == b"PK" or start[:4] == b"\xd0\xcf\x11\xe0":
        text = ("Simpan buku kerja sebagai CSV (UTF-8) lalu unggah.", "Save the workbook as CSV (UTF-8) and upload that.")
        raise invalid(FieldError("file", "workbook", *text))
    line = start.split(b"\n", 1)[0]
    try:
        header = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid(FieldError("file", "encoding", "Berkas harus UTF-8.", "The file must be UTF-8.")) from None
    if not header.strip():
        raise invalid(FieldError("file", "empty", "Berkas kosong.", "The file is empty."))
    read_header(header.rstrip("\r"))
