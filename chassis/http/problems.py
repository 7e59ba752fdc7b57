"""The one place that turns errors into HTTP: problem details (RFC 9457) with a code and texts in both languages."""

from __future__ import annotations

import json

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route

from chassis import errors, logs
from chassis.database.failures import PyMongoError, is_too_slow, is_unreachable
from chassis.errors import FieldError
from chassis.forms.validation import from_validation
from chassis.http.accept import language_of

log = logs.get(__name__)
MEDIA_TYPE = "application/problem+json"

STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.Invalid, 422),
    (errors.RuleBroken, 422),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Stale, 412),
    (errors.NotAuthenticated, 401),
    (errors.Forbidden, 403),
    (errors.TooMany, 429),
    (errors.TooLarge, 413),
    (errors.Unavailable, 503),
)
_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 412: "Precondition Failed", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_HTTP_CODES = {
    400: ("malformed", "Permintaan tidak dapat dibaca.", "The request can't be read."),
    404: ("not_found", "Alamat ini tidak ada.", "There is no such address."),
    408: ("timeout", "Permintaan tidak tiba tepat waktu.", "The request didn't arrive in time."),
    405: ("method_not_allowed", "Metode ini tidak didukung di alamat ini.", "This address does not support the method."),
    413: ("too_large", "Kiriman terlalu besar.", "The request body is too large."),
    431: ("head_too_large", "Kepala permintaan terlalu besar.", "The head of the request is too large."),
    415: ("unsupported_media_type", "Jenis isi tidak didukung.", "The content type is not supported."),
}


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Always about:blank: the code says more")
    title: str = Field(description="Title of the HTTP status")
    status: int = Field(description="HTTP status")
    code: str = Field(description="Stable code of the problem")
    detail: str = Field(description="Text in the language of Accept-Language, Indonesian by default")
    request_id: str = Field(description="Id of the request, as in X-Request-Id and in our log: tell it when you ask for help")
    errors: list[FieldError] = Field(default=[], description="Every failing field or rule")


def response(request: Request, status: int, error: errors.DomainError) -> JSONResponse:
    """The problem document for a refusal."""
    language = language_of(request.headers.get("accept-language"))
    headers = {"Content-Language": language}
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(error.retry_after)
        headers |= {name.decode(): value.decode() for name, value in error.headers}
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = "5"
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = body_of(status, error, language, getattr(request.state, "request_id", ""))
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def body_of(status: int, error: errors.DomainError, language: str, request_id: str) -> dict[str, object]:
    """A problem document as plain data."""
    return {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": error.code,
        "detail": error.message_en if language == "en" else error.message_id,
        "request_id": request_id,
        "errors": [
            {"field": e.field, "code": e.code, "message_id": e.message_id, "message_en": e.message_en} for e in error.errors
        ],
    }


def raw(status: int, request_id: str) -> bytes:
    """The problem document for what never became a request: a head that can't be read, or one that doesn't come."""
    error = errors.DomainError(*_HTTP_CODES[status])
    return json.dumps(body_of(status, error, "id", request_id), ensure_ascii=False).encode()


def of(request: Request, error: Exception) -> JSONResponse:
    """The problem document of anything raised while a request is answered: a refusal, database trouble, or a bug."""
    if isinstance(error, ClientDisconnect):  # nobody hears it; a broken line is no error of ours
        return response(request, 400, errors.DomainError("disconnected", "Sambungan terputus.", "The connection was lost."))
    if isinstance(error, errors.DomainError):
        return response(request, next(status for kind, status in STATUS if isinstance(error, kind)), error)
    if is_too_slow(error):
        return response(request, 503, errors.TooSlow())
    if is_unreachable(error):
        return response(request, 503, errors.Unavailable())
    if not request.scope["state"].get("begun"):  # amid a reply RequestContext notes it
        log.error("unexpected_error", route=getattr(request.scope.get("route"), "path", "none"), exc_info=error)
    # The text of an exception may hold anything: it goes to the log, never to the caller.
    text = ("Terjadi kesalahan pada layanan.", "Something went wrong in the service.")
    return response(request, 500, errors.DomainError("internal", *text))


def install(app: FastAPI) -> None:
    """Register the handlers."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        return of(request, error)

    async def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101 - registered for these only
        return response(request, 422, from_validation(list(error.errors())))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
        code, text_id, text_en = _HTTP_CODES.get(
            error.status_code, ("http_error", "Permintaan tidak dapat dilayani.", "The request can't be served.")
        )
        answer = response(request, error.status_code, errors.DomainError(code, text_id, text_en))
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(methods_of(request))
        return answer

    def methods_of(request: Request) -> list[str]:
        """What the address supports, by any route: Starlette names the methods of the first one only."""
        found: set[str] = set()
        for route in app.router.routes:
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
                found |= route.methods or set()
        return sorted(found | {"HEAD"} if "GET" in found else found)

    app.add_exception_handler(errors.DomainError, known)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(PyMongoError, known)
    app.add_exception_handler(ClientDisconnect, known)
    app.add_exception_handler(Exception, known)
