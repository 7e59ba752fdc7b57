"""Targets as replies."""

from __future__ import annotations

from chassis.documents import Document
from services.metrics.documents import TargetDocument


def shown_target(target: TargetDocument) -> Document:
    """A target as the API's `Target`, without the day on which it was reached: its current version, and all versions."""
    *earlier, current = target["versions"]
    return {"target_id": target["_id"], **current, "versions": [*earlier, current]}
