"""Which month ends a breakdown shows (R18), pure: no two figures of one cell may differ by 1 to smallest-1 people.

Of two cumulative figures that are both large enough the difference may be two people: those who joined in between. So a
stage's whole tables are compared: were only the cell held back in which few joined, the exact public totals less the other
cells would give it away. The first snapshot is compared with nobody, since everybody knows that the programme began
with nobody. So no snapshot has a small cell, and it can't be that one is hidden beside other cells in one snapshot than in
the next, from which it could be computed. What is live is a figure like the others. Next: figures.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import NamedTuple

# By month, how many people reached a stage, by value; months without anybody aren't in it.
Joined = Mapping[str, Mapping[str, int]]


class Snapshot(NamedTuple):
    """A table as of the end of a day, the last of a month."""

    day: date
    people: Mapping[str, int]


def published(joined: Joined, smallest: int, among: Collection[str] | None = None) -> list[str]:
    """The months with people whose ends are shown, in order; only `among` these, if there are such.

    From the oldest on, each that is far enough from the one shown before; then without the last ones that are too near to
    what is live. A table of pairs, whose sums are figures of two lists, must be among the months that both lists show: else
    its sums would be figures between theirs.
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


def snapshot(joined: Joined, shown: Collection[str], month_end: date) -> Snapshot | None:
    """The last one `shown` on or before a month end; None before the first. It holds until the next month with people."""
    asked = month_end.isoformat()[:7]
    last = max((month for month in shown if month <= asked), default=None)
    if last is None:
        return None
    following = min((month for month in joined if last < month <= asked), default=None)
    people = Counter[str]()
    for month in joined:
        if month <= last:
            people.update(joined[month])
    return Snapshot(month_end if following is None else date.fromisoformat(f"{following}-01") - timedelta(days=1), people)


def people_on(joined: Joined, shown: Collection[str], month_end: date) -> Mapping[str, int] | None:
    """The table as of a month end that another stage shows; None unless this one may be shown as well.

    That nobody had the stage yet may be: the first that is shown is far enough from nobody.
    """
    found = snapshot(joined, shown, month_end)
    if found is None:
        return {} if all(month > month_end.isoformat()[:7] for month in joined) else None
    return found.people if found.day == month_end else None


def _far_enough(since: Mapping[str, int], smallest: int) -> bool:
    return all(people == 0 or people >= smallest for people in since.values())
