"""R18: nobody can read, or compute from what is public, how many people a cell of one to four has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from services.metrics.disclosure.suppression import suppressed, suppressed_kecamatan, suppressed_table

Edges = dict[str, tuple[str, str, int]]  # name -> where it comes from, where it goes, how many
few = st.sampled_from([0, 1, 1, 2, 3, 4, 4, 5, 6, 9, 30])


def could_differ(edges: Edges, hidden: Iterable[str], target: str) -> bool:
    """Whether the hidden counts could be others, that of `target` among them, with every public sum as it is.

    By trying out: each hidden count one less, the same, or one more; never under one, since an empty cell isn't hidden. (That
    one step is enough is a property of networks: between two solutions lies a cycle of single steps.)
    """
    order = sorted(hidden, key=lambda name: edges[name][:2])
    last_use = {node: name for name in order for node in edges[name][:2]}
    states: set[tuple[tuple[str, int], ...]] = {()}
    for name in order:
        tail, head, people = edges[name]
        steps = [step for step in (-1, 0, 1) if people + step >= 1 and (name != target or step)]
        following = set()
        for state in states:
            for step in steps:
                sums = Counter(dict(state))
                sums[tail] -= step
                sums[head] += step
                if not any(sums[node] and last_use[node] == name for node in (tail, head)):
                    following.add(tuple(sorted((node, count) for node, count in sums.items() if count)))
        states = following
    return bool(states)


def small(cells: Mapping[str, int]) -> list[str]:
    """The cells to protect."""
    return [name for name, people in cells.items() if 0 < people < 5]


def assert_given_away(edges: Edges, everything: Iterable[str], protected: Iterable[str]) -> None:
    """Nothing may be shown: with everything hidden that can be, at least one of them could still be computed."""
    hidden = list(everything)
    assert not all(could_differ(edges, hidden, name) for name in protected)


@given(st.lists(few, max_size=7))
def test_a_hidden_cell_of_a_list_cannot_be_computed(counts: list[int]) -> None:
    """The sum of the kota is public; whoever subtracts what is shown still can't tell what a small one has."""
    cells = {f"c{number}": people for number, people in enumerate(counts)}
    hidden = suppressed(cells, 5)
    edges = {name: ("sum", "end", people) for name, people in cells.items()}
    if hidden is None:  # even hiding all of them wouldn't help: one person each, or a single cell
        assert_given_away(edges, [name for name, people in cells.items() if people], small(cells))
        return
    assert set(small(cells)) <= hidden
    assert not any(cells[name] == 0 for name in hidden)
    for name in small(cells):
        assert could_differ(edges, hidden, name)


@given(st.lists(few, max_size=7))
def test_no_list_has_one_hidden_cell(counts: list[int]) -> None:
    """It would be the public total less all that is shown."""
    hidden = suppressed({f"c{number}": people for number, people in enumerate(counts)}, 5)
    assert hidden is None or len(hidden) != 1


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({"a": 5, "b": 6}, ""),
        ({"a": 0, "b": 7}, ""),
        ({"a": 3, "b": 9, "c": 7}, "ac"),
        ({"a": 3, "b": 0, "c": 7}, "ac"),
        ({"a": 1, "b": 3, "c": 7}, "ab"),
        ({"a": 1, "b": 1, "c": 8, "d": 7}, "abd"),
        ({"a": 4, "b": 4, "c": 7, "d": 9}, "abc"),
        ({"a": 3}, None),
        ({"a": 3, "b": 0}, None),
        ({"a": 1, "b": 1, "c": 1}, None),
        ({"a": 30}, ""),
        ({}, ""),
    ],
)
def test_which_cells_are_hidden(cells: dict[str, int], hidden: str | None) -> None:
    """One small cell takes the next smallest along; two that can only be 1 and 1 (or 4 and 4) do so as well.

    A small cell that has no other to take along, and cells that can only be 1 each, leave nothing that may be shown.
    """
    assert suppressed(cells, 5) == (None if hidden is None else set(hidden))


@given(st.lists(few, max_size=7))
def test_no_more_is_hidden_than_needed(counts: list[int]) -> None:
    """Besides the small cells of a list at most one is hidden, and nothing at all where no cell is small."""
    cells = {f"c{number}": people for number, people in enumerate(counts)}
    assert len(suppressed(cells, 5) or ()) <= len(small(cells)) + bool(small(cells))


tables = st.integers(2, 4).flatmap(
    lambda columns: st.lists(st.lists(few, min_size=columns, max_size=columns), min_size=2, max_size=4)
)


@settings(max_examples=200, deadline=None)
@given(tables)
@example([[3, 9, 30], [9, 30, 30], [30, 30, 30]])
@example([[3, 7], [9, 0]])
def test_a_hidden_cell_of_a_table_cannot_be_computed(table: list[list[int]]) -> None:
    """The funnel of a dinas in a kota: rows and columns have public sums, those of the dinas' and the kota's own figures.

    One more hidden cell in its row and its column isn't enough: each of those could be computed from its own column or row.
    """
    cells = {f"d{row}+k{column}": people for row, line in enumerate(table) for column, people in enumerate(line) if people}
    rows, columns = Counter[str](), Counter[str]()
    for name, people in cells.items():
        rows[name.partition("+")[0]] += people
        columns[name.partition("+")[2]] += people
    hidden, of_rows, of_columns = suppressed_table(cells, 5), suppressed(rows, 5), suppressed(columns, 5)
    if of_rows is None or of_columns is None:
        assert hidden is None
        return
    edges: Edges = {name: (*name.split("+"), people) for name, people in cells.items()}  # type: ignore[misc] # each name has one plus
    edges |= {row: ("sum", row, rows[row]) for row in rows} | {column: (column, "end", columns[column]) for column in columns}
    sums = of_rows | of_columns
    protected = small(cells) + small(rows) + small(columns)
    if hidden is None:
        assert_given_away(edges, cells.keys() | sums, protected)
        return
    assert set(small(cells)) <= hidden <= cells.keys()
    for name in protected:
        assert could_differ(edges, hidden | sums, name)


towns = st.lists(st.lists(few, min_size=1, max_size=4), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(towns)
@example([[3], [20, 30], [90, 90]])
def test_a_hidden_kota_cannot_be_added_up_from_its_kecamatan(towns: list[list[int]]) -> None:
    """Kota 31.70 has three people, so that of 31.71 is hidden as well; then not all of the kecamatan of 31.71 may be shown."""
    cells = {f"31.7{kota}.0{number}": people for kota, town in enumerate(towns) for number, people in enumerate(town) if people}
    kota = Counter[str]()
    for name, people in cells.items():
        kota[name[:5]] += people
    hidden_kota = suppressed(kota, 5)
    hidden = suppressed_kecamatan(cells, 5)
    if hidden_kota is None:  # to list kecamatan would be to say which kota they are of
        assert hidden is None
        return
    edges: Edges = {name: (name[:5], "end", people) for name, people in cells.items()}
    edges |= {name: ("sum", name, people) for name, people in kota.items()}
    protected = small(cells) + small(kota)
    if hidden is None:
        assert_given_away(edges, cells.keys() | hidden_kota, protected)
        return
    assert set(small(cells)) <= hidden <= cells.keys()
    for name in protected:
        assert could_differ(edges, hidden | hidden_kota, name)


def test_kecamatan_are_protected_within_their_kota() -> None:
    """A small kecamatan takes one of its own kota along, not the smallest of all Jakarta: sums of kota are public."""
    cells = {"31.71.01": 2, "31.71.02": 40, "31.71.03": 60, "31.72.01": 6, "31.72.02": 90}
    assert suppressed_kecamatan(cells, 5) == {"31.71.01", "31.71.02"}


@given(tables)
def test_the_same_figures_hide_the_same_cells(table: list[list[int]]) -> None:
    """Two replicas, or two requests: were they to hide different cells, together they would show all."""
    assume(any(any(line) for line in table))
    cells = {f"d{row}+k{column}": people for row, line in enumerate(table) for column, people in enumerate(line) if people}
    backwards = dict(reversed(cells.items()))
    assert suppressed_table(cells, 5) == suppressed_table(backwards, 5)
