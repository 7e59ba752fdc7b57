"""Figures as replies: a count that is None is suppressed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chassis.documents import Document
from services.metrics.figures.rules import percent


def shown_cells(cells: Mapping[str, int], hidden: Collection[str]) -> list[Document]:
    """The cells of a breakdown as the API's `Cell`, in order of their values."""
    return [
        {"value": value, "people": None if value in hidden else count, "suppressed": value in hidden}
        for value, count in sorted(cells.items())
    ]


def shown_stages(people: Mapping[str, int | None]) -> list[Document]:
    """The stages of a funnel as the API's `FunnelStage`; a percentage would disclose a hidden count, so it is hidden too."""
    base = people["P1"]
    return [
        {
            "stage": stage,
            "people": count,
            "percent_of_p1": percent(count, base) if count is not None and base else None,
            "suppressed": count is None,
        }
        for stage, count in people.items()
    ]
