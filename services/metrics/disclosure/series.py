"""Public series (R18), pure: counts by day, month, quarter or year that don't disclose a period of 1 to 4 people.

All four kinds of periods are public, each with cumulative counts. So the days of a series are cut into runs of at least
`smallest` people. Only the cumulative counts at the ends of runs are shown, and differences between two of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

_PERIOD_LENGTH = {"day": 10, "month": 7, "year": 4}


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a series as the public sees it; None: not shown."""

    period: str
    count: int | None
    cumulative: int | None


class Run(NamedTuple):
    """Days from the first to the last, both with people, of which only the cumulative count at the end is shown.

    `cumulative` is None for the last run while it has too few people: then not even that is shown.
    """

    first: str
    last: str
    cumulative: int | None


def period_of(day: str, by: str) -> str:
    """The period of a day: 2020-12-15, 2020-12, 2020-Q4 or 2020. Sorted as texts, periods are in order."""
    return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}" if by == "quarter" else day[: _PERIOD_LENGTH[by]]


def public_series(days: Sequence[tuple[str, int]], by: str, smallest: int) -> list[Period]:
    """The periods with people, in order, and the empty periods between them that belong to a run of several days.

    Empty periods inside a run are listed too: if they were left out, readers would see which days had people and could infer
    a count of one each. A period's count is shown where the cumulative counts before it and at its end are shown.
    """
    ends: dict[str, int | None] = {}
    for run in public_runs(days, smallest):
        first, last = period_of(run.first, by), period_of(run.last, by)
        if first != last:  # few runs do: most days have people enough
            ends |= dict.fromkeys(_periods_before(run.last, run.first, by))
        ends[last] = run.cumulative
    periods = []
    before: int | None = 0
    for period, end in ends.items():
        periods.append(Period(period, None if end is None or before is None else end - before, end))
        before = end
    return periods


def _periods_before(last: str, first: str, by: str) -> list[str]:
    """The periods of the days from the first to the one before the last."""
    begun, days = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days
    return [period_of((begun + timedelta(days=day)).isoformat(), by) for day in range(days)]


def public_runs(days: Sequence[tuple[str, int]], smallest: int) -> list[Run]:
    """Cut days into runs: a run ends as soon as it has `smallest` people. `days` are in order, days without people left out.

    The last days of a year that are too few for a run of their own join the year's last run, so that a year is shown once it
    has enough people. The last days of a month don't do the same: a run of a month's last day that they joined would be known
    to have enough people without them, and so they could be computed.
    """
    runs: list[Run] = []
    cumulative = shown = 0
    first = ""
    for index, (day, count) in enumerate(days):
        first = first or day
        cumulative += count
        following = days[index + 1][0] if index + 1 < len(days) else None
        if cumulative - shown >= smallest:
            runs.append(Run(first, day, cumulative))
        elif runs and runs[-1].last[:4] == day[:4] and (following is None or following[:4] != day[:4]):
            runs[-1] = Run(runs[-1].first, day, cumulative)
        elif following is None:
            runs.append(Run(first, day, None))
        else:
            continue
        shown, first = cumulative, ""
    return runs
