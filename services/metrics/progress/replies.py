"""Series as replies: a count that is None is suppressed."""

from __future__ import annotations

from dataclasses import asdict

from chassis.documents import Document
from services.metrics.disclosure.series import Period


def shown_period(period: Period) -> Document:
    """A period as the API's `SeriesItem`."""
    return {**asdict(period), "suppressed": period.count is None or period.cumulative is None}
