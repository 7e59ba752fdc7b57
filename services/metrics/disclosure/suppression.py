"""Public figures (R18), pure: which cells mustn't be shown, so that no group of 1 to 4 people can be read or computed.

Sums are public. So cells are edges of a network in which every node's sum is known: a list is parallel edges, a table leads
from its rows to its columns, a hidden sum is an edge of its own. A hidden cell may have another value if there is a cycle of
hidden cells through it in which people can be moved; for each small cell the cheapest such cycle is hidden. (Hiding one
more cell in each row and column wouldn't do: such tables can often still be solved.) Where a small cell has no such cycle,
its value is what the sums leave over, and which cell is hidden says whose it is: then nothing of the breakdown is shown.

A series is public by day, month, quarter and year, each with cumulative counts. So its days are cut into runs of at least
`smallest` people, and nothing is shown but cumulative counts at the ends of runs, and differences between two of those.
Next: snapshots.py for the days of which figures are shown, figures.py.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

START, END = "<", ">"
_KOTA = len("31.71")
_PERIOD_LENGTH = {"day": 10, "month": 7, "year": 4}


class Cell(NamedTuple):
    """A count as an edge: the sums of what enters and of what leaves a node are equal, or public."""

    tail: str
    head: str
    people: int


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a series as the public sees it; None: not shown."""

    period: str
    count: int | None
    cumulative: int | None


class Run(NamedTuple):
    """Days, the first and the last with people, of which only the cumulative count at the end is shown; None: not even that."""

    first: str
    last: str
    cumulative: int | None


def period_of(day: str, by: str) -> str:
    """2020-12-15, 2020-12, 2020-Q4 or 2020: sorted as text they are in order."""
    return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}" if by == "quarter" else day[: _PERIOD_LENGTH[by]]


def public_series(days: Sequence[tuple[str, int]], by: str, smallest: int) -> list[Period]:
    """The periods with people, in order; and those between them that belong to a run of several days.

    For who knows which of the days of a run had nobody can compute the others when each had one. A count is shown where
    the cumulative counts before it and at its end are.
    """
    ends: dict[str, int | None] = {}
    for run in public_runs(days, smallest):
        day, last = date.fromisoformat(run.first), date.fromisoformat(run.last)
        while day <= last:
            ends[period_of(day.isoformat(), by)] = run.cumulative if day == last else None
            day += timedelta(days=1)
    periods = []
    before: int | None = 0
    for period, end in ends.items():
        periods.append(Period(period, None if end is None or before is None else end - before, end))
        before = end
    return periods


def public_runs(days: Sequence[tuple[str, int]], smallest: int) -> list[Run]:
    """A run ends as soon as it has enough people. The rest of a year, too few for a run, joins the year's last run.

    So a year is shown once it has enough people. (Were the rest of months to do the same, a run of a month's last day that a
    year's rest joins would be known to have enough people of its own, and so the rest could be computed.)
    `days` in order, with counts, nobody's days left out.
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


def suppressed(cells: Mapping[str, int], smallest: int) -> set[str] | None:
    """The hidden cells of a list whose sum is public; None: nothing of it can be shown."""
    return suppressed_network({name: Cell(START, END, people) for name, people in cells.items()}, smallest)


def suppressed_network(cells: Mapping[str, Cell], smallest: int, known_hidden: Collection[str] = ()) -> set[str] | None:
    """Cells of 1 to smallest-1 people and, for each, what lets it be another number of people. `known_hidden` stay hidden.

    None where nothing lets one of them be another number (a small cell that is all of a public sum): nothing can be shown.
    """
    small = sorted(name for name, cell in cells.items() if 0 < cell.people < smallest)
    hidden = {*small, *known_hidden}
    for name in small:
        cycle = _cheapest_cycle(cells, name, hidden, smallest)
        if cycle is None:
            return None
        hidden |= cycle
    return hidden


def suppressed_kecamatan(cells: Mapping[str, int], smallest: int) -> set[str] | None:
    """The hidden kecamatan, by code. Their sums are public as the kota's figures, except for those of hidden kota.

    None: nothing of them can be shown. So also where nothing of the kota can be: a kecamatan's code says its kota.
    """
    sums: Counter[str] = Counter()
    for name, people in cells.items():
        sums[name[:_KOTA]] += people
    hidden_kota = suppressed(sums, smallest)
    if hidden_kota is None:
        return None
    network = {name: Cell(name[:_KOTA], END, people) for name, people in cells.items()}
    network |= {kota: Cell(START, kota, sums[kota]) for kota in hidden_kota}
    return _without_sums(cells, suppressed_network(network, smallest, hidden_kota))


def suppressed_table(cells: Mapping[str, int], smallest: int) -> set[str] | None:
    """The hidden cells of a table `<row>+<column>`, whose rows' and columns' sums are public as lists of their own.

    None: nothing of it can be shown. So also where nothing of one of those lists can be.
    """
    rows, columns = Counter[str](), Counter[str]()
    network: dict[str, Cell] = {}
    for name, people in cells.items():
        row, _, column = name.rpartition("+")
        rows[row] += people
        columns[column] += people
        network[name] = Cell(row, column, people)
    hidden_rows, hidden_columns = suppressed(rows, smallest), suppressed(columns, smallest)
    if hidden_rows is None or hidden_columns is None:
        return None
    network |= {row: Cell(START, row, rows[row]) for row in hidden_rows}
    network |= {column: Cell(column, END, columns[column]) for column in hidden_columns}
    return _without_sums(cells, suppressed_network(network, smallest, hidden_rows | hidden_columns))


def _without_sums(cells: Mapping[str, int], hidden: set[str] | None) -> set[str] | None:
    return None if hidden is None else hidden & cells.keys()


def _cheapest_cycle(cells: Mapping[str, Cell], name: str, hidden: set[str], smallest: int) -> set[str] | None:
    """The other cells of the cheapest cycle in which this one could be one person more, or one fewer; None: there is none.

    Who knows this rule knows that a small cell has less than `smallest` people: so first without making one larger than that.
    """
    cell = cells[name]
    for limit in (smallest, None):
        ways = []
        if cell.people + 1 != limit:
            ways.append(_cheapest_path(cells, name, cell.head, cell.tail, hidden, limit))
        if cell.people > 1:
            ways.append(_cheapest_path(cells, name, cell.tail, cell.head, hidden, limit))
        found = [way for way in ways if way is not None]
        if found:
            return min(found, key=lambda way: way[0])[1]
    return None


def _cheapest_path(
    cells: Mapping[str, Cell], without: str, start: str, goal: str, hidden: set[str], limit: int | None
) -> tuple[int, set[str]] | None:
    """Dijkstra: a hidden cell costs nothing, another its people. Along an edge people are added, against it taken away."""
    steps: dict[str, list[tuple[str, int, str]]] = {}
    for name, (tail, head, people) in cells.items():
        if name == without or people == 0:
            continue
        cost = 0 if name in hidden else people
        if people + 1 != limit:
            steps.setdefault(tail, []).append((head, cost, name))
        if people > 1:
            steps.setdefault(head, []).append((tail, cost, name))
    before: dict[str, tuple[str, str]] = {}
    done: set[str] = set()
    queue = [(0, start, "", "")]
    while queue:
        so_far, node, came_from, by = heapq.heappop(queue)
        if node in done:
            continue
        done.add(node)
        before[node] = (came_from, by)
        if node == goal:
            path = set()
            while node != start:
                node, by = before[node]
                path.add(by)
            return so_far, path
        for following, cost, name in steps.get(node, ()):
            if following not in done:
                heapq.heappush(queue, (so_far + cost, following, node, name))
    return None
