"""What a route declares beside its model: ids in its path, statuses that it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import Path

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing, or it isn't yours"}}
STALE: dict[int | str, dict[str, Any]] = {412: {"description": "If-Match names an old version"}}
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"description": "It clashes with what is there"}}

# For a POST that has no use for an Idempotency-Key: one that only asks, because what it asks for must not stand in an address,
# or whose repetition changes nothing.
REPEATABLE: dict[str, Any] = {"x-repeatable": True}


def id_path(prefix: str, description: str) -> Any:
    """A path id of the platform's form; another form is 422 at once."""
    return Path(pattern=rf"^{prefix}_[0-9A-Za-z]{{1,40}}$", description=description, examples=[f"{prefix}_4Yq0pV7sT2mXb1Zk"])
