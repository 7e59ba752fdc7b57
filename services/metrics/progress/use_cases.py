"""The verbs of progress: the headline figures, and the counts by period as the public may see them (R18)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from chassis import clock
from chassis.calendar import jakarta_day
from chassis.documents import Document
from services.metrics.disclosure.series import period_of, public_series
from services.metrics.documents import TargetDocument
from services.metrics.figures.rules import percent, reached_on
from services.metrics.figures.store import FigureStore
from services.metrics.progress.replies import shown_period
from services.metrics.progress.rules import target_on

AllTargets = Callable[[], Awaitable[Sequence[TargetDocument]]]
_AFTER_ALL = "\uffff"  # sorts after every period


class ProgressUseCases:
    """One method for each verb. `all_targets` loads the targets, which are a feature of their own."""

    def __init__(self, figures: FigureStore, all_targets: AllTargets, smallest_cell: int) -> None:
        self._figures = figures
        self._all_targets = all_targets
        self._smallest = smallest_cell

    async def show_progress(self, as_of: date) -> Document:
        """Verified people on a day, the overall target that is valid on it, and the percentage (R16)."""
        today = jakarta_day(clock.now())
        total = await self._figures.total("P1", None if as_of >= today else as_of)
        valid = target_on(await self._all_targets(), as_of)
        target: Document | None = None
        share: str | None = None
        if valid is not None:
            day = reached_on(await self._figures.days("P1"), valid["value"])
            reached = day if day is not None and day <= as_of.isoformat() else None
            target = {"value": valid["value"], "source": valid["source"], "reached_on": reached}
            share = percent(total, valid["value"])
        return {"as_of": as_of.isoformat(), "registered_total": total, "target": target, "progress_percent": share}

    async def show_series(self, measure: str, by: str, start: date | None, end: date | None) -> list[Document]:
        """Count and cumulative count of each "day", "month", "quarter" or "year" as the public may see them (R15, R18).

        `start` and `end` choose whole periods: the count of a part of a period could be subtracted from another part's.
        """
        first = period_of(start.isoformat(), by) if start else ""
        last = period_of(end.isoformat(), by) if end else _AFTER_ALL
        periods = public_series(await self._figures.days(measure), by, self._smallest)
        return [shown_period(period) for period in periods if first <= period.period <= last]
