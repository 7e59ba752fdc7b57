"""Request bodies: one strict pass from JSON bytes to a model, and what OpenAPI must say about them.

FastAPI parses JSON first and validates Python objects after, which must be lax to let dates in: then `false` is accepted as
`0.0` and a number as a date. Validating the bytes is strict, and one pass instead of two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from chassis.errors import FieldError, Invalid, TooLarge, invalid
from chassis.forms.partial import right_part
from chassis.forms.validation import findings, shown_name
from chassis.http.idempotency_key import note_body

Model = TypeVar("Model", bound=BaseModel)
_KEY: Final = re.compile(rb'"\s*:')  # within a text a quote is escaped, so this can only count too many


def json_body(model: type[Model], rules: Callable[[Request, Model], list[FieldError]] | None = None) -> Any:
    """Declare a route's body: `body: Annotated[RegisterBody, json_body(RegisterBody)]`.

    `rules` finds what else is wrong in a body of which some fields have the wrong form; they are None in what it gets. So all
    failing fields are in one answer. A body of the right form meets its rules in the use case.
    """

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
            body = model.model_validate_json(raw)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            part = right_part(model, json.loads(raw), found) if rules is not None and found[0]["type"] != "json_invalid" else None
            also = rules(request, part) if rules is not None and part is not None else []
            raise invalid(*repeated_keys(raw), *findings(found), *also) from None
        # Every key is a field, since unknown ones are refused. More keys than fields: one of them may be there twice.
        if len(_KEY.findall(raw)) != _fields_of(body) and (repeated := repeated_keys(raw)):
            raise invalid(*repeated)
        return body

    read.model = model  # type: ignore[attr-defined] # a mark on a function, read by body_model
    return Depends(read)


def _fields_of(value: Any) -> int:
    """How many fields were given, with those of the models within."""
    if isinstance(value, list):
        return sum(map(_fields_of, value))
    if not isinstance(value, BaseModel):
        return 0
    return len(value.model_fields_set) + sum(_fields_of(getattr(value, name)) for name in value.model_fields_set)


def repeated_keys(raw: bytes) -> list[FieldError]:
    """A field error for each object key that is there twice: readers of JSON disagree on which of the two counts."""
    found: list[FieldError] = []

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            shown = shown_name(name)
            found.append(
                FieldError(shown, "repeated_key", f"{shown}: diberikan lebih dari sekali.", f"{shown}: is given more than once.")
            )

    try:
        json.loads(raw, object_pairs_hook=check)
    except (ValueError, RecursionError):
        return []  # the model has said so
    return found


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
