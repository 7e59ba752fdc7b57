"""Cell suppression (R18), pure: which cells must be hidden, so that no cell of 1 to 4 people can be read or computed.

The sums of a breakdown are public. So its cells are edges of a network in which the sum at every node is known: a list is
parallel edges between two nodes, a table leads from its rows to its columns, and a sum that is itself hidden is an edge too.
A hidden cell is protected if there is a cycle of hidden cells through it along which people can be moved: then it may have
another value although all sums stay the same. For each small cell the cheapest such cycle is hidden. Hiding one more cell in
each row and column wouldn't be enough, because such tables can often still be solved. A small cell without any such cycle is
what the sums leave over, and the place of the hidden cell would say whose it is: then nothing of the breakdown is shown.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

START, END = "<", ">"
_KOTA = len("31.71")


class Cell(NamedTuple):
    """A count as an edge from `tail` to `head`. What enters a node and what leaves it have equal or public sums."""

    tail: str
    head: str
    people: int


def suppressed(cells: Mapping[str, int], smallest: int) -> set[str] | None:
    """The hidden cells of a list whose sum is public; None if nothing of it can be shown."""
    return suppressed_network({name: Cell(START, END, people) for name, people in cells.items()}, smallest)


def suppressed_network(cells: Mapping[str, Cell], smallest: int, known_hidden: Collection[str] = ()) -> set[str] | None:
    """The cells of 1 to smallest-1 people, and for each of them the cells that must be hidden to protect it.

    `known_hidden` are cells that are hidden already. None if one of the small cells can't be protected, for example because
    it is all of a public sum: then nothing can be shown.
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
    """The hidden kecamatan, by code. Their sums are the figures of the kota, which are public unless a kota is hidden.

    None if nothing of them can be shown. That includes the case that no kota can be shown, because the code of a kecamatan
    names its kota.
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
    """The hidden cells of a table, named `<row>+<column>`; the sums of rows and of columns are public lists of their own.

    None if nothing of the table can be shown, which includes the case that nothing of one of those lists can be shown.
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
    """The other cells of the cheapest cycle in which this cell could have one person more or one fewer; None without one.

    Cycles are preferred in which no cell grows to `smallest` people: readers who know this rule know that a small cell has
    fewer, so a cycle in which one grows protects less.
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
    """Dijkstra's shortest path: a cell that is hidden already costs nothing, any other its number of people.

    Along an edge a person is added to its cell, against its direction one is taken away. No cell loses its last person, and
    none grows to exactly `limit`.
    """
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
