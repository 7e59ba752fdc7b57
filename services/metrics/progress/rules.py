"""Progress, pure: which target is valid on a day (R16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.metrics.documents import TargetDocument, TargetVersionRecord


def target_on(targets: Sequence[TargetDocument], day: date) -> TargetVersionRecord | None:
    """The version of the overall target of P1 that is valid on a day, or None before the first one.

    Of each target the version counts that began last on or before the day; of two with the same first day the later one.
    """
    valid: list[TargetVersionRecord] = []
    for target in targets:
        begun = [version for version in target["versions"] if version["valid_from"] <= day.isoformat()]
        if begun:
            valid.append(max(begun, key=lambda version: (version["valid_from"], version["number"])))
    overall = [version for version in valid if version["stage"] == "P1" and not version["dinas"]]
    return max(overall, key=lambda version: version["valid_from"]) if overall else None
