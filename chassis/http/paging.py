"""Lists: `limit` and an opaque cursor over the last item's sort key."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from chassis.errors import FieldError, invalid

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page")]
CURSOR = r"^[A-Za-z0-9_-]+$"
Cursor = Annotated[str | None, Query(max_length=400, pattern=CURSOR, description="next_cursor of the page before")]


def encode_cursor(*parts: Any) -> str:
    """An opaque cursor over the last item's sort key."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def page_of(found: Sequence[T], limit: int, key: Callable[[T], tuple[str, ...]]) -> tuple[Sequence[T], str | None]:
    """The page of a list of which one item more than `limit` was asked for, and the cursor of the next page.

    None when there is no next page: a full page alone would not tell whether it is the last. `key` gives the sort key.
    """
    if len(found) <= limit:
        return found, None
    return found[:limit], encode_cursor(*key(found[limit - 1]))


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
