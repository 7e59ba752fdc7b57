"""Imports over HTTP: upload, state, refused rows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from chassis.access.callers import Caller, callers
from chassis.http.answers import NOT_FOUND, id_path
from chassis.http.idempotency_key import idempotency, note_body
from chassis.http.provided import provided
from chassis.writing.decision import Idempotency
from services.registration.imports import refusals
from services.registration.imports.models import ImportAccepted, ImportState
from services.registration.imports.multipart import file_of_form
from services.registration.imports.use_cases import ImportUseCases

ImportId = Annotated[str, id_path("imp", "Id of an import")]
Officer = Annotated[Caller, callers("officer", "admin", "migrator")]
Imports = Annotated[ImportUseCases, provided(ImportUseCases)]
_FORM_BYTES = 1_000_000  # what a form may add to its file
_FILE = "UTF-8 CSV with the form's columns"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": _FILE}},
                }
            },
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "description": f"{_FILE}; text/csv is understood too"}
            },
        },
    }
}
_UPLOAD_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"description": "The form can't be read"},
    413: {"description": "The file is too large"},
}
_ERRORS_CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "row, field, code, message_id, message_en, severity", "content": {"text/csv": {}}}
}


def routes(max_bytes: int) -> APIRouter:
    """The routes of imports; `max_bytes` is the largest file, for which the usual limit of bodies doesn't hold."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])
    router.add_api_route(
        "",
        upload_import,
        methods=["POST"],
        status_code=202,
        response_model=ImportAccepted,
        max_body_size=max_bytes + _FORM_BYTES,
        openapi_extra=_BODY,
        responses={**_UPLOAD_REFUSED},
    )
    router.add_api_route("/{import_id}", get_import, methods=["GET"], response_model=ImportState, responses={**NOT_FOUND})
    router.add_api_route(
        "/{import_id}/errors.csv",
        list_import_errors,
        methods=["GET"],
        response_class=StreamingResponse,
        responses={**NOT_FOUND, **_ERRORS_CSV},
    )
    return router


async def upload_import(request: Request, caller: Officer, imports: Imports) -> Any:
    """Upload a CSV file: as the body (text/csv), or as the form field `file`. Rows that fail are reported, others go on."""
    idempotency(request, caller)  # a key of a wrong form is refused before the file comes

    def of_file(digest: str) -> Idempotency | None:
        note_body(request, digest.encode())
        return idempotency(request, caller)

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await imports.accept_import(file_of_form(request), caller, of_file)
    if kind in ("text/csv", "application/csv", "application/octet-stream"):
        return await imports.accept_import(request.stream(), caller, of_file)
    raise refusals.wrong_content_type()


async def get_import(import_id: ImportId, _caller: Officer, imports: Imports) -> Any:
    """State and counts of an import."""
    return await imports.get_import(import_id)


async def list_import_errors(import_id: ImportId, _caller: Officer, imports: Imports) -> StreamingResponse:
    """The refused rows and those with warnings, by the file's own columns and as Excel counts its rows; never their values."""
    return StreamingResponse(await imports.list_errors(import_id), media_type="text/csv; charset=utf-8")
