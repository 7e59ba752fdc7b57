"""Small things that every service's api.py needs alike: ETag and If-Match, cursors, statuses that a route can answer."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Header, Path, Query
from fastapi.responses import Response

from chassis.errors import FieldError, invalid

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=40, description="ETag that the change is based on")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page")]
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the page before")]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing, or it isn't yours"}}
STALE: dict[int | str, dict[str, Any]] = {412: {"description": "If-Match names an old version"}}
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": "It clashes with what is there"}}


def id_path(prefix: str, description: str) -> Any:
    """A path id of the platform's form; another form is 422 at once."""
    return Path(pattern=rf"^{prefix}_[0-9A-Za-z]{{1,40}}$", description=description, examples=[f"{prefix}_4Yq0pV7sT2mXb1Zk"])


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


def encode_cursor(*parts: Any) -> str:
    """An opaque cursor over the last item's sort key."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, length: int) -> list[str] | None:
    """The sort key in a cursor: `length` strings; raises Invalid for anything else."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        parts = None
    if (
        not isinstance(parts, list)
        or len(parts) != length
        or not all(isinstance(part, str) and part.isprintable() for part in parts)
    ):
        raise invalid(FieldError("cursor", "cursor", "Cursor tidak berlaku.", "Not a cursor of this list."))
    return parts
