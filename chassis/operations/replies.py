"""How letters, positions and outcomes are shown. Pure."""

from __future__ import annotations

from typing import Any

from chassis.consuming.letter_requests import Outcome, decoded
from chassis.consuming.standing import Standing
from chassis.documents import Document

_SHOWN = ("consumer", "state", "reason", "detail", "topic", "partition", "offset", "subject")


def letter(doc: Document) -> dict[str, Any]:
    """A letter without its content."""
    asked = doc.get("asked")
    return {
        "letter_id": doc["_id"],
        **{name: doc[name] for name in _SHOWN},
        "at": _utc(doc["at"]),
        "asked": {**{name: asked[name] for name in ("act", "by", "reason")}, "at": _utc(asked["at"])} if asked else None,
    }


def opened_letter(doc: Document, behind: int) -> dict[str, Any]:
    """A letter with its content."""
    headers, value = decoded(doc)
    return {
        **letter(doc),
        "headers": headers,
        "value": value,
        "value_bytes": doc["value_bytes"],
        "traceparent": headers.get("ce_traceparent"),
        "behind": behind,
    }


def outcome(letter_id: str, found: tuple[Outcome, str]) -> dict[str, Any]:
    """What has become of a letter."""
    return {"letter_id": letter_id, "outcome": found[0], "reason": found[1]}


def position(found: Standing) -> dict[str, Any]:
    """Where a consumer stands."""
    return {
        "consumer": found.consumer,
        "topic": found.topic,
        "partition": found.partition,
        "next_offset": found.next_offset,
        "beginning": found.beginning,
        "end": found.end,
        "lag": found.lag,
        "lost": found.lost,
        "age_seconds": found.age_seconds,
    }


def _utc(moment: Any) -> str:
    return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
