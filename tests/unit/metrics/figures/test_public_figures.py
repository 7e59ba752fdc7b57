"""What the public is shown: series by period, cells, and the funnel, on counts given by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.metrics.figures.store import Figures

DAYS = [("2020-09-30", 3), ("2020-12-14", 5), ("2020-12-15", 2), ("2021-01-01", 4)]


class Given(Figures):
    """Figures over counts given by hand instead of rollups."""

    def __init__(self, cells: dict[tuple[str, str], dict[str, int]]) -> None:
        self.smallest_cell = 5
        self._given = cells

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """As given; `as_of` is the rollups' affair."""
        return self._given.get((measure, dimension), {})

    async def days(self, measure: str) -> list[tuple[str, int]]:
        """As given."""
        return DAYS


async def series(by: str, start: date | None = None, end: date | None = None) -> list[tuple[Any, ...]]:
    """Period, count and cumulative count."""
    return [tuple(item.values()) for item in await Given({}).series("P1", by, start, end)]


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


async def test_cells_are_shown_in_order_and_small_ones_are_not() -> None:
    """Three people of the islands: neither they nor, of those left, the smallest kota are shown; a reader sees that and why."""
    figures = Given({("P2", "kota"): {"31.75": 90, "31.01": 3, "31.71": 20, "31.72": 70}})
    assert await figures.public_cells("P2", "kota") == [
        {"value": "31.01", "people": None, "suppressed": True},
        {"value": "31.71", "people": None, "suppressed": True},
        {"value": "31.72", "people": 70, "suppressed": False},
        {"value": "31.75", "people": 90, "suppressed": False},
    ]


async def test_kecamatan_are_hidden_within_their_kota() -> None:
    """The companion of a small kecamatan is one of the same kota."""
    cells = {"31.71.01": 2, "31.71.02": 40, "31.71.03": 60, "31.72.01": 6, "31.72.02": 90}
    shown = await Given({("P2", "kecamatan"): cells}).public_cells("P2", "kecamatan")
    assert [cell["value"] for cell in shown if cell["suppressed"]] == ["31.71.01", "31.71.02"]


async def test_the_funnel_overall() -> None:
    """Seven stages in percent of P1; nobody in a stage is a nought, not a gap."""
    figures = Given({("P1", "all"): {"all": 800}, ("P2", "all"): {"all": 67}})
    day, stages = await figures.funnel(None, None, None)
    assert day is None
    assert [(stage["stage"], stage["people"], stage["percent_of_p1"]) for stage in stages[:3]] == [
        ("P1", 800, "100.00"),
        ("P2", 67, "8.38"),
        ("P3", 0, "0.00"),
    ]
    assert [stage["stage"] for stage in stages] == ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]


async def test_a_hidden_stage_has_no_percentage() -> None:
    """Percent of P1 would give the people away; and where P1 itself is hidden no stage has one."""
    cells = {("P1", "kota"): {"31.71": 300, "31.72": 500}, ("P2", "kota"): {"31.71": 4, "31.72": 9, "31.73": 20}}
    _, stages = await Given(cells).funnel(None, None, "31.71")
    assert stages[1] == {"stage": "P2", "people": None, "percent_of_p1": None, "suppressed": True}
    hidden = {("P1", "dinas"): {"KPKP": 2, "Sosial": 9}, ("P2", "dinas"): {"Sosial": 9}}
    _, stages = await Given(hidden).funnel(None, "Sosial", None)
    assert [(stage["people"], stage["percent_of_p1"]) for stage in stages[:2]] == [(None, None), (9, None)]


@pytest.mark.parametrize(("dinas", "kota"), [("KPKP", "31.71"), ("KPKP", "31.72"), ("Sosial", "31.71"), ("Sosial", "31.72")])
async def test_a_dinas_in_a_kota(dinas: str, kota: str) -> None:
    """One cell of the two by two is small: with the sums of both dinas and both kota known, any other would give it away."""
    table = {"KPKP+31.71": 3, "KPKP+31.72": 20, "Sosial+31.71": 30, "Sosial+31.72": 40}
    _, stages = await Given({("P1", "dinas+kota"): table}).funnel(None, dinas, kota)
    assert stages[0]["suppressed"]


async def test_a_dinas_in_a_kota_that_may_be_shown() -> None:
    """Nothing small: nothing hidden. A pair without anybody is a nought."""
    table = {"KPKP+31.71": 30, "KPKP+31.72": 20, "Sosial+31.71": 30}
    figures = Given({("P1", "dinas+kota"): table})
    assert [(await figures.funnel(None, dinas, "31.72"))[1][0]["people"] for dinas in ("KPKP", "Sosial")] == [20, 0]


@pytest.mark.parametrize(
    ("dimension", "cells"),
    [
        ("kota", {"31.71": 3}),
        ("kota", {"31.71": 1, "31.72": 1}),
        ("kecamatan", {"31.71.01": 2, "31.71.02": 1}),
        ("kecamatan", {f"31.71.0{number}": 1 for number in range(1, 6)}),
    ],
)
async def test_a_breakdown_that_would_give_somebody_away_is_not_shown(dimension: str, cells: dict[str, int]) -> None:
    """The first people of a stage, all of one kota: hiding the number doesn't help, for the total says it and the list where.

    So they aren't listed; nor are their kecamatan, nor five that can only have one person each, as five live in the kota.
    """
    assert await Given({("P2", dimension): cells}).public_cells("P2", dimension) == []


async def test_nobody_anywhere_is_an_empty_breakdown_too() -> None:
    """As long as nobody has a stage there is nothing to list, and in the funnel a nought gives nobody away."""
    figures = Given({})
    assert await figures.public_cells("P2", "kota") == []
    assert (await figures.funnel(None, None, "31.71"))[1][1] == {
        "stage": "P2", "people": 0, "percent_of_p1": None, "suppressed": False,
    }  # fmt: skip


@pytest.mark.parametrize(("dinas", "kota"), [(None, "31.71"), (None, "31.72"), ("KPKP", "31.71"), ("Sosial", "31.72")])
async def test_where_one_value_would_give_somebody_away_no_other_is_a_nought(dinas: str | None, kota: str) -> None:
    """Three people with P2, all of one kota: noughts for the other kota would say which. P1, with people enough, is shown."""
    cells = {
        ("P1", "kota"): {"31.71": 30, "31.72": 40},
        ("P1", "dinas+kota"): {"KPKP+31.71": 30, "Sosial+31.72": 40},
        ("P2", "kota"): {"31.71": 3},
        ("P2", "dinas+kota"): {"KPKP+31.71": 3},
    }
    _, stages = await Given(cells).funnel(None, dinas, kota)
    assert [(stage["people"], stage["suppressed"]) for stage in stages[1:3]] == [(None, True), (0, False)]
    assert stages[0]["people"] == {"31.71": 30, "31.72": 40}[kota]
