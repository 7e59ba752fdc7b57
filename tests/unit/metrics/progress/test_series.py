"""What the public is shown of a series, on counts given by hand."""

from __future__ import annotations

from datetime import date
from typing import Any
from unittest.mock import Mock

from services.metrics.figures.store import FigureStore
from services.metrics.progress.use_cases import ProgressUseCases


class Days(FigureStore):
    """Counts given by hand instead of rollups."""

    def __init__(self) -> None:
        """Without a database."""

    async def days(self, measure: str, dimension: str = "all", value: str = "all") -> list[tuple[str, int]]:
        """As given."""
        return [("2020-09-30", 3), ("2020-12-14", 5), ("2020-12-15", 2), ("2021-01-01", 4)]


async def series(by: str, start: date | None = None, end: date | None = None) -> list[tuple[Any, ...]]:
    """Period, count and cumulative count."""
    return [tuple(item.values()) for item in await ProgressUseCases(Days(), Mock(), 5).show_series("P1", by, start, end)]


async def test_series_by_every_period() -> None:
    """The same people by day, month, quarter and year: counts of a period, and all up to its end; four people aren't shown."""
    days = await series("day")
    assert len(days) == 76 + 2  # from the end of September on one run of days
    assert days[-3:] == [("2020-12-14", None, None, True), ("2020-12-15", None, 10, True), ("2021-01-01", None, None, True)]
    assert await series("month") == [
        ("2020-09", None, None, True),
        ("2020-10", None, None, True),
        ("2020-11", None, None, True),
        ("2020-12", None, 10, True),
        ("2021-01", None, None, True),
    ]
    assert await series("quarter") == [("2020-Q3", None, None, True), ("2020-Q4", None, 10, True), ("2021-Q1", None, None, True)]
    assert await series("year") == [("2020", 10, 10, False), ("2021", None, None, True)]


async def test_a_series_that_begins_later_still_counts_from_the_start() -> None:
    """Cumulative means since the programme began, not since the chart begins; and periods are shown whole."""
    assert await series("month", date(2020, 12, 15), date(2020, 12, 31)) == [("2020-12", None, 10, True)]
    assert await series("year", date(2020, 12, 15), date(2020, 12, 15)) == [("2020", 10, 10, False)]
