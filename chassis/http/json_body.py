"""Request bodies: one strict pass from JSON bytes to a model, and what OpenAPI must say about them.

FastAPI parses JSON first and validates Python objects after, which must be lax to let dates in: then `false` is accepted as
`0.0` and a number as a date. Validating the bytes is strict, and one pass instead of two.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from chassis.errors import FieldError, Invalid, TooLarge
from chassis.forms.validation import from_validation
from chassis.http.idempotency_key import note_body

Model = TypeVar("Model", bound=BaseModel)


def json_body(model: type[Model]) -> Any:
    """Declare a route's body: `body: Annotated[RegisterBody, json_body(RegisterBody)]`."""

    async def read(request: Request) -> Model:
        raw = await _read(request)
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise Invalid(
                "content_type",
                "Kirim isi sebagai application/json.",
                "Send the body as application/json.",
                (FieldError("Content-Type", "content_type", "Harus application/json.", "Must be application/json."),),
            )
        note_body(request, raw)
        try:
            return model.model_validate_json(raw)
        except ValidationError as error:
            raise from_validation(list(error.errors(include_url=False, include_input=False))) from None

    read.model = model  # type: ignore[attr-defined] # a mark on a function, read by body_model
    return Depends(read)


async def _read(request: Request) -> bytes:
    """The whole body, at most the app's limit. Counted here and not in a middleware, which every request would pay for."""
    limit: int = request.app.state.max_body_bytes
    declared = request.headers.get("content-length", "0")
    received = bytearray()
    if not declared.isdecimal() or int(declared) <= limit:
        async for piece in request.stream():
            received += piece
            if len(received) > limit:
                break
        else:
            return bytes(received)
    raise TooLarge("too_large", f"Kiriman melebihi {limit} byte.", f"The body exceeds {limit} bytes.")


def body_model(dependant: Any) -> type[BaseModel] | None:
    """The body model that a route declares, for OpenAPI."""
    for dependency in dependant.dependencies:
        marked: type[BaseModel] | None = getattr(dependency.call, "model", None)
        if marked is not None:
            return marked
    return None
