"""Imports over HTTP: upload, state, refused rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from chassis.access.callers import Caller, callers
from chassis.errors import FieldError, invalid, not_found
from chassis.http.answers import NOT_FOUND, id_path
from chassis.http.idempotency_key import idempotency
from chassis.writing.decision import Idempotency
from services.registration.imports.worker import Imports

ImportId = Annotated[str, id_path("imp", "Id of an import")]
Officer = Annotated[Caller, callers("officer", "admin")]


class ImportAccepted(BaseModel):
    """The file is stored and queued; `repeated` tells that it had been uploaded before."""

    import_id: str = Field(description="Id, the same for the same file")
    state: str = Field(description="queued, running, done or failed")
    repeated: bool = Field(description="The same file was uploaded before; nothing changes")


class ImportState(BaseModel):
    """How far an import is."""

    import_id: str = Field(description="Id")
    state: str = Field(description="queued, running, done or failed")
    rows_total: int | None = Field(description="Rows of the file; null until they are counted")
    rows_done: int = Field(description="Rows decided")
    accepted: int = Field(description="Rows that are registrations now")
    rejected: int = Field(description="Rows in errors.csv")
    reason: str | None = Field(description="Why the import failed")


def routes(imports: Imports, max_bytes: int) -> APIRouter:
    """The routes of imports."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])

    @router.post(
        "",
        status_code=202,
        response_model=ImportAccepted,
        max_body_size=max_bytes + 1_000_000,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "text/csv": {"schema": {"type": "string", "description": "UTF-8 CSV with the form's columns"}},
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "properties": {"file": {"type": "string", "format": "binary"}},
                        }
                    },
                },
            }
        },
        responses={400: {"description": "The form can't be read"}, 413: {"description": "The file is too large"}},
    )
    async def upload(request: Request, caller: Officer) -> Any:
        """Upload a CSV file: as the body (text/csv), or as the form field `file`. Rows that fail are reported, others go on."""
        idempotency(request, caller)  # a key that can't be one is refused before the file comes

        def of_file(digest: str) -> Idempotency | None:
            request.state.body_hash = digest
            return idempotency(request, caller)

        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return await imports.accept(_file_of_form(request), caller, of_file)
        if kind in ("text/csv", "application/csv", "application/octet-stream"):
            return await imports.accept(request.stream(), caller, of_file)
        text = ("Kirim CSV sebagai text/csv atau multipart/form-data.", "Send CSV as text/csv or multipart/form-data.")
        raise invalid(FieldError("Content-Type", "content_type", *text))

    @router.get("/{import_id}", response_model=ImportState, responses={**NOT_FOUND})
    async def state(import_id: ImportId, _caller: Officer) -> Any:
        """State and counts of an import."""
        document = await imports.store.get(import_id)
        if document is None:
            raise not_found("Impor", "Import")
        return {**document, "import_id": document["_id"]}

    @router.get(
        "/{import_id}/errors.csv",
        response_class=StreamingResponse,
        responses={**NOT_FOUND, 200: {"description": "row, field, code, message_id, message_en", "content": {"text/csv": {}}}},
    )
    async def errors(import_id: ImportId, _caller: Officer) -> StreamingResponse:
        """The refused rows with their codes; never their values."""
        if await imports.store.get(import_id) is None:
            raise not_found("Impor", "Import")
        return StreamingResponse(imports.errors_csv(import_id), media_type="text/csv; charset=utf-8")

    return router


class _FilePart:
    """The part `file` of a form, piece by piece. Starlette's own parser would write it to a temporary file, in the clear."""

    def __init__(self, boundary: bytes) -> None:
        self.found = self.ended = False
        self._wanted = False
        self._name = self._value = self._disposition = b""
        self._pieces: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> list[bytes]:
        """What of the file lies in the next piece of the body."""
        self._parser.write(piece)
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self) -> None:
        self._wanted, self._disposition = False, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._wanted = options.get(b"name") == b"file" and b"filename" in options
        if self._wanted and self.found:
            raise FormParserError("a second file")
        self.found = self.found or self._wanted

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._pieces.append(data[start:end])

    def _end(self) -> None:
        self.ended = True


async def _file_of_form(request: Request) -> AsyncIterator[bytes]:
    """Raises 400 for a form that is broken or cut off, Invalid for one without a file."""
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary")
    if not boundary:
        raise HTTPException(400, "The form can't be read.")
    try:
        part = _FilePart(boundary)
        async for piece in request.stream():
            for inner in part.feed(piece):
                yield inner
    except FormParserError as error:
        raise HTTPException(400, "The form can't be read.") from error
    if not part.ended:
        raise HTTPException(400, "The form can't be read.")
    if not part.found:
        raise invalid(FieldError("file", "missing", "Berkas wajib diunggah.", "A file is required."))
