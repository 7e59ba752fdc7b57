"""ETag and If-Match: the version that a change is based on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from fastapi.responses import Response

from chassis.errors import FieldError, invalid

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=40, description="ETag that the change is based on")]


def version_of(if_match: str | None) -> int | None:
    """The version that an If-Match header names; `*` and absence ask for nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise invalid(FieldError("If-Match", "if_match", 'Isi dengan ETag, misalnya "3".', 'Must be an ETag such as "3".'))
    return int(text)


def set_etag(response: Response, version: int) -> None:
    """The document's version as its ETag."""
    response.headers["ETag"] = f'"{version}"'
