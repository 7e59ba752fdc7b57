"""Month ends (R18), pure: which past month ends of a breakdown are shown.

Between any two figures of one cell that are shown, either nobody or at least `smallest` people joined. The difference of two
cumulative figures may be small although both are large, and it would disclose those who joined in between. Whole tables of a
stage are compared: if only the cell in which few joined were held back, the exact public totals less the other cells would
give its figure away. The first table is compared with nobody, since the programme began with nobody. The live table counts as
one that is shown.
So no table that is shown has a small cell, and no cell is hidden in one table beside other cells than in the next, from which
it could be computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import NamedTuple

# By month: how many people reached a stage in it, by value of the dimension. Months without anybody are left out.
Joined = Mapping[str, Mapping[str, int]]


class MonthEnd(NamedTuple):
    """A breakdown as of the end of a day, which is the last of a month: people by value."""

    day: date
    people: Mapping[str, int]


def published(joined: Joined, smallest: int, among: Collection[str] | None = None) -> list[str]:
    """The months with people whose ends are shown, in order; only months of `among`, if that is given.

    From the oldest on, each month end is shown that is far enough from the one shown before. Then the last ones are taken away
    again that are too near to the live figures. For a table of pairs, whose sums are the figures of two lists, `among` must be
    the months that both lists show: otherwise its sums would be figures that lie between those of the lists.
    """
    shown: list[tuple[str, Counter[str]]] = []
    since = Counter[str]()
    for month in sorted(joined):
        since.update(joined[month])
        if (among is None or month in among) and _far_enough(since, smallest):
            shown.append((month, since))
            since = Counter()
    while shown and not _far_enough(since, smallest):
        _, step = shown.pop()
        since.update(step)
    return [month for month, _ in shown]


def last_shown(joined: Joined, shown: Collection[str], month_end: date) -> MonthEnd | None:
    """The last month end that is `shown` on or before the given one; None before the first.

    Its figures hold until the next month with people, so its day is the last month end before that, at most the given one.
    """
    asked = month_end.isoformat()[:7]
    last = max((month for month in shown if month <= asked), default=None)
    if last is None:
        return None
    following = min((month for month in joined if last < month <= asked), default=None)
    people = Counter[str]()
    for month in joined:
        if month <= last:
            people.update(joined[month])
    return MonthEnd(month_end if following is None else date.fromisoformat(f"{following}-01") - timedelta(days=1), people)


def people_on(joined: Joined, shown: Collection[str], month_end: date) -> Mapping[str, int] | None:
    """People by value as of a month end that is shown of another stage; None unless this stage may be shown for it as well.

    An empty table, when nobody had the stage yet, may be shown: the first month end with people is far enough from nobody.
    """
    found = last_shown(joined, shown, month_end)
    if found is None:
        return {} if all(month > month_end.isoformat()[:7] for month in joined) else None
    return found.people if found.day == month_end else None


def _far_enough(since: Mapping[str, int], smallest: int) -> bool:
    return all(people == 0 or people >= smallest for people in since.values())


def last_month_end(day: date) -> date:
    """The last day of a month on or before the day."""
    following = day + timedelta(days=1)
    return following.replace(day=1) - timedelta(days=1)
