"""Imports over HTTP: upload, state, refused rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from chassis.auth import Caller, callers
from chassis.errors import FieldError, invalid, not_found
from chassis.http import NOT_FOUND, id_path
from services.registration.imports import Imports

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
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            async with request.form(max_files=1, max_fields=5) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise invalid(FieldError("file", "missing", "Berkas wajib diunggah.", "A file is required."))
                return await imports.accept(_pieces(file), caller)
        if kind in ("text/csv", "application/csv", "application/octet-stream"):
            return await imports.accept(request.stream(), caller)
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


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(256 * 1024):
        yield piece
